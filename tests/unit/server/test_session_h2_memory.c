// The HTTP/2 session when memory runs out: each allocation of a dialogue with all sorts of requests
// fails in turn, those of nghttp2 too. The session says so or ends; nothing is lost, nothing stays.
#include "support.h"

#include <stdlib.h>

#include "server/short_of_memory.h"

int __wrap_nghttp2_session_server_new2(nghttp2_session **ng,
                                       const nghttp2_session_callbacks *callbacks, void *user,
                                       const nghttp2_option *option);

static void *ng_malloc(size_t size, void *ctx) {
    return malloc(size);
}

static void ng_free(void *old, void *ctx) {
    free(old);
}

static void *ng_calloc(size_t count, size_t size, void *ctx) {
    return calloc(count, size);
}

static void *ng_realloc(void *old, size_t size, void *ctx) {
    return realloc(old, size);
}

int __wrap_nghttp2_session_server_new2(nghttp2_session **ng,
                                       const nghttp2_session_callbacks *callbacks, void *user,
                                       const nghttp2_option *option) {
    static nghttp2_mem mem = {NULL, ng_malloc, ng_free, ng_calloc, ng_realloc};
    return nghttp2_session_server_new3(ng, callbacks, user, option, &mem);
}

// Listeners of each kind, a poll, publishers of each kind, one that is reset, a full window, a drain.
static void talk(struct h2_place *place, struct h2_peer *peer) {
    const uint8_t end = NGHTTP2_FLAG_END_STREAM;
    h2_peer_hello(peer);
    h2_peer_request(peer, end, "GET", "/events/a", "origin", "http://o");
    int32_t reset = h2_peer_request(peer, end, "GET", "/events/a", NULL, NULL);
    h2_peer_request(peer, end, "GET", "/events/*?control=1", "accept", "application/x-ndjson");
    h2_peer_request(peer, end, "GET", "/events/a?wait=9", "accept", "application/json");
    h2_peer_settle(peer);
    int32_t body = h2_peer_request(peer, 0, "POST", "/events/a", "content-type", "text/plain");
    h2_peer_frame(peer, NGHTTP2_DATA, end, body, bytes_of("hello"));
    body = h2_peer_request(peer, 0, "POST", "/events/a", "content-type", "text/event-stream");
    h2_peer_frame(peer, NGHTTP2_DATA, end, body, bytes_of("data: 1\n\ndata: 2\n\n"));
    h2_peer_settle(peer);
    h2_peer_number(peer, NGHTTP2_RST_STREAM, reset, NGHTTP2_CANCEL);
    h2_peer_request(peer, end, "GET", "/api/connections", NULL, NULL);
    h2_peer_request(peer, end, "GET", "/events/a?last=2&limit=1", "accept", "application/x-ndjson");
    h2_peer_request(peer, end, "GET", "/nothing", NULL, NULL);
    h2_place_publish(place, 40000);
    h2_peer_settle(peer);
    h2_place_later(place, 20000);
    h2_peer_settle(peer);
}

static void test_each_allocation(void **state) {
    assert_true(short_of_memory(talk) > 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
