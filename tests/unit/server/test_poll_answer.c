// The answer to a poll: array and envelope, tags and conditions, what caches are told, and what many
// who ask the same cost.
#include "server/fake.h"

#include <stdio.h>
#include <stdlib.h>

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

static void poll_with(const char *target, const char *headers) {
    char all[512];
    snprintf(all, sizeof(all), "Accept: application/json\r\n%s", headers);
    fake_get(&x, &fake, target, all);
    fake_turn(&fake);
}

static void poll_for(const char *target) {
    poll_with(target, "");
}

// The target of a poll behind the newest event.
static const char *behind(char out[160], const char *more) {
    char id[ID_TEXT_MAX + 1] = "";
    id_format(bus_newest(fake.server.bus), id);
    snprintf(out, 160, "/events/a?last_event_id=%s%s", id, more);
    return out;
}

static void assert_control(const char *control) {
    assert_string_equal(fake_header(&x, "Cache-Control"), control);
    fake_exchange_finish(&x);
}

#define ITEM(data) "{\"id\":\"#\",\"topic\":\"a\",\"event\":\"message\",\"data\":\"" data "\"}"

// Where it stands in the answer, which is not terminated.
static const char *in_body(const char *text) {
    const char *at = memmem(x.body.at, x.body.len, text, strlen(text));
    assert_non_null(at);
    return at;
}

static void test_envelope(void **state) {
    poll_for("/events/a?envelope=1");
    fake_assert_answer(&x, 200, "{\"events\":[],\"next\":\"#\",\"more\":false}");
    fake_exchange_finish(&x);
    publish("/events/a", "1");
    publish("/events/a", "2");
    poll_for("/events/a?envelope=1&last=2");
    fake_assert_answer(&x, 200,
                       "{\"events\":[" ITEM("1") "," ITEM("2") "],\"next\":\"#\",\"more\":false}");
    const char *next = in_body("\"next\":\"") + strlen("\"next\":\"");
    const char *cursor = fake_header(&x, "Last-Event-ID");
    assert_memory_equal(next, cursor, strlen(cursor));
    fake_exchange_finish(&x);
    poll_for("/events/a?envelope=1&last=2&limit=1");
    fake_assert_answer(&x, 200, "{\"events\":[" ITEM("1") "],\"next\":\"#\",\"more\":true}");
    assert_memory_equal(fake_header(&x, "Link"), "<?envelope=1&limit=1&last_event_id=", 34);
    fake_exchange_finish(&x);
    poll_for("/events/a?envelope=0&last=1");
    fake_assert_answer(&x, 200, "[" ITEM("2") "]");
    fake_exchange_finish(&x);
    poll_for("/events/a?envelope=yes");
    fake_assert_problem(&x, 400, "`envelope`");
    fake_exchange_finish(&x);
}

static void test_a_gap_in_an_envelope(void **state) {
    publish("/events/a", "1");
    poll_for("/events/a?envelope=1&last_event_id=unheard-of");
    fake_assert_answer(
        &x, 200,
        "{\"events\":[{\"event\":\"freshet.gap\",\"data\":\"{\\\"after\\\":\\\"unheard-of\\\","
        "\\\"before\\\":null,\\\"reason\\\":\\\"unknown\\\"}\"}," ITEM(
            "1") "],\"next\":\"#\",\"more\":false}");
    fake_exchange_finish(&x);
}

// The bytes with the envelope are within the limit too.
static void test_an_envelope_counts(void **state) {
    fake.settings.max_answer = 300;
    for (int i = 0; i < 20; i++) {
        publish("/events/a", "x");
    }
    poll_for("/events/a?envelope=1&last=20&limit=20");
    assert_int_equal(x.status, 200);
    assert_in_range(x.body.len, 150, 300);
    fake_exchange_finish(&x);
}

// Who waits goes on: the next poll is linked also when there is nothing more yet.
static void test_a_poll_that_waits_has_a_link(void **state) {
    publish("/events/a", "1");
    poll_for("/events/a?last=1&wait=5");
    assert_memory_equal(fake_header(&x, "Link"), "<?wait=5&last_event_id=", 23);
    fake_exchange_finish(&x);
    poll_for("/events/a?wait=5");
    x.exchange.handler->expired(&x.exchange);
    fake_assert_answer(&x, 200, "[]");
    assert_non_null(fake_header(&x, "Link"));
    fake_exchange_finish(&x);
    poll_for("/events/a?last=1&wait=0");
    assert_null(fake_header(&x, "Link"));
    fake_exchange_finish(&x);
}

static void tag_of(const char *target, char out[64]) {
    poll_for(target);
    assert_int_equal(x.status, 200);
    snprintf(out, 64, "%s", fake_header(&x, "ETag"));
    assert_true(out[0] == '"' && out[strlen(out) - 1] == '"');
    fake_exchange_finish(&x);
}

static void assert_condition(const char *target, const char *tag, int status) {
    char header[160];
    snprintf(header, sizeof(header), "If-None-Match: \"x\", %s\r\n", tag);
    poll_with(target, header);
    assert_int_equal(x.status, status);
    assert_int_equal(x.body.len == 0, status == 304);
    assert_int_equal(fake_header(&x, "Content-Type") == NULL, status == 304);
    assert_non_null(fake_header(&x, "ETag"));
    assert_non_null(fake_header(&x, "Last-Event-ID"));
    assert_non_null(fake_header(&x, "Cache-Control"));
    assert_non_null(fake_header(&x, "Vary"));
    fake_exchange_finish(&x);
}

static void test_tags(void **state) {
    char one[64], two[64], form[64], again[64], nothing[64], weak[72], target[160];
    publish("/events/a", "1");
    tag_of("/events/a?last=1", one);
    tag_of("/events/a?last=1", again);
    assert_string_equal(one, again);
    tag_of("/events/a?last=1&envelope=1", form);
    assert_string_not_equal(one, form);
    tag_of(behind(target, ""), nothing);
    assert_string_not_equal(one, nothing);
    assert_condition("/events/a?last=1", one, 304);
    snprintf(weak, sizeof(weak), "W/%s", one);
    assert_condition("/events/a?last=1", weak, 304);
    assert_condition("/events/a?last=1", nothing, 200);
    assert_condition("/events/a?last=1&envelope=1", one, 200);
    publish("/events/a", "1"); // the same words, but another event
    tag_of("/events/a?last=1", two);
    assert_string_not_equal(one, two);
    assert_condition("/events/a?last=1", one, 200);
}

// What it has is nothing: told again only if that has changed, for which it waits.
static void test_a_condition_that_waits(void **state) {
    char nothing[64], target[160], header[160];
    tag_of(behind(target, ""), nothing);
    snprintf(header, sizeof(header), "If-None-Match: %s\r\n", nothing);
    poll_with(behind(target, "&wait=5"), header);
    assert_int_equal(x.replies, 0);
    x.exchange.handler->expired(&x.exchange);
    assert_int_equal(x.status, 304);
    assert_int_equal(x.body.len, 0);
    fake_exchange_finish(&x);
    poll_with(target, header);
    publish("/events/a", "1");
    fake_turn(&fake);
    fake_assert_answer(&x, 200, "[" ITEM("1") "]");
    fake_exchange_finish(&x);
}

// A condition that is too long to keep is none.
static void test_a_long_condition(void **state) {
    char header[400 + 2 * 700] = "If-None-Match: \"";
    memset(header + 16, 'x', 1100);
    snprintf(header + 16 + 1100, 100, "\", *\r\n");
    char all[2000];
    snprintf(all, sizeof(all), "Accept: application/json\r\n%s", header);
    fake_get(&x, &fake, "/events/a", all);
    fake_turn(&fake);
    fake_assert_answer(&x, 200, "[]");
    fake_exchange_finish(&x);
    poll_with("/events/a", "If-None-Match: *\r\n");
    assert_int_equal(x.status, 304);
    fake_exchange_finish(&x);
}

static void test_what_caches_are_told(void **state) {
    char target[160];
    publish("/events/a", "0");
    behind(target, "&wait=5");
    publish("/events/a", "1");
    poll_for(target);
    assert_control("public, max-age=10");
    poll_with(target, "Cookie: a=b\r\n");
    assert_control("private, no-cache");
    poll_with(target, "Authorization: Bearer x\r\n");
    assert_control("private, no-cache");
    char header[160] = "Last-Event-ID: ";
    const char *id = strchr(target, '=') + 1;
    snprintf(header, sizeof(header), "Last-Event-ID: %.*s\r\n", (int)strcspn(id, "&"), id);
    poll_with(target, header); // the same place, but no cache knows that
    assert_control("no-cache");
    poll_for(behind(target, ""));
    assert_control("public, max-age=1, stale-while-revalidate=0");
    static const char *const moving[] = {"/events/a",
                                         "/events/a?last=1",
                                         "/events/a?since=0",
                                         "/events/a?last_event_id=earliest",
                                         "/events/a?last_event_id=unheard-of",
                                         "/events/a?last_event_id=99999999999999-0"};
    for (size_t i = 0; i < sizeof(moving) / sizeof(moving[0]); i++) {
        poll_for(moving[i]);
        assert_control("no-cache");
    }
    fake.settings.cache_age_ms = 0;
    poll_for(target);
    assert_control("private, no-cache");
}

// That something was dropped is found out while history is read.
static void test_a_gap_is_not_kept(void **state) {
    char target[160];
    publish("/events/a", "first");
    behind(target, "");
    for (int i = 0; i < 1010; i++) {
        publish("/events/a", "x"); // more than is kept
    }
    poll_for(target);
    assert_non_null(in_body("freshet.gap"));
    assert_control("no-cache");
}

// However many wait at one cursor, what comes is encoded once.
static void test_one_encoding_for_all(void **state) {
    enum { POLLS = 5000 };
    struct fake_exchange *all = calloc(POLLS, sizeof(*all));
    assert_non_null(all);
    for (int i = 0; i < POLLS; i++) {
        fake_get(&all[i], &fake, "/events/a?wait=30", "Accept: application/json\r\n");
    }
    fake_turn(&fake);
    uint64_t runs = fake.worker->hub.run.number;
    publish("/events/a", "1");
    fake_turn(&fake);
    assert_int_equal(fake.worker->hub.run.number, runs + 1);
    for (int i = 0; i < POLLS; i++) {
        fake_assert_answer(&all[i], 200, "[" ITEM("1") "]");
        fake_exchange_finish(&all[i]);
    }
    assert_int_equal(fake.worker->pages, 0);
    free(all);
}

// Pages of history that many read at a time are shorter when together they would be too large.
static void test_pages_share_their_room(void **state) {
    for (int i = 0; i < 600; i++) {
        publish("/events/a", "x");
    }
    fake.worker->pages = WORKER_PAGES_MAX;
    poll_for("/events/a?last_event_id=earliest&limit=600&envelope=1");
    assert_int_equal(x.status, 200);
    size_t seen = 0;
    for (size_t i = 0; i + 3 < x.body.len; i++) {
        seen += memcmp(x.body.at + i, "\"x\"", 3) == 0;
    }
    assert_in_range(seen, 1, 599);
    assert_non_null(fake_header(&x, "Link"));
    assert_non_null(in_body("\"more\":true"));
    assert_int_equal(fake_limit_hits(&fake, LIMIT_ANSWER), 1);
    fake_exchange_finish(&x);
    assert_int_equal(fake.worker->pages, WORKER_PAGES_MAX);
    // One that is complete with what it has is no shorter.
    poll_for("/events/a?last=1&limit=600");
    fake_assert_answer(&x, 200, "[" ITEM("x") "]");
    assert_null(fake_header(&x, "Link"));
    assert_int_equal(fake_limit_hits(&fake, LIMIT_ANSWER), 1);
    fake_exchange_finish(&x);
    fake.worker->pages = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_envelope),
        TEST(test_a_gap_in_an_envelope),
        TEST(test_an_envelope_counts),
        TEST(test_a_poll_that_waits_has_a_link),
        TEST(test_tags),
        TEST(test_a_condition_that_waits),
        TEST(test_a_long_condition),
        TEST(test_what_caches_are_told),
        TEST(test_a_gap_is_not_kept),
        TEST(test_one_encoding_for_all),
        TEST(test_pages_share_their_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
