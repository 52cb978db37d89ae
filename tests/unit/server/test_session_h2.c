// The HTTP/2 session where a browser's or Node's client cannot easily lead it: ends at awkward
// moments, a socket with little room, a peer that sends without END_STREAM.
#include "support.h"

#include "server/h2_peer.h"
#include "server/session.h"

static struct h2_place place;
static struct h2_peer peer;

static int open_place(void **state) {
    h2_place_init(&place);
    return 0;
}

static void begin(int room) {
    h2_place_open(&place);
    h2_peer_connect(&peer, &place, room);
    h2_peer_hello(&peer);
    h2_peer_settle(&peer);
}

static int close_place(void **state) {
    h2_peer_close(&peer);
    h2_place_close(&place);
    return 0;
}

static bool got(const char *text) {
    return peer.data.len && memmem(peer.data.at, peer.data.len, text, strlen(text));
}

static unsigned long long limit_hits(enum limit limit) {
    return atomic_load(&place.worker->counters.limit_hits[limit]);
}

static void test_answers(void **state) {
    begin(0);
    h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", "/healthz", NULL, NULL);
    h2_peer_settle(&peer);
    assert_true(got("ok\n"));
    assert_int_equal(peer.ends, 1);
}

// There is nothing to send first, and nothing to wait for: it is over as soon as it joins.
static void test_ends_as_it_begins(void **state) {
    begin(0);
    h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", "/events/a?wait=0", "accept",
                    "application/x-ndjson");
    h2_peer_settle(&peer);
    assert_int_equal(peer.seen[NGHTTP2_HEADERS], 1);
    assert_int_equal(peer.ends, 1);
    assert_int_equal(peer.data.len, 0);
}

// What ends of itself is whole, so it must not end with a reset: not for want of a window…
static void test_ends_without_a_window(void **state) {
    begin(0);
    h2_place_publish(&place, 100);
    h2_place_turn(&place);
    // {"id":"…","topic":"a","data":"…"} and a line end, to the byte: measured on the first stream.
    h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", "/events/a?last=1&limit=1", "accept",
                    "application/x-ndjson");
    h2_peer_settle(&peer);
    size_t line = peer.data.len;
    assert_true(line > 100);
    h2_peer_setting(&peer, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)line);
    h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", "/events/a?last=1&limit=1", "accept",
                    "application/x-ndjson");
    h2_peer_settle(&peer);
    assert_int_equal(peer.data.len, 2 * line);
    assert_int_equal(peer.seen[NGHTTP2_RST_STREAM], 0);
    h2_peer_number(&peer, NGHTTP2_WINDOW_UPDATE, peer.newest, 1);
    h2_peer_settle(&peer);
    assert_int_equal(peer.ends, 2);
    assert_int_equal(peer.seen[NGHTTP2_RST_STREAM], 0);
}

// …nor because the socket has not taken all yet: the last frame is of the size that is handed to it
// at once.
static void test_ends_behind_a_full_socket(void **state) {
    static const char path[] = "/events/a?last=1&limit=1";
    begin(2048);
    h2_place_publish(&place, 100);
    h2_place_turn(&place);
    h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", path, "accept", "application/x-ndjson");
    h2_peer_settle(&peer);
    h2_place_publish(&place, 100 + 16384 - peer.data.len);
    h2_place_turn(&place);
    buf_clear(&peer.data);
    h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", path, "accept", "application/x-ndjson");
    for (int i = 0; i < 4; i++) {
        h2_place_turn(&place);
    }
    h2_peer_settle(&peer);
    assert_int_equal(peer.data.len, 16384);
    assert_int_equal(peer.ends, 2);
    assert_int_equal(peer.seen[NGHTTP2_RST_STREAM], 0);
}

// The socket may become free between two turns, while others on the connection have something to say.
static void test_wakes_who_was_stalled(void **state) {
    begin(4096);
    h2_peer_setting(&peer, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20);
    h2_peer_number(&peer, NGHTTP2_WINDOW_UPDATE, 0, 1 << 20);
    for (int i = 0; i < 4; i++) {
        h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", "/events/a", NULL, NULL);
    }
    h2_peer_settle(&peer);
    size_t before = peer.data.len;
    h2_place_publish(&place, 12000);
    for (int i = 0; i < 4; i++) {
        h2_place_turn(&place);
    }
    // As if the turn that looked for news of the socket had just missed this.
    h2_peer_read(&peer, SIZE_MAX);
    h2_touch(container_of(place.worker->sessions.next, struct session_h1, link)->h2);
    session_flush_all(place.worker);
    h2_peer_settle(&peer);
    assert_true(peer.data.len - before > 48000);
}

// Bodies on their way when their streams are reset are no mistake of the peer's.
static void test_forgives_bodies_on_their_way(void **state) {
    char body[256];
    memset(body, 'x', sizeof(body));
    begin(0);
    for (int i = 0; i < 60; i++) {
        h2_peer_request(&peer, 0, "POST", "/events/a", "content-length", "100000");
    }
    h2_peer_settle(&peer); // 413, and a reset
    assert_int_equal(peer.seen[NGHTTP2_RST_STREAM], 60);
    for (int32_t id = 1; id <= peer.newest; id += 2) {
        h2_peer_frame(&peer, NGHTTP2_DATA, 0, id, bytes_make(body, sizeof(body)));
    }
    h2_peer_settle(&peer);
    assert_int_equal(peer.goaway, 0);
    h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", "/healthz", NULL, NULL);
    h2_peer_settle(&peer);
    assert_true(got("ok\n"));
}

// However much of it comes at once.
static void test_resets_a_stream_once(void **state) {
    char body[1000];
    memset(body, 'x', sizeof(body));
    begin(0);
    h2_peer_request(&peer, 0, "GET", "/events/a", NULL, NULL);
    h2_peer_settle(&peer);
    for (int i = 0; i < 60; i++) {
        h2_peer_frame(&peer, NGHTTP2_DATA, 0, 1, bytes_make(body, sizeof(body)));
    }
    h2_peer_settle(&peer);
    assert_int_equal(peer.seen[NGHTTP2_RST_STREAM], 0);
    struct buf many;
    buf_init(&many, &mem_libc, 0);
    for (int i = 0; i < 500; i++) {
        static const char frame[] = "\0\0\x64\0\0\0\0\0\1";
        assert_int_equal(buf_append(&many, frame, 9), 0);
        assert_int_equal(buf_append(&many, body, 100), 0);
    }
    h2_peer_send(&peer, buf_bytes(&many));
    buf_finish(&many);
    h2_peer_settle(&peer);
    assert_int_equal(peer.seen[NGHTTP2_RST_STREAM], 1);
    assert_int_equal(peer.goaway, 0);
}

// Its streams are over, and it reads nothing of that: the connection does not stay for ever.
static void test_gives_up_who_reads_nothing(void **state) {
    place.settings.max_age_ms = 5000;
    begin(4096);
    h2_peer_setting(&peer, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20);
    h2_peer_number(&peer, NGHTTP2_WINDOW_UPDATE, 0, 1 << 20);
    for (int i = 0; i < 4; i++) {
        h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", "/events/a", NULL, NULL);
    }
    h2_peer_settle(&peer);
    h2_place_publish(&place, 15000);
    h2_place_publish(&place, 15000);
    for (int i = 0; i < 20; i++) {
        h2_peer_request(&peer, NGHTTP2_FLAG_END_STREAM, "GET", "/metrics", NULL, NULL);
        h2_place_turn(&place);
    }
    for (int i = 0; i < 10 && place.worker->net.open; i++) {
        h2_place_later(&place, 20000);
    }
    assert_int_equal(place.worker->net.open, 0);
}

static void test_bounds_events_under_way(void **state) {
    char piece[4000];
    memset(piece, 'x', sizeof(piece));
    begin(0);
    for (int i = 0; i < 20; i++) {
        int32_t id =
            h2_peer_request(&peer, 0, "POST", "/events/a", "content-type", "text/event-stream");
        h2_peer_frame(&peer, NGHTTP2_DATA, 0, id, bytes_of("data: "));
        for (int n = 0; n < 3; n++) {
            h2_peer_frame(&peer, NGHTTP2_DATA, 0, id, bytes_make(piece, sizeof(piece)));
        }
        h2_peer_settle(&peer);
    }
    assert_true(limit_hits(LIMIT_BODY) > 0);
    // What has been published weighs nothing any more.
    h2_peer_frame(&peer, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, bytes_of("\n\n"));
    h2_peer_settle(&peer);
    assert_true(got("\"published\":1"));
}

static void test_does_not_weigh_what_is_published(void **state) {
    char event[4000];
    memset(event, 'x', sizeof(event));
    memcpy(event, "data: ", 6);
    memcpy(event + sizeof(event) - 2, "\n\n", 2);
    begin(0);
    for (int i = 0; i < 2; i++) {
        h2_peer_request(&peer, 0, "POST", "/events/a", "content-type", "text/event-stream");
    }
    for (int i = 0; i < 40; i++) {
        h2_peer_frame(&peer, NGHTTP2_DATA, 0, 1 + 2 * (i % 2), bytes_make(event, sizeof(event)));
        h2_peer_settle(&peer);
    }
    assert_int_equal(limit_hits(LIMIT_BODY), 0);
    assert_int_equal(peer.seen[NGHTTP2_HEADERS], 0);
}

#define SESSION_TEST(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_answers),
        SESSION_TEST(test_ends_as_it_begins),
        SESSION_TEST(test_ends_without_a_window),
        SESSION_TEST(test_ends_behind_a_full_socket),
        SESSION_TEST(test_wakes_who_was_stalled),
        SESSION_TEST(test_forgives_bodies_on_their_way),
        SESSION_TEST(test_resets_a_stream_once),
        SESSION_TEST(test_gives_up_who_reads_nothing),
        SESSION_TEST(test_bounds_events_under_way),
        SESSION_TEST(test_does_not_weigh_what_is_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
