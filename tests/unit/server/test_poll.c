// The long poll: answered at once, when something comes, or when its time is up.
#include "hub/gzip.h"
#include "server/fake.h"

#include <stdio.h>

static struct fake_server fake;
static struct fake_exchange x;

static int setup(void **state) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

static void publish(const char *target, const char *data) {
    struct fake_exchange post;
    fake_ask(&post, &fake, "POST", target, "", bytes_of(data), 100);
    assert_int_equal(post.status, 200);
    fake_exchange_finish(&post);
}

static void poll_for(const char *target) {
    fake_get(&x, &fake, target, "Accept: application/json\r\n");
    fake_turn(&fake);
}

static void assert_got(const char *body) {
    fake_assert_answer(&x, 200, body);
    assert_string_equal(fake_header(&x, "Content-Type"), "application/json");
    assert_non_null(fake_header(&x, "Cache-Control"));
    assert_string_equal(fake_header(&x, "Vary"), "Last-Event-ID");
    assert_int_equal(fake.worker->hub.subscribers, 0);
}

static void assert_waits(void) {
    assert_int_equal(x.replies, 0);
    assert_int_equal(fake.worker->hub.subscribers, 1);
}

#define ITEM(data) "{\"id\":\"#\",\"topic\":\"a\",\"event\":\"message\",\"data\":\"" data "\"}"

static void test_nothing_at_once(void **state) {
    char newest[ID_TEXT_MAX + 1] = "";
    id_format(bus_newest(fake.server.bus), newest);
    poll_for("/events/a");
    assert_got("[]");
    assert_string_equal(fake_header(&x, "Last-Event-ID"), newest);
    assert_int_equal(x.waits, 0);
    fake_exchange_finish(&x);
}

static void test_what_there_is(void **state) {
    publish("/events/a", "1");
    publish("/events/other", "no");
    publish("/events/a?event=e&id=mine", "2\n\"3\"");
    poll_for("/events/a?last_event_id=earliest");
    assert_got("[" ITEM("1") ",{\"id\":\"mine\",\"topic\":\"a\",\"event\":\"e\",\"data\":"
                             "\"2\\n\\\"3\\\"\"}]");
    fake_exchange_finish(&x);
    poll_for("/events/a?last=1&wait=30");
    assert_got("[{\"id\":\"mine\",\"topic\":\"a\",\"event\":\"e\",\"data\":\"2\\n\\\"3\\\"\"}]");
    fake_exchange_finish(&x);
    poll_for("/events/a");
    assert_got("[]"); // from now on, and there is nothing yet
    fake_exchange_finish(&x);
}

static void test_waits_for_the_first(void **state) {
    poll_for("/events/a?wait=5");
    assert_waits();
    assert_int_equal(x.wait_ms, 5000);
    publish("/events/other", "no");
    fake_turn(&fake);
    assert_waits();
    publish("/events/a", "1");
    publish("/events/a", "2");
    fake_turn(&fake);
    assert_got("[" ITEM("1") "," ITEM("2") "]");
    fake_exchange_finish(&x);
}

static void test_time_is_up(void **state) {
    poll_for("/events/a?wait=5");
    assert_waits();
    x.exchange.handler->expired(&x.exchange);
    assert_got("[]");
    fake_exchange_finish(&x);
}

// Each answer says where the next poll goes on, whether or not it had something to say.
static void poll_after(char cursor[64], const char *body) {
    char target[128];
    snprintf(target, sizeof(target), "/events/a?last_event_id=%s", cursor);
    poll_for(target);
    assert_got(body);
    snprintf(cursor, 64, "%s", fake_header(&x, "Last-Event-ID"));
    fake_exchange_finish(&x);
}

static void test_polls_follow_each_other(void **state) {
    char cursor[64] = "earliest";
    poll_after(cursor, "[]"); // nothing yet; yet the cursor is a place that can be resumed from
    publish("/events/a", "1");
    poll_after(cursor, "[" ITEM("1") "]");
    poll_after(cursor, "[]");
    publish("/events/other", "no");
    poll_after(cursor, "[]");
    publish("/events/a", "2");
    publish("/events/a", "3");
    poll_after(cursor, "[" ITEM("2") "," ITEM("3") "]");
    poll_after(cursor, "[]");
}

// A gap is an answer in itself: the client should hear of it now.
static void test_gap(void **state) {
    publish("/events/a", "1");
    poll_for("/events/a?last_event_id=unheard-of&wait=30");
    assert_got("[{\"event\":\"freshet.gap\",\"data\":\"{\\\"after\\\":\\\"unheard-of\\\","
               "\\\"before\\\":null,\\\"reason\\\":\\\"unknown\\\"}\"}," ITEM("1") "]");
    fake_exchange_finish(&x);
    poll_for("/events/b?last_event_id=unheard-of&wait=30");
    assert_got("[{\"event\":\"freshet.gap\",\"data\":\"{\\\"after\\\":\\\"unheard-of\\\","
               "\\\"before\\\":null,\\\"reason\\\":\\\"unknown\\\"}\"}]");
    fake_exchange_finish(&x);
}

// Neither a greeting nor a wish for control events makes an answer of nothing.
static void test_no_control_events(void **state) {
    poll_for("/events/a?control=1&wait=5");
    assert_waits();
    publish("/events/a", "1");
    fake_turn(&fake);
    assert_got("[" ITEM("1") "]");
    fake_exchange_finish(&x);
}

static void test_no_heartbeat(void **state) {
    poll_for("/events/a?wait=60");
    struct stream *stream = container_of(fake.worker->streams.next, struct stream, link);
    hub_heartbeat(&stream->subscriber);
    fake_turn(&fake);
    assert_waits();
    x.exchange.handler->expired(&x.exchange);
    assert_got("[]");
    fake_exchange_finish(&x);
}

static void test_gone_while_it_waits(void **state) {
    poll_for("/events/a?wait=5");
    assert_waits();
    fake_exchange_finish(&x);
    assert_int_equal(x.replies, 0);
    publish("/events/a", "1");
    fake_turn(&fake);
    assert_int_equal(atomic_load(&fake.worker->counters.opened), 1);
    assert_int_equal(atomic_load(&fake.worker->counters.ended), 1);
}

// Ended from outside, it says what it has: nothing.
static void test_ended(void **state) {
    poll_for("/events/a?wait=5");
    stream_end(container_of(fake.worker->streams.next, struct stream, link));
    assert_got("[]");
    fake_exchange_finish(&x);
}

// Draining spreads the ends of polls too, but none waits longer than it asked to.
static void test_draining_never_prolongs_it(void **state) {
    poll_for("/events/a?wait=5");
    struct stream *stream = container_of(fake.worker->streams.next, struct stream, link);
    for (int i = 0; i < 100; i++) {
        fake_later(&fake, 10);
        stream_end_within(stream, 600000);
        assert_in_range(x.wait_ms, 0, 5000 - 10 * (i + 1));
    }
    stream_end_within(stream, 0);
    assert_int_equal(x.wait_ms, 0);
    x.exchange.handler->expired(&x.exchange);
    assert_got("[]");
    fake_exchange_finish(&x);
}

static void test_two_topics_in_order(void **state) {
    publish("/events/b", "1");
    publish("/events/a", "2");
    publish("/events/b", "3");
    poll_for("/events?topic=a&topic=b&last_event_id=earliest");
    assert_got("[{\"id\":\"#\",\"topic\":\"b\",\"event\":\"message\",\"data\":\"1\"}," ITEM(
        "2") ",{\"id\":\"#\",\"topic\":\"b\",\"event\":\"message\",\"data\":\"3\"}]");
    fake_exchange_finish(&x);
}

// More than one send carries: the answer is a part, and the cursor says where the rest begins.
static void test_a_long_past_comes_in_parts(void **state) {
    char cursor[64] = "earliest", target[128];
    size_t seen = 0, polls = 0;
    for (int i = 0; i < 600; i++) {
        publish("/events/a", "x");
    }
    while (seen < 600 && polls++ < 600) {
        snprintf(target, sizeof(target), "/events/a?last_event_id=%s&wait=9", cursor);
        poll_for(target);
        assert_int_equal(x.replies, 1);
        for (size_t i = 0; i + 3 < x.body.len; i++) {
            seen += memcmp(x.body.at + i, "\"x\"", 3) == 0;
        }
        snprintf(cursor, sizeof(cursor), "%s", fake_header(&x, "Last-Event-ID"));
        fake_exchange_finish(&x);
    }
    assert_int_equal(seen, 600);
    assert_true(polls > 1);
}

static void assert_page(const char *target, const char *body, const char *link) {
    poll_for(target);
    assert_got(body);
    const char *got = fake_header(&x, "Link");
    assert_int_equal(got != NULL, link != NULL);
    if (link) {
        assert_memory_equal(got, link, strlen(link));
        assert_string_equal(strchr(got, '>'), ">; rel=\"next\"");
    }
    fake_exchange_finish(&x);
}

static void test_pages(void **state) {
    for (int i = 0; i < 3; i++) {
        publish("/events/a", i == 0 ? "1" : i == 1 ? "2" : "3");
    }
    assert_page("/events/a?last=3&limit=2&x=%26", "[" ITEM("1") "," ITEM("2") "]",
                "<?limit=2&x=%26&last_event_id=");
    assert_page("/events/a?last=3&limit=3", "[" ITEM("1") "," ITEM("2") "," ITEM("3") "]", NULL);
    assert_page("/events/a?last=2&limit=1&wait=5", "[" ITEM("2") "]",
                "<?limit=1&wait=5&last_event_id=");
    assert_page("/events/a?limit=3", "[]", NULL);
}

// One event always fits; the next one waits for the next page.
static void test_a_page_of_so_many_bytes(void **state) {
    fake.settings.max_answer = 100;
    for (int i = 0; i < 5; i++) {
        publish("/events/a", "x");
    }
    assert_page("/events/a?last=5&limit=5", "[" ITEM("x") "]", "<?limit=5&last_event_id=");
    assert_int_equal(fake_limit_hits(&fake, LIMIT_ANSWER), 1);
    fake.settings.max_answer = 2 * 80 + 2; // an item has less than 80
    assert_page("/events/a?last=5&limit=5", "[" ITEM("x") "," ITEM("x") "]",
                "<?limit=5&last_event_id=");
    assert_page("/events/a?last=2&limit=5", "[" ITEM("x") "," ITEM("x") "]", NULL);
    assert_int_equal(fake_limit_hits(&fake, LIMIT_ANSWER), 2);
}

// A page takes more than one portion of history, and ends with it.
static void test_a_page_takes_several_portions(void **state) {
    for (int i = 0; i < 600; i++) {
        publish("/events/a", "x");
    }
    poll_for("/events/a?last_event_id=earliest&limit=550");
    assert_int_equal(x.replies, 1);
    size_t seen = 0;
    for (size_t i = 0; i + 3 < x.body.len; i++) {
        seen += memcmp(x.body.at + i, "\"x\"", 3) == 0;
    }
    assert_int_equal(seen, 550);
    assert_non_null(fake_header(&x, "Link"));
    fake_exchange_finish(&x);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_at_once),
        TEST(test_what_there_is),
        TEST(test_waits_for_the_first),
        TEST(test_time_is_up),
        TEST(test_polls_follow_each_other),
        TEST(test_gap),
        TEST(test_no_control_events),
        TEST(test_no_heartbeat),
        TEST(test_gone_while_it_waits),
        TEST(test_ended),
        TEST(test_draining_never_prolongs_it),
        TEST(test_two_topics_in_order),
        TEST(test_a_long_past_comes_in_parts),
        TEST(test_pages),
        TEST(test_a_page_of_so_many_bytes),
        TEST(test_a_page_takes_several_portions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
