// The WebSocket session when memory runs out: each allocation of a dialogue, over HTTP/1.1 and with
// all that a client may say, fails in turn. The session says so or ends; nothing stays. The linker
// hands allocations over to us (see meson.build), because the session takes no allocator.
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "http/websocket_frames.h"
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
    make_messages();
    while (run(which)) {
        which++;
    }
    assert_true(which > 100);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        buf_finish(&messages[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
