// An event stream as a body: each event leaves as it comes; what another freshet said to its
// listener is not passed on as if it were said here.
#include "server/fake.h"

#include <stdio.h>

static struct fake_server fake;
static struct fake_exchange x, listener;
static const char is_stream[] = "Content-Type: text/event-stream; charset=utf-8\r\n";

static void open_with(uint64_t max_body) {
    fake_server_init(&fake);
    fake.settings.max_body = max_body;
    fake_server_open(&fake);
    fake_listen(&listener, &fake, "/events/a");
}

static int setup(void **state) {
    open_with(200);
    return 0;
}

static int teardown(void **state) {
    fake_exchange_finish(&listener);
    fake_server_finish(&fake);
    return 0;
}

// Whatever the pieces, the same comes of it.
static void assert_relayed(const char *body, const char *answer, const char *heard) {
    static const size_t steps[] = {1, 2, 7, 10000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        fake_ask(&x, &fake, "POST", "/events/a", is_stream, bytes_of(body), steps[i]);
        fake_assert_answer(&x, 200, answer);
        fake_exchange_finish(&x);
        fake_assert_heard(&listener, heard);
    }
}

static void assert_refused(const char *body, int status, const char *part, const char *heard) {
    fake_ask(&x, &fake, "POST", "/events/a", is_stream, bytes_of(body), 5);
    fake_assert_problem(&x, status, part);
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, heard);
}

static void test_events(void **state) {
    assert_relayed("", "{\"published\":0,\"id\":null}", "");
    assert_relayed(":\n: comment\nretry: 5\n\n", "{\"published\":0,\"id\":null}", "");
    assert_relayed("data: one\n\ndata: two\n\n", "{\"published\":2,\"id\":\"#\"}",
                   "id: #\ndata: one\n\nid: #\ndata: two\n\n");
    assert_relayed("event: e\rretry: 7\rid: x\rdata: 1\rdata\rdata:2\r\r",
                   "{\"published\":1,\"id\":\"x\"}",
                   "id: x\nevent: e\nretry: 7\ndata: 1\ndata:\ndata: 2\n\n");
    // What is not ended by an empty line is discarded, as the standard has it.
    assert_relayed("data: one\n\ndata: cut", "{\"published\":1,\"id\":\"#\"}",
                   "id: #\ndata: one\n\n");
    assert_relayed("data: \xff\n\n", "{\"published\":1,\"id\":\"#\"}",
                   "id: #\ndata: \xef\xbf\xbd\n\n");
}

// An event has left before the next one comes.
static void test_published_as_it_arrives(void **state) {
    fake_begin(&x, &fake, "POST", "/events/a", is_stream);
    assert_true(x.exchange.handler->endless_body);
    fake_body(&x, bytes_of("data: one\n"));
    fake_assert_heard(&listener, "");
    fake_body(&x, bytes_of("\ndata: t"));
    fake_assert_heard(&listener, "id: #\ndata: one\n\n");
    fake_body(&x, bytes_of("wo\n\n"));
    fake_assert_heard(&listener, "id: #\ndata: two\n\n");
    assert_int_equal(x.replies, 0);
    fake_exchange_finish(&x); // dies in mid-stream: what was said is said
    fake_assert_heard(&listener, "");
}

// More events in one piece than one group.
static void test_many_at_once(void **state) {
    enum { MANY = 500 };
    struct buf body, heard;
    buf_init(&body, &mem_libc, 0);
    buf_init(&heard, &mem_libc, 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(buf_printf(&body, "data:%d\n\n", i), 0);
        assert_int_equal(buf_printf(&heard, "id: #\ndata: %d\n\n", i), 0);
    }
    assert_int_equal(buf_append(&body, "", 1), 0);
    assert_int_equal(buf_append(&heard, "", 1), 0);
    assert_relayed(body.at, "{\"published\":500,\"id\":\"#\"}", heard.at);
    buf_finish(&body);
    buf_finish(&heard);
}

// An id is sticky in the format, but not in what was said: only the event that brought it has it.
static void test_sticky_ids_are_not_repeated(void **state) {
    assert_relayed("id: x\ndata: 1\n\ndata: 2\n\nid: x\ndata: 3\n\n",
                   "{\"published\":3,\"id\":\"x\"}",
                   "id: x\ndata: 1\n\nid: #\ndata: 2\n\nid: x\ndata: 3\n\n");
    assert_relayed("id: x\n\ndata: 1\n\n", "{\"published\":1,\"id\":\"#\"}", "id: #\ndata: 1\n\n");
    assert_relayed("id: x\nid\ndata: 1\n\n", "{\"published\":1,\"id\":\"#\"}",
                   "id: #\ndata: 1\n\n");
}

static void test_ids_that_look_like_ours_are_replaced(void **state) {
    fake_ask(&x, &fake, "POST", "/events/a", is_stream,
             bytes_of("id: 5-1\ndata: 1\n\nid: 99999999999999-0\ndata: 2\n\nid: 5-1x\ndata: 3\n\n"),
             9);
    fake_assert_answer(&x, 200, "{\"published\":3,\"id\":\"5-1x\"}");
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "id: #\ndata: 1\n\nid: #\ndata: 2\n\nid: 5-1x\ndata: 3\n\n");
}

static void test_control_events_are_dropped(void **state) {
    assert_relayed("event: freshet.gap\ndata: {}\n\nevent: freshet.\ndata: x\n\n"
                   "event: freshet\ndata: 1\n\nevent: Freshet.x\ndata: 2\n\n",
                   "{\"published\":2,\"id\":\"#\"}",
                   "id: #\nevent: freshet\ndata: 1\n\nid: #\nevent: Freshet.x\ndata: 2\n\n");
}

// What this server itself sends can be piped into it.
static void test_relay_of_our_own_stream(void **state) {
    struct fake_exchange source;
    fake_get(&source, &fake, "/events/other?control=1&last_event_id=nonsense", "");
    fake_ask(&x, &fake, "POST", "/events/other?event=tick", "", bytes_of("hi\nthere"), 99);
    fake_exchange_finish(&x);
    fake_turn(&fake);
    hub_heartbeat(&source.stream->stream.subscriber);
    fake_turn(&fake);
    struct bytes sent = buf_bytes(&source.stream->got);
    assert_non_null(memmem(sent.at, sent.len, "freshet.gap", 11));
    assert_non_null(memmem(sent.at, sent.len, "freshet.caught-up", 17));
    sent.at += strlen("HEAD|");
    sent.len -= strlen("HEAD|");
    fake_ask(&x, &fake, "POST", "/events/a", is_stream, sent, 11);
    fake_assert_answer(&x, 200, "{\"published\":1,\"id\":\"#\"}");
    fake_exchange_finish(&x);
    fake_exchange_finish(&source);
    fake_assert_heard(&listener, "id: #\nevent: tick\ndata: hi\ndata: there\n\n");
}

// The limit is of one event, not of the stream.
static void test_too_large(void **state) {
    char body[600] = "data: 1\n\ndata: ";
    memset(body + strlen(body), 'x', 201);
    strcat(body, "\n\ndata: 3\n\n");
    assert_refused(body, 413, "larger than --max-body allows; 1 before it were published",
                   "id: #\ndata: 1\n\n");
    assert_int_equal(fake_limit_hits(&fake, LIMIT_BODY), 1);
    for (int i = 0; i < 20; i++) {
        assert_relayed("data: twenty times thirty bytes\n\n", "{\"published\":1,\"id\":\"#\"}",
                       "id: #\ndata: twenty times thirty bytes\n\n");
    }
    assert_int_equal(fake_limit_hits(&fake, LIMIT_BODY), 1);
}

static void test_refused_by_the_head(void **state) {
    fake_begin(&x, &fake, "POST", "/events/*", is_stream);
    fake_assert_problem(&x, 400, "not to patterns");
    fake_exchange_finish(&x);
    // A length says nothing here: the stream may be longer than any event in it.
    fake_begin(&x, &fake, "POST", "/events/a",
               "Content-Type: text/event-stream\r\nContent-Length: 100000\r\n");
    assert_int_equal(x.replies, 0);
    fake_exchange_finish(&x);
}

static void test_type_too_long(void **state) {
    char body[600] = "data: 1\n\nevent: ";
    memset(body + strlen(body), 'e', 257);
    strcat(body, "\ndata: 2\n\ndata: 3\n\n");
    teardown(state);
    open_with(1000);
    assert_refused(body, 400,
                   "an event's type has at most 256 bytes; 1 events before this one were published",
                   "id: #\ndata: 1\n\n");
}

// The least that --max-body allows is still a size of events, and a limit on nothing else.
static void test_the_smallest_limit(void **state) {
    teardown(state);
    open_with(1);
    assert_relayed("id: my-id\nevent: a-type\ndata: x\n\n", "{\"published\":1,\"id\":\"my-id\"}",
                   "id: my-id\nevent: a-type\ndata: x\n\n");
    assert_refused("data: xy\n\n", 413, "larger than --max-body allows", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_events),
        TEST(test_published_as_it_arrives),
        TEST(test_many_at_once),
        TEST(test_sticky_ids_are_not_repeated),
        TEST(test_ids_that_look_like_ours_are_replaced),
        TEST(test_control_events_are_dropped),
        TEST(test_relay_of_our_own_stream),
        TEST(test_too_large),
        TEST(test_refused_by_the_head),
        TEST(test_type_too_long),
        TEST(test_the_smallest_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
