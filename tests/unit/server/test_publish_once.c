// Publishing again, in every form: the same answer, and nothing more to hear.
#include "server/fake.h"

#include <stdio.h>

#include "server/publish.h"

static struct fake_server fake;
static struct fake_exchange x, listener;
static char first[200]; // the last answer that `ask` got

static const char json[] = "Content-Type: application/json\r\n";
static const char stream[] = "Content-Type: text/event-stream\r\n";

static void open_with(int64_t window_ms, uint64_t keys) {
    fake_server_init(&fake);
    fake.settings.idempotency_window_ms = window_ms;
    fake.settings.idempotency_keys = keys;
    fake_server_open(&fake);
    fake_listen(&listener, &fake, "/events?topic=a&topic=b");
}

static int setup(void **state) {
    open_with(300000, 1000);
    return 0;
}

static int teardown(void **state) {
    fake_exchange_finish(&listener);
    fake_server_finish(&fake);
    return 0;
}

static void send_to(const char *target, const char *type, const char *key, const char *body) {
    char headers[1024];
    snprintf(headers, sizeof(headers), "%s%s%s%s", type, key ? "Idempotency-Key: " : "",
             key ? key : "", key ? "\r\n" : "");
    fake_ask(&x, &fake, "POST", target, headers, bytes_of(body), 7);
}

// A publish that is accepted and heard so.
static void ask(const char *target, const char *type, const char *key, const char *body,
                const char *heard) {
    send_to(target, type, key, body);
    assert_int_equal(x.status, 200);
    snprintf(first, sizeof(first), "%.*s", (int)x.body.len, x.body.at);
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, heard);
}

// Once more: the same answer, to the letter, and nothing is heard.
static void repeat(const char *target, const char *type, const char *key, const char *body) {
    char before[sizeof(first)];
    strcpy(before, first);
    ask(target, type, key, body, "");
    assert_string_equal(first, before);
}

static void refuse(const char *target, const char *type, const char *key, const char *body,
                   int status, const char *part) {
    send_to(target, type, key, body);
    fake_assert_problem(&x, status, part);
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "");
}

static unsigned long long repeated(void) {
    return atomic_load(&fake.worker->counters.repeated);
}

static void test_raw(void **state) {
    ask("/events/a", "", "\"k\"", "d", "id: #\ndata: d\n\n");
    repeat("/events/a", "", "\"k\"", "d");
    repeat("/events/a", "", "k", "d"); // the same key without its quotes
    repeat("/events/a", "Content-Type: image/png\r\n", "k", "d");
    ask("/events/a", "", "K", "d", "id: #\ndata: d\n\n");
    ask("/events/a", "", NULL, "d", "id: #\ndata: d\n\n");
    ask("/events/a", "", NULL, "d", "id: #\ndata: d\n\n");
    assert_int_equal(repeated(), 3);
    assert_int_equal(atomic_load(&fake.worker->counters.published), 4);
}

static void test_object(void **state) {
    ask("/events", json, "k", "{\"topics\":[\"a\",\"b\"],\"data\":{\"n\":1}}",
        "id: #\ndata: {\"n\":1}\n\n");
    repeat("/events", json, "k", "{\"data\": {\"n\": 1}, \"topics\": [\"b\", \"a\", \"b\"]}");
}

static void test_batch(void **state) {
    const char body[] = "[{\"topic\":\"a\",\"data\":1},{\"topic\":\"a\",\"data\":1},7,"
                        "{\"topic\":\"b\",\"data\":2,\"id\":\"x\"}]";
    ask("/events", json, "k", body, "id: #\ndata: 1\n\nid: #\ndata: 1\n\nid: x\ndata: 2\n\n");
    repeat("/events", json, "k", body);
    const char more[] = "[{\"topic\":\"a\",\"data\":1},{\"topic\":\"a\",\"data\":1},8,"
                        "{\"topic\":\"b\",\"data\":2,\"id\":\"x\"},{\"topic\":\"a\",\"data\":3}]";
    ask("/events", json, "k", more, "id: #\ndata: 3\n\n");
}

static void test_stream(void **state) {
    const char body[] = "data: 1\n\ndata: 1\n\nid: x\ndata: 2\n\n";
    ask("/events/a", stream, "k", body, "id: #\ndata: 1\n\nid: #\ndata: 1\n\nid: x\ndata: 2\n\n");
    repeat("/events/a", stream, "k", body);
}

// What broke off in the middle goes on where it was.
static void test_a_broken_stream(void **state) {
    fake_begin(&x, &fake, "POST", "/events/a",
               "Content-Type: text/event-stream\r\nIdempotency-Key: k\r\n");
    fake_body(&x, bytes_of("data: 1\n\n: said in between\n\nid: y\ndata: 2\n\ndata: 3\n"));
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "id: #\ndata: 1\n\nid: y\ndata: 2\n\n");
    ask("/events/a", stream, "k", "data: 1\n\nid: y\ndata: 2\n\ndata: 3\n\ndata: 4\n\n",
        "id: #\ndata: 3\n\nid: #\ndata: 4\n\n");
    assert_non_null(strstr(first, "\"published\":4"));
}

static void test_own_ids(void **state) {
    ask("/events/a?id=x", "", NULL, "d", "id: x\ndata: d\n\n");
    repeat("/events/a?id=x", "", NULL, "d");
    repeat("/events", json, NULL, "{\"topic\":\"a\",\"data\":\"d\",\"id\":\"x\"}");
    ask("/events", json, NULL,
        "[{\"topic\":\"b\",\"data\":1},{\"topic\":\"a\",\"data\":\"d\",\"id\":\"x\"}]",
        "id: #\ndata: 1\n\n");
    ask("/events/a?id=x", "", NULL, "d", "");
    // A key names the attempt, the id the event.
    repeat("/events/a?id=x", "", "k", "d");
    // Elsewhere, or with another content, it is another event.
    ask("/events/b?id=x", "", NULL, "d", "id: x\ndata: d\n\n");
    ask("/events/a?id=x", "", NULL, "e", "id: x\ndata: e\n\n");
    ask("/events/a?id=x", "", NULL, "d", "id: x\ndata: d\n\n");
    ask("/events/a?id=x&event=t", "", NULL, "d", "id: x\nevent: t\ndata: d\n\n");
}

static void test_own_ids_in_several_topics(void **state) {
    ask("/events", json, NULL, "{\"topics\":[\"a\",\"b\"],\"data\":1,\"id\":\"x\"}",
        "id: x\ndata: 1\n\n");
    repeat("/events", json, NULL, "{\"topics\":[\"b\",\"a\"],\"data\":1,\"id\":\"x\"}");
    ask("/events", json, NULL, "{\"topic\":\"a\",\"data\":1,\"id\":\"x\"}", "id: x\ndata: 1\n\n");
}

static void test_another_topic_is_another_event(void **state) {
    ask("/events/a", "", "k", "d", "id: #\ndata: d\n\n");
    ask("/events/b", "", "k", "d", "id: #\ndata: d\n\n");
}

static void test_another_content(void **state) {
    ask("/events/a", "", "k", "d", "id: #\ndata: d\n\n");
    refuse("/events/a", "", "k", "e", 422, "used for another event; give each publish a key");
    refuse("/events/a?event=t", "", "k", "d", 422, "used for another event");
    refuse("/events", json, "k", "{\"topic\":\"a\",\"data\":\"e\"}", 422, "used for another event");
    repeat("/events/a", "", "k", "d");
    assert_int_equal(atomic_load(&fake.worker->counters.published), 1);
}

static void test_another_content_in_a_batch(void **state) {
    ask("/events", json, "k", "[{\"topic\":\"a\",\"data\":1},{\"topic\":\"a\",\"data\":2}]",
        "id: #\ndata: 1\n\nid: #\ndata: 2\n\n");
    send_to(
        "/events", json, "k",
        "[{\"topic\":\"a\",\"data\":1},{\"topic\":\"a\",\"data\":9},{\"topic\":\"a\",\"data\":3}]");
    char want[400];
    snprintf(want, sizeof(want),
             "[{\"id\":\"#\"},{\"error\":\"%s\",\"status\":422},{\"id\":\"#\"}]",
             publish_key_problem);
    fake_assert_answer(&x, 200, want);
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "id: #\ndata: 3\n\n");
}

static void test_another_content_in_a_stream(void **state) {
    ask("/events/a", stream, "k", "data: 1\n\ndata: 2\n\n", "id: #\ndata: 1\n\nid: #\ndata: 2\n\n");
    refuse("/events/a", stream, "k", "data: 1\n\ndata: 9\n\n", 422,
           "with; 1 events of the stream were published");
}

// A stream of which a whole group is refused is not read to its end.
static void test_many_others_in_a_stream(void **state) {
    enum { MANY = 200 };
    struct buf body;
    buf_init(&body, &mem_libc, 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(buf_append_text(&body, "data:1\n\n"), 0);
    }
    fake_ask(&x, &fake, "POST", "/events/other",
             "Content-Type: text/event-stream\r\nIdempotency-Key: k\r\n", buf_bytes(&body), 9999);
    fake_assert_answer(&x, 200, "{\"published\":200,\"id\":\"#\"}");
    fake_exchange_finish(&x);
    buf_clear(&body);
    for (int i = 0; i < 2 * MANY; i++) {
        assert_int_equal(buf_append_text(&body, "data:2\n\n"), 0);
    }
    fake_ask(&x, &fake, "POST", "/events/other",
             "Content-Type: text/event-stream\r\nIdempotency-Key: k\r\n", buf_bytes(&body), 9999);
    fake_assert_problem(&x, 422, "; 0 events of the stream were published");
    fake_exchange_finish(&x);
    buf_finish(&body);
}

static void test_keys_refused(void **state) {
    char key[300] = "";
    refuse("/events/a", "", "\"\"", "d", 400, "visible ASCII without commas");
    refuse("/events/a", "", "", "d", 400, "visible ASCII without commas");
    refuse("/events/a", stream, "a, b", "data: d\n\n", 400, "visible ASCII without commas");
    refuse("/events", json, "\"a", "{\"topic\":\"a\",\"data\":1}", 400, "a string in quotes");
    refuse("/events/a", "", "a\r\nidempotency-key: a", "d", 400, "at most one Idempotency-Key");
    memset(key, 'k', 256);
    refuse("/events/a", "", key, "d", 400, "at most 255 characters");
    key[255] = '\0';
    ask("/events/a", "", key, "d", "id: #\ndata: d\n\n");
}

static void test_off(void **state) {
    teardown(state);
    open_with(0, 1000);
    for (int i = 0; i < 2; i++) {
        ask("/events/a?id=x", "", NULL, "d", "id: x\ndata: d\n\n");
        ask("/events/a", "", "k", "d", "id: #\ndata: d\n\n");
        ask("/events/a", "", "k", "e", "id: #\ndata: e\n\n");
    }
    refuse("/events/a", "", "a b", "d", 400, "visible ASCII");
}

static void test_too_many_keys(void **state) {
    teardown(state);
    open_with(300000, 2);
    ask("/events/a", "", "1", "d", "id: #\ndata: d\n\n");
    ask("/events/a", "", "2", "d", "id: #\ndata: d\n\n");
    assert_int_equal(fake_limit_hits(&fake, LIMIT_IDEMPOTENCY_KEYS), 0);
    ask("/events/a", "", "3", "d", "id: #\ndata: d\n\n");
    assert_int_equal(fake_limit_hits(&fake, LIMIT_IDEMPOTENCY_KEYS), 1);
    repeat("/events/a", "", "3", "d");
    ask("/events/a", "", "1", "d", "id: #\ndata: d\n\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_raw),
        TEST(test_object),
        TEST(test_batch),
        TEST(test_stream),
        TEST(test_a_broken_stream),
        TEST(test_own_ids),
        TEST(test_own_ids_in_several_topics),
        TEST(test_another_topic_is_another_event),
        TEST(test_another_content),
        TEST(test_another_content_in_a_batch),
        TEST(test_another_content_in_a_stream),
        TEST(test_many_others_in_a_stream),
        TEST(test_keys_refused),
        TEST(test_off),
        TEST(test_too_many_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
