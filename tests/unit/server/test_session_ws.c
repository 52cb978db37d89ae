// A WebSocket session on a stream without a socket: what it says to what it hears, where that comes
// between events, what it keeps, and how it ends.
#include "server/fake.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/websocket_frames.h"
#include "hub/encoding.h"
#include "server/session_ws.h"

enum { TIMEOUT = 30000, FIN_TEXT = 0x81, FIN_CLOSE = 0x88, FIN_PING = 0x89 };

static struct fake_server fake;
static struct fake_exchange x;
static struct fake_stream *s;

static void open_at(const char *target) {
    fake_server_init(&fake);
    fake.settings.body_timeout_ms = TIMEOUT;
    fake.settings.heartbeat_ms = 0;
    fake.settings.max_body = 1000;
    fake_server_open(&fake);
    fake_get(&x, &fake, target,
             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    assert_int_equal(x.status, 101);
    s = x.stream;
    fake_turn(&fake);
    buf_clear(&s->got);
}

static int teardown(void **state) {
    fake_exchange_finish(&x);
    fake_server_finish(&fake);
    return 0;
}

// In pieces of `step` bytes.
static void hear(unsigned char first, const char *payload, size_t step) {
    struct buf in;
    buf_init(&in, &mem_libc, 0);
    frames_add(&in, first, bytes_of(payload));
    for (size_t at = 0; at < in.len; at += step) {
        size_t n = in.len - at < step ? in.len - at : step;
        s->stream.talk->ops->input(&s->stream, bytes_make(in.at + at, n));
    }
    buf_finish(&in);
}

static void assert_said(enum ws_opcode opcode, const char *payload, size_t len) {
    struct buf want;
    buf_init(&want, &mem_libc, 0);
    assert_int_equal(encoding_append_ws(&want, opcode, bytes_make(payload, len)), 0);
    assert_true(s->got.len >= want.len);
    assert_memory_equal(s->got.at, want.at, want.len);
    buf_consume(&s->got, want.len);
    buf_finish(&want);
}

static void assert_closed(int code) {
    fake_turn(&fake);
    assert_true(s->got.len >= 4);
    assert_int_equal((unsigned char)s->got.at[0], FIN_CLOSE);
    assert_int_equal((unsigned char)s->got.at[2] << 8 | (unsigned char)s->got.at[3], code);
    assert_true(s->ended); // behind it
}

static void test_says_nothing_within_a_call(void **state) {
    open_at("/events/a");
    for (size_t step = 1; step < 20; step += 6) {
        hear(FIN_PING, "hello", step);
        assert_int_equal(s->got.len, 0);
        fake_turn(&fake);
        assert_said(WS_PONG, "hello", 5);
        assert_int_equal(s->got.len, 0);
    }
}

static void test_answers(void **state) {
    static const char problem[] = "{\"ref\":7,\"error\":{\"type\":\"about:blank\","
                                  "\"title\":\"Bad Request\",\"status\":400,";
    open_at("/events/b");
    hear(FIN_TEXT, "{\"ref\":\"x\",\"publish\":[{\"topic\":\"a\",\"data\":1},{}]}", 1);
    fake_turn(&fake);
    static const char start[] = "{\"ref\":\"x\",\"published\":[{\"id\":\"";
    assert_non_null(memmem(s->got.at, s->got.len, start, strlen(start)));
    assert_int_equal(atomic_load(&fake.worker->counters.published), 1);
    buf_clear(&s->got);
    hear(FIN_TEXT, "{\"ref\":7,\"publish\":{\"topic\":\"*\",\"data\":1}}", SIZE_MAX);
    fake_turn(&fake);
    assert_non_null(memmem(s->got.at, s->got.len, problem, strlen(problem)));
}

// The session of a listener that takes `room` bytes of an event.
static void publish(size_t room) {
    struct fake_exchange post;
    s->room = room;
    fake_ask(&post, &fake, "POST", "/events/a", "", bytes_of("data"), 4);
    assert_int_equal(post.status, 200);
    fake_exchange_finish(&post);
    fake_turn(&fake);
}

static void test_between_events(void **state) {
    open_at("/events/a");
    publish(10);
    publish(0);
    assert_int_equal(s->got.len, 10);
    hear(FIN_PING, "x", SIZE_MAX);
    fake_turn(&fake);
    assert_int_equal(s->got.len, 10);
    s->room = SIZE_MAX;
    hub_writable(&s->stream.subscriber);
    fake_turn(&fake);
    size_t event = 2 + (size_t)s->got.at[1]; // both events are as long
    buf_consume(&s->got, event);
    assert_said(WS_PONG, "x", 1);
    assert_int_equal(s->got.len, event);
}

static void test_unread_is_limited(void **state) {
    open_at("/events/a");
    s->room = 0;
    for (int i = 0; i < 3000; i++) {
        hear(FIN_PING,
             "a hundred bytes or so, which nobody reads, and which are sent again and again "
             "without end.....",
             SIZE_MAX);
        assert_true(s->stream.talk->held <= WS_UNREAD_MAX + 200);
    }
    assert_int_equal(fake_limit_hits(&fake, LIMIT_WEBSOCKET), 1);
    s->room = SIZE_MAX;
    hub_writable(&s->stream.subscriber);
    fake_turn(&fake);
    assert_true(s->ended);
}

// What the hub holds of it counts: what was asked for is not read either.
static void test_unread_in_the_hub_counts(void **state) {
    size_t said = 0;
    open_at("/events/a");
    s->room = 0;
    while (fake_limit_hits(&fake, LIMIT_WEBSOCKET) == 0) {
        hear(FIN_PING, "0123456789 0123456789 0123456789 0123456789 0123456789", SIZE_MAX);
        said += 56;
        if (said / 56 == 4000) {
            fake_turn(&fake);
        }
        assert_true(said <= WS_UNREAD_MAX + 200);
    }
}

static void test_closes_in_kind(void **state) {
    open_at("/events/a");
    hear(FIN_CLOSE, "\x0f\xa0 bye", SIZE_MAX);
    hear(FIN_PING, "late", SIZE_MAX);
    assert_closed(4000);
    assert_int_equal(s->got.len, 4);
}

static void test_closes_what_breaks_rules(void **state) {
    open_at("/events/a");
    hear(0xc1, "x", SIZE_MAX);
    assert_closed(1002);
}

static void test_closes_what_is_late(void **state) {
    open_at("/events/a");
    hear(0x01, "half", SIZE_MAX);
    fake_later(&fake, TIMEOUT - 1);
    stream_tick(&s->stream);
    fake_turn(&fake);
    assert_int_equal(s->got.len, 0);
    fake_later(&fake, 1);
    stream_tick(&s->stream);
    assert_closed(1008);
}

static void test_closes_with_the_server(void **state) {
    open_at("/events/a");
    atomic_store(&fake.server.draining, true);
    stream_end(&s->stream);
    assert_false(s->ended);
    assert_closed(1012);
    atomic_store(&fake.server.draining, false);
}

// A client that does not read the close has two seconds.
static void test_does_not_wait_for_ever(void **state) {
    open_at("/events/a");
    s->room = 0;
    stream_end(&s->stream);
    fake_turn(&fake);
    assert_false(s->ended);
    fake_later(&fake, 2000);
    stream_tick(&s->stream);
    assert_true(s->ended);
}

static void test_ends_with_its_input(void **state) {
    open_at("/events/a");
    s->stream.talk->ops->input_ended(&s->stream);
    assert_false(s->ended); // not within the call
    stream_tick(&s->stream);
    assert_true(s->ended);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_says_nothing_within_a_call),
        TEST(test_answers),
        TEST(test_between_events),
        TEST(test_unread_is_limited),
        TEST(test_unread_in_the_hub_counts),
        TEST(test_closes_in_kind),
        TEST(test_closes_what_breaks_rules),
        TEST(test_closes_what_is_late),
        TEST(test_closes_with_the_server),
        TEST(test_does_not_wait_for_ever),
        TEST(test_ends_with_its_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
