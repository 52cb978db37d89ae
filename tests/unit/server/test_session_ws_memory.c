// The WebSocket session when memory runs out: each allocation of a dialogue, over HTTP/1.1 and with
// all that a client may say, fails in turn. The session says so or ends; nothing stays.
#include "support.h"

#include "http/websocket_frames.h"
#include "server/short_of_memory.h"

static const char upgrade[] = "GET /events/a?control=1 HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\n"
                              "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static const struct {
    unsigned char first;
    const char *payload;
} frames[] = {
    {0x81, "{\"ref\":1,\"publish\":{\"topic\":\"a\",\"data\":\"hello\"}}"},
    {0x89, "ping"},
    {0x01, "{\"ref\":\"x\",\"publish\":[{\"topic\":\"b\","},
    {0x80, "\"data\":{}},{\"topic\":\"*\",\"data\":\"\"}]}"},
    {0x81, "{\"add\":[\"b\"],\"after\":\"earliest\"}"},
    {0x81, "{\"remove\":[\"a\"]}"},
    {0x81, "{}"},
    {0x88, "\x03\xe8"},
};

// The frames are made beforehand, by an allocator that does not fail.
static struct buf messages[sizeof(frames) / sizeof(frames[0])];

static void make_messages(void) {
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        buf_init(&messages[i], &mem_libc, 0);
        frames_add(&messages[i], frames[i].first, bytes_of(frames[i].payload));
    }
}

static void talk(struct h2_place *place, struct h2_peer *peer) {
    h2_peer_send(peer, bytes_of(upgrade));
    h2_peer_settle(peer);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        h2_peer_send(peer, buf_bytes(&messages[i]));
        h2_peer_settle(peer);
        if (i == 1) {
            h2_place_publish(place, 40000);
            h2_place_later(place, 20000);
            h2_peer_settle(peer);
        }
    }
}

static void test_each_allocation(void **state) {
    make_messages();
    assert_true(short_of_memory(talk) > 100);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        buf_finish(&messages[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
