// What a subscriber asks for, parameter by parameter, and what it is told when it asks for nonsense.
#include "server/fake.h"

#include <stdio.h>

#include "server/wish.h"

static struct fake_server fake;
static struct fake_exchange x;
static struct wish wish;

static int setup(void **state) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

static void done(void) {
    wish_finish(&wish);
    fake_exchange_finish(&x);
}

static void read_with(const char *target, const char *headers) {
    fake_prepare(&x, &fake, "GET", target, headers);
    if (!wish_read(&wish, &x.exchange, &x.req)) {
        fail_msg("%s was refused: %.*s", target, (int)x.body.len, x.body.at);
    }
    assert_int_equal(x.replies, 0);
}

static void read_wish(const char *target) {
    read_with(target, "");
}

static void assert_refused_with(const char *target, const char *headers, int status,
                                const char *part) {
    fake_prepare(&x, &fake, "GET", target, headers);
    assert_false(wish_read(&wish, &x.exchange, &x.req));
    fake_assert_problem(&x, status, part);
    done();
}

static void assert_refused(const char *target, const char *part) {
    assert_refused_with(target, "", 400, part);
}

// Names divided by spaces.
static void assert_names(const char *target, const char *names) {
    char got[512] = "";
    read_wish(target);
    for (size_t i = 0; i < wish.name_count; i++) {
        size_t len = strlen(got);
        snprintf(got + len, sizeof(got) - len, "%s%.*s", i ? " " : "", (int)wish.names[i].len,
                 wish.names[i].at);
    }
    assert_string_equal(got, names);
    done();
}

static void test_topics(void **state) {
    assert_names("/events/a", "a");
    assert_names("/events/a/b/c", "a/b/c");
    assert_names("/events/caf%C3%A9", "caf\xc3\xa9");
    assert_names("/events/a+b", "a+b"); // a plus is a plus in a path
    assert_names("/events/a%2Fb", "a/b");
    assert_names("/events//a/", "/a/");
    assert_names("/events/room/*", "room/*");
    assert_names("/events/**", "**");
    assert_names("/events?topic=a", "a");
    assert_names("/events?topic=a&topic=b%20c&topic=d+e", "a b c d e");
    assert_names("/events/a?topic=b", "a b");
    assert_names("/events?topic=a&topic=a", "a a"); // the selection makes them one
    assert_names("/events?x=1&topic=a&y&=&&", "a");
}

static void test_topics_refused(void **state) {
    char target[600] = "/events/";
    assert_refused("/events", "name a topic: /events/<topic>");
    assert_refused("/events?x=topic", "name a topic");
    assert_refused("/events/", "a topic needs a name");
    assert_refused("/events?topic=", "a topic needs a name");
    assert_refused("/events?topic", "a topic needs a name");
    assert_refused("/events/a%0Ab", "without control characters");
    assert_refused("/events/%7F", "without control characters");
    assert_refused("/events?topic=%FF", "is UTF-8");
    assert_refused("/events/%ED%A0%80", "is UTF-8");
    assert_refused("/events/**/a", "only be the last segment");
    assert_refused("/events/%", "bad percent escape; a % is written %25");
    assert_refused("/events/%0", "bad percent escape");
    assert_refused("/events/%00", "bad percent escape");
    assert_refused("/events/a?topic=%zz", "bad percent escape");
    assert_refused("/events/a?x=%00", "bad percent escape");
    memset(target + 8, 'a', 257);
    assert_refused(target, "longer than 256 bytes");
    target[8 + 256] = '\0';
    assert_names(target, target + 8);
}

static void test_too_many_topics(void **state) {
    struct buf target;
    buf_init(&target, &mem_libc, 0);
    assert_int_equal(buf_append_text(&target, "/events/0?"), 0);
    for (int i = 1; i < 10; i++) {
        assert_int_equal(buf_printf(&target, "topic=%d&", i), 0);
    }
    assert_int_equal(buf_append(&target, "\0", 1), 0);
    read_wish(target.at);
    assert_int_equal(wish.name_count, 10);
    done();
    target.len--;
    assert_int_equal(buf_append(&target, "topic=10", 9), 0);
    assert_refused(target.at, "more than 10 topics on one connection; use a pattern");
    assert_int_equal(fake_limit_hits(&fake, LIMIT_TOPICS), 1);
    buf_finish(&target);
}

static void test_types(void **state) {
    struct buf target;
    read_wish("/events/a?event=x&event=caf%C3%A9&topic=b");
    assert_int_equal(wish.type_count, 2);
    assert_true(bytes_is(wish.types[0], "x"));
    assert_true(bytes_is(wish.types[1], "caf\xc3\xa9"));
    done();
    assert_refused("/events/a?event=", "`event` takes a type");
    assert_refused("/events/a?event=x%0Ay", "an event's type is UTF-8 without CR");
    assert_refused("/events/a?event=%FF", "an event's type is UTF-8");
    assert_refused("/events/a?event=freshet.gap", "begin with `freshet.`");
    buf_init(&target, &mem_libc, 0);
    assert_int_equal(buf_append_text(&target, "/events/a?"), 0);
    for (int i = 0; i < WISH_TYPES_MAX; i++) {
        assert_int_equal(buf_printf(&target, "event=%d&", i), 0);
    }
    assert_int_equal(buf_append(&target, "\0", 1), 0);
    read_wish(target.at);
    assert_int_equal(wish.type_count, WISH_TYPES_MAX);
    done();
    target.len--;
    assert_int_equal(buf_append(&target, "event=x", 8), 0);
    assert_refused(target.at, "at most 32 types");
    buf_finish(&target);
}

static void test_representation(void **state) {
    read_wish("/events/a");
    assert_int_equal(wish.representation, HTTP_EVENT_STREAM);
    done();
    read_with("/events/a", "Accept: text/event-stream\r\n");
    assert_int_equal(wish.representation, HTTP_EVENT_STREAM);
    done();
    read_with("/events/a", "Accept: application/json\r\n");
    assert_int_equal(wish.representation, HTTP_JSON);
    done();
    read_with("/events/a", "Accept: application/x-ndjson, */*;q=0.1\r\n");
    assert_int_equal(wish.representation, HTTP_NDJSON);
    done();
    assert_refused_with("/events/a", "Accept: image/png\r\n", 406,
                        "text/event-stream, application/json or application/x-ndjson");
}

static void assert_start(const char *target, const char *headers, enum wish_start start,
                         const char *cursor) {
    read_with(target, headers);
    assert_int_equal(wish.start, start);
    if (cursor) {
        assert_true(bytes_is(wish.cursor, cursor));
    }
    done();
}

static void test_cursor(void **state) {
    assert_start("/events/a", "", WISH_NOW, "");
    assert_start("/events/a?last_event_id=5-1", "", WISH_AFTER, "5-1");
    assert_start("/events/a?last_event_id=my+id%2B", "", WISH_AFTER, "my id+");
    assert_start("/events/a?last_event_id=earliest", "", WISH_EARLIEST, NULL);
    assert_start("/events/a?last_event_id=Earliest", "", WISH_AFTER, "Earliest");
    // An EventSource that never saw an id sends none; a page may put an empty one into its URL.
    assert_start("/events/a?last_event_id=", "", WISH_NOW, "");
    assert_start("/events/a?last_event_id", "", WISH_NOW, "");
    assert_start("/events/a?last_event_id=1-1&last_event_id=2-2", "", WISH_AFTER, "2-2");
    assert_start("/events/a?last_event_id=5-1&topic=b", "", WISH_AFTER, "5-1");
}

static void test_header_beats_query(void **state) {
    assert_start("/events/a", "Last-Event-ID: 7-0\r\n", WISH_AFTER, "7-0");
    assert_start("/events/a?last_event_id=5-1", "last-event-id: 7-0\r\n", WISH_AFTER, "7-0");
    assert_start("/events/a?last_event_id=earliest", "Last-Event-ID: 7-0\r\n", WISH_AFTER, "7-0");
    assert_start("/events/a?last=5", "Last-Event-ID: 7-0\r\n", WISH_AFTER, "7-0");
    assert_start("/events/a?since=1", "Last-Event-ID: 7-0\r\n", WISH_AFTER, "7-0");
    assert_start("/events/a", "Last-Event-ID: earliest\r\n", WISH_EARLIEST, NULL);
    assert_start("/events/a", "Last-Event-ID: caf\xc3\xa9\r\n", WISH_AFTER, "caf\xc3\xa9");
    // An empty header says nothing, so the query stands.
    assert_start("/events/a?last_event_id=5-1", "Last-Event-ID:\r\n", WISH_AFTER, "5-1");
    assert_start("/events/a?last=5", "Last-Event-ID: \r\n", WISH_LAST, NULL);
}

static void test_since(void **state) {
    read_wish("/events/a?since=1700000000123");
    assert_int_equal(wish.start, WISH_SINCE);
    assert_int_equal(wish.since_ms, 1700000000123);
    done();
    read_wish("/events/a?since=2023-11-14T22:13:20Z");
    assert_int_equal(wish.since_ms, 1700000000000);
    done();
    read_wish("/events/a?since=2023-11-14T22:13:20%2B00:00");
    assert_int_equal(wish.since_ms, 1700000000000);
    done();
    assert_start("/events/a?last_event_id=5-1&since=1", "", WISH_AFTER, "5-1");
    assert_start("/events/a?since=1&last_event_id=5-1", "", WISH_AFTER, "5-1");
    assert_refused("/events/a?since=", "`since` takes a time as 2026-01-31T12:00:00Z or Unix");
    assert_refused("/events/a?since=yesterday", "`since` takes");
    assert_refused("/events/a?since=2023-02-30T00:00:00Z", "`since` takes");
}

static void test_last(void **state) {
    read_wish("/events/a?last=0");
    assert_int_equal(wish.start, WISH_LAST);
    assert_int_equal(wish.last, 0);
    done();
    read_wish("/events/a?last=1000000");
    assert_int_equal(wish.last, 1000000);
    done();
    assert_start("/events/a?last_event_id=5-1&last=3", "", WISH_AFTER, "5-1");
    assert_start("/events/a?last=3&last_event_id=5-1", "", WISH_AFTER, "5-1");
    assert_refused("/events/a?last=1000001", "`last` takes a number of events from 0 to 1000000");
    assert_refused("/events/a?last=-1", "`last` takes");
    assert_refused("/events/a?last=", "`last` takes");
    assert_refused("/events/a?last=1.5", "`last` takes");
}

static void assert_wait(const char *target, int64_t ms) {
    read_wish(target);
    assert_int_equal(wish.wait_ms, ms);
    done();
}

static void test_limit(void **state) {
    read_wish("/events/a?limit=7");
    assert_int_equal(wish.limit, 7);
    done();
    read_wish("/events/a?limit=1000000&wait=0");
    assert_int_equal(wish.limit, 1000000);
    assert_true(wish.at_once);
    done();
    static const char *const bad[] = {"0", "", "-1", "1e99", "1000001", "18446744073709551617",
                                      "a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char target[64];
        snprintf(target, sizeof(target), "/events/a?limit=%s", bad[i]);
        assert_refused(target, "`limit` takes a number of events from 1 to 1000000");
    }
}

static void test_wait(void **state) {
    assert_wait("/events/a", 0);
    assert_wait("/events/a?wait=0", 0);
    assert_wait("/events/a?wait=7", 7000);
    assert_wait("/events/a?wait=60", 60000);
    assert_wait("/events/a?wait=61", 60000); // --max-wait
    assert_wait("/events/a?wait=1000000", 60000);
    assert_wait("/events/a?wait=1000001", 60000);
    assert_refused("/events/a?wait=", "`wait` takes");
    assert_refused("/events/a?wait=5s", "`wait` takes");
}

static void test_control(void **state) {
    read_wish("/events/a");
    assert_false(wish.control);
    done();
    read_wish("/events/a?control=1");
    assert_true(wish.control);
    done();
    read_wish("/events/a?control=1&control=0");
    assert_false(wish.control);
    done();
    assert_refused("/events/a?control=", "`control` takes 1 or 0");
    assert_refused("/events/a?control=yes", "`control` takes 1 or 0");
    assert_refused("/events/a?control=11", "`control` takes 1 or 0");
}

// Parameters of others, and ours in another case, are left alone.
static void test_unknown_parameters(void **state) {
    read_wish("/events/a?_=1700&Last=x&lastEventId=1&Topic=b&wait_=x");
    assert_int_equal(wish.name_count, 1);
    assert_int_equal(wish.start, WISH_NOW);
    done();
}

// All slices lie in one buffer that must not move while they are made.
static void test_slices_stay_where_they_are(void **state) {
    char target[4096] = "/events/";
    memset(target + 8, 'p', 200);
    strcat(target, "?last_event_id=");
    memset(target + strlen(target), 'c', 250);
    for (int i = 0; i < 9; i++) {
        char one[300];
        snprintf(one, sizeof(one), "&topic=%%41%0*d", 250, i);
        strcat(target, one);
    }
    read_wish(target);
    assert_int_equal(wish.name_count, 10);
    assert_int_equal(wish.names[0].len, 200);
    assert_memory_equal(wish.names[0].at, target + 8, 200);
    assert_int_equal(wish.cursor.len, 250);
    assert_memory_equal(wish.cursor.at, strchr(target, '=') + 1, 250);
    for (int i = 1; i < 10; i++) {
        assert_int_equal(wish.names[i].len, 251);
        assert_int_equal(wish.names[i].at[0], 'A');
        assert_int_equal(wish.names[i].at[250], '0' + i - 1);
    }
    done();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_topics),
        TEST(test_topics_refused),
        TEST(test_too_many_topics),
        TEST(test_types),
        TEST(test_representation),
        TEST(test_cursor),
        TEST(test_header_beats_query),
        TEST(test_since),
        TEST(test_last),
        TEST(test_limit),
        TEST(test_wait),
        TEST(test_control),
        TEST(test_unknown_parameters),
        TEST(test_slices_stay_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
