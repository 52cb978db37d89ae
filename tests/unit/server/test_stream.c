// The clock of a stream: heartbeats in silence and only then, its age, and how it ends.
#include "server/fake.h"

#include <stdlib.h>

enum { HEARTBEAT = 15000, RETRY = 3000 };

static struct fake_server fake;
static struct fake_exchange x;
static struct fake_stream *s;

static void open_with(int64_t heartbeat, int64_t max_age) {
    fake_server_init(&fake);
    fake.settings.heartbeat_ms = heartbeat;
    fake.settings.max_age_ms = max_age;
    fake_server_open(&fake);
}

static void listen_at(const char *target) {
    fake_listen(&x, &fake, target);
    s = x.stream;
}

static int teardown(void **state) {
    fake_exchange_finish(&x);
    fake_server_finish(&fake);
    return 0;
}

static int64_t now(void) {
    return worker_now(fake.worker);
}

static void publish(size_t len) {
    static char data[70000];
    struct fake_exchange post;
    memset(data, 'x', sizeof(data));
    fake_ask(&post, &fake, "POST", "/events/a", "", bytes_make(data, len), len);
    assert_int_equal(post.status, 200);
    fake_exchange_finish(&post);
}

// Time passes; the deadline is kept as a session would.
static void pass(int64_t ms) {
    fake_later(&fake, ms);
    if (!s->ended && s->deadline && s->deadline <= now()) {
        s->deadline = 0;
        stream_tick(&s->stream);
    }
    fake_turn(&fake);
}

static void test_preamble(void **state) {
    open_with(HEARTBEAT, 0);
    fake_get(&x, &fake, "/events/a", "");
    fake_assert_heard(&x, "HEAD|:\nretry: 3000\n");
    assert_true(x.stream->stream.opened > 0);
    assert_int_equal(atomic_load(&fake.worker->counters.opened), 1);
}

static void test_heartbeat_in_silence(void **state) {
    open_with(HEARTBEAT, 0);
    listen_at("/events/a");
    assert_int_equal(s->deadline, now() + HEARTBEAT);
    for (int i = 0; i < 3; i++) {
        pass(HEARTBEAT - 1);
        fake_assert_heard(&x, "");
        pass(1);
        fake_assert_heard(&x, ":\n");
        assert_int_equal(s->deadline, now() + HEARTBEAT);
    }
}

static void test_an_event_puts_the_heartbeat_off(void **state) {
    open_with(HEARTBEAT, 0);
    listen_at("/events/a");
    pass(10000);
    publish(1);
    fake_assert_heard(&x, "id: #\ndata: x\n\n");
    pass(5000);
    fake_assert_heard(&x, "");
    assert_int_equal(s->deadline, now() + 10000); // 15 s after the event
    pass(9999);
    fake_assert_heard(&x, "");
    pass(1);
    fake_assert_heard(&x, ":\n");
}

static void test_no_heartbeat_at_all(void **state) {
    open_with(0, 0);
    listen_at("/events/a");
    assert_int_equal(s->deadline, 0);
    stream_tick(&s->stream);
    assert_int_equal(s->deadline, 0);
    fake_assert_heard(&x, "");
}

// A comment inside a half-sent event would become part of it.
static void test_no_heartbeat_inside_an_event(void **state) {
    open_with(HEARTBEAT, 0);
    listen_at("/events/a");
    s->room = 10;
    publish(100);
    fake_turn(&fake);
    assert_int_equal(s->got.len, 10);
    for (int i = 0; i < 3; i++) {
        pass(HEARTBEAT);
        assert_int_equal(s->got.len, 10);
        assert_true(s->deadline > now()); // it does not spin
    }
    s->room = SIZE_MAX;
    hub_writable(&s->stream.subscriber);
    fake_turn(&fake);
    assert_null(memmem(s->got.at, s->got.len, "\n:", 2));
    assert_memory_equal(s->got.at + s->got.len - 4, "xx\n\n", 4);
    buf_clear(&s->got);
    pass(HEARTBEAT);
    fake_assert_heard(&x, ":\n");
}

static void test_ndjson_heartbeat(void **state) {
    open_with(HEARTBEAT, 0);
    fake_get(&x, &fake, "/events/a", "Accept: application/x-ndjson\r\n");
    s = x.stream;
    fake_assert_heard(&x, "HEAD|");
    pass(HEARTBEAT);
    fake_assert_heard(&x, "\n"); // an empty line, which says nothing
}

// --- age ---

static void assert_retry(const char *last) {
    char *end;
    assert_memory_equal(last, "retry: ", 7);
    long ms = strtol(last + 7, &end, 10);
    assert_string_equal(end, "\n");
    assert_in_range(ms, RETRY, 2 * RETRY);
}

static void test_max_age(void **state) {
    open_with(HEARTBEAT, 60000);
    listen_at("/events/a");
    int64_t closes = s->stream.closes_at;
    while (now() + HEARTBEAT < closes) {
        pass(HEARTBEAT);
        fake_assert_heard(&x, ":\n");
        assert_false(s->ended);
    }
    assert_int_equal(s->deadline, closes);
    pass(closes - now() - 1);
    assert_false(s->ended);
    pass(1);
    assert_true(s->ended);
    assert_retry(s->last);
    assert_int_equal(fake.worker->hub.subscribers, 0);
}

// Events do not make a stream younger.
static void test_max_age_of_a_busy_stream(void **state) {
    open_with(HEARTBEAT, 60000);
    listen_at("/events/a");
    int64_t closes = s->stream.closes_at;
    while (!s->ended) {
        assert_true(now() <= closes);
        publish(1);
        pass(1000);
    }
    assert_true(now() >= closes);
}

static void test_jitter_stays_within_its_bounds(void **state) {
    int64_t low = INT64_MAX, high = 0, least = INT64_MAX, most = 0;
    open_with(HEARTBEAT, 100000);
    for (int i = 0; i < 500; i++) {
        listen_at("/events/a");
        int64_t age = s->stream.closes_at - now();
        low = age < low ? age : low;
        high = age > high ? age : high;
        stream_end(&s->stream);
        assert_retry(s->last);
        long retry = strtol(s->last + 7, NULL, 10);
        least = retry < least ? retry : least;
        most = retry > most ? retry : most;
        fake_exchange_finish(&x);
    }
    x = (struct fake_exchange){0};
    buf_init(&x.headers, &mem_libc, 0);
    buf_init(&x.body, &mem_libc, 0);
    // A tenth of the age; and with 500 of them, most of that tenth.
    assert_in_range(low, 90000, 91000);
    assert_in_range(high, 99000, 100000);
    assert_in_range(least, RETRY, RETRY + 300);
    assert_in_range(most, 2 * RETRY - 300, 2 * RETRY);
}

// --- the end ---

static void test_end_between_events(void **state) {
    open_with(HEARTBEAT, 0);
    listen_at("/events/a");
    publish(5);
    fake_turn(&fake);
    stream_end(&s->stream);
    assert_true(s->ended);
    assert_retry(s->last);
    assert_int_equal(s->stream.subscriber.state, SUBSCRIBER_OUT);
}

static void test_end_inside_an_event(void **state) {
    open_with(HEARTBEAT, 0);
    listen_at("/events/a");
    s->room = 10;
    publish(100);
    fake_turn(&fake);
    stream_end(&s->stream);
    assert_true(s->ended);
    assert_string_equal(s->last, "");
    assert_int_equal(atomic_load(&fake.server.pinned), 0);
}

// The head has not left yet: nothing may come before it.
static void test_end_before_the_head(void **state) {
    open_with(HEARTBEAT, 0);
    fake_get(&x, &fake, "/events/a", "");
    stream_end(&x.stream->stream);
    assert_string_equal(x.stream->last, "");
    fake_assert_heard(&x, "");
}

static void test_end_of_ndjson(void **state) {
    open_with(HEARTBEAT, 0);
    fake_get(&x, &fake, "/events/a", "Accept: application/x-ndjson\r\n");
    fake_turn(&fake);
    stream_end(&x.stream->stream);
    assert_true(x.stream->ended);
    assert_string_equal(x.stream->last, "");
}

static void test_end_within(void **state) {
    int64_t low = INT64_MAX, high = 0;
    open_with(HEARTBEAT, 0);
    listen_at("/events/a");
    for (int i = 0; i < 500; i++) {
        stream_end_within(&s->stream, 5000);
        int64_t in = s->deadline - now();
        low = in < low ? in : low;
        high = in > high ? in : high;
    }
    assert_in_range(low, 0, 250);
    assert_in_range(high, 4750, 5000);
    pass(s->deadline - now());
    assert_true(s->ended);
    assert_retry(s->last);
}

static void test_end_within_no_time(void **state) {
    open_with(0, 0);
    listen_at("/events/a");
    stream_end_within(&s->stream, 0);
    assert_int_equal(s->deadline, now());
    pass(0);
    assert_true(s->ended);
}

// Draining keeps its time although a heartbeat is due before.
static void test_end_within_outlasts_a_heartbeat(void **state) {
    open_with(1000, 0);
    listen_at("/events/a");
    do {
        stream_end_within(&s->stream, 10000);
    } while (s->deadline < now() + 3000);
    int64_t closes = s->deadline;
    stream_tick(&s->stream);
    assert_false(s->ended);
    while (!s->ended) {
        assert_true(s->deadline <= closes);
        pass(s->deadline - now());
    }
    assert_int_equal(now(), closes);
}

// The budget for half-sent events is spent: the stream that would need more is ended at once.
static void test_unaffordable(void **state) {
    fake_server_init(&fake);
    fake.settings.pinned_bytes = 1000;
    fake_server_open(&fake);
    listen_at("/events/a");
    s->room = 10;
    publish(2000);
    fake_turn(&fake);
    assert_true(s->ended);
    assert_string_equal(s->last, "");
    assert_int_equal(fake_limit_hits(&fake, LIMIT_PINNED), 1);
    assert_int_equal(atomic_load(&fake.server.pinned), 0);
}

static void test_gone(void **state) {
    open_with(HEARTBEAT, 0);
    listen_at("/events/a");
    s->gone = true;
    publish(1);
    fake_turn(&fake);
    assert_int_equal(fake.worker->hub.subscribers, 0);
    stream_tick(&s->stream); // harmless
    fake_turn(&fake);
    assert_int_equal(s->got.len, 0);
}

static void test_numbers_are_unique(void **state) {
    struct fake_exchange other;
    open_with(HEARTBEAT, 0);
    listen_at("/events/a");
    fake_get(&other, &fake, "/events/a", "");
    assert_true(other.stream->stream.number > s->stream.number);
    assert_ptr_equal(fake.worker->streams.next, &s->stream.link); // oldest first
    fake_exchange_finish(&other);
    assert_int_equal(atomic_load(&fake.worker->counters.ended), 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_preamble),
        TEST(test_heartbeat_in_silence),
        TEST(test_an_event_puts_the_heartbeat_off),
        TEST(test_no_heartbeat_at_all),
        TEST(test_no_heartbeat_inside_an_event),
        TEST(test_ndjson_heartbeat),
        TEST(test_max_age),
        TEST(test_max_age_of_a_busy_stream),
        TEST(test_jitter_stays_within_its_bounds),
        TEST(test_end_between_events),
        TEST(test_end_inside_an_event),
        TEST(test_end_before_the_head),
        TEST(test_end_of_ndjson),
        TEST(test_end_within),
        TEST(test_end_within_no_time),
        TEST(test_end_within_outlasts_a_heartbeat),
        TEST(test_unaffordable),
        TEST(test_gone),
        TEST(test_numbers_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
