// The HTTP/2 session when memory runs out: each allocation of a dialogue with all sorts of requests
// fails in turn, those of nghttp2 too. The session says so or ends; nothing is lost, nothing stays.
// The linker hands allocations over to us (see meson.build), because the session takes no allocator.
#include "support.h"

#include <errno.h>
#include <string.h>

#include "server/h2_peer.h"

static long calls, fail_at; // fail_at 0: count nothing, fail nothing

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_nghttp2_session_server_new2(nghttp2_session **ng,
                                       const nghttp2_session_callbacks *callbacks, void *user,
                                       const nghttp2_option *option);

static bool fails(void) {
    return fail_at && ++calls == fail_at;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strndup(const char *text, size_t len) {
    return fails() ? NULL : __real_strndup(text, len);
}

static void *ng_malloc(size_t size, void *ctx) {
    return __wrap_malloc(size);
}

static void ng_free(void *old, void *ctx) {
    free(old);
}

static void *ng_calloc(size_t count, size_t size, void *ctx) {
    return __wrap_calloc(count, size);
}

static void *ng_realloc(void *old, size_t size, void *ctx) {
    return __wrap_realloc(old, size);
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

// True when the allocation that was to fail was asked for.
static bool run(long which) {
    struct h2_place place;
    struct h2_peer peer;
    h2_place_init(&place);
    h2_place_open(&place);
    calls = 0;
    h2_peer_connect(&peer, &place, 8192);
    fail_at = which;
    talk(&place, &peer);
    fail_at = 0;
    h2_peer_close(&peer);
    h2_place_close(&place);
    return calls >= which;
}

static void test_each_allocation(void **state) {
    long which = 1;
    while (run(which)) {
        which++;
    }
    assert_true(which > 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
