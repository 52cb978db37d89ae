// POST /events: one object, an array, or lines; each answered in its own way.
#include "server/fake.h"

#include <stdio.h>

static struct fake_server fake;
static struct fake_exchange x, listener;

static int setup(void **state) {
    fake_server_init(&fake);
    fake.settings.max_body = 64 << 10;
    fake_server_open(&fake);
    fake_listen(&listener, &fake, "/events?topic=a&topic=b");
    return 0;
}

static int teardown(void **state) {
    fake_exchange_finish(&listener);
    fake_server_finish(&fake);
    return 0;
}

static const char ndjson[] = "Content-Type: application/x-ndjson\r\n";

static void assert_answered(const char *headers, const char *body, const char *answer,
                            const char *heard) {
    for (size_t step = 1; step < 2000; step += 1000) {
        fake_ask(&x, &fake, "POST", "/events", headers, bytes_of(body), step);
        fake_assert_answer(&x, 200, answer);
        assert_string_equal(fake_header(&x, "Content-Type"), "application/json");
        fake_exchange_finish(&x);
        fake_assert_heard(&listener, heard);
    }
}

static void assert_refused(const char *headers, const char *body, int status, const char *part) {
    fake_ask(&x, &fake, "POST", "/events", headers, bytes_of(body), 7);
    fake_assert_problem(&x, status, part);
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "");
}

static void test_object(void **state) {
    assert_answered("", "{\"topic\":\"a\",\"data\":\"d\"}", "{\"id\":\"#\"}", "id: #\ndata: d\n\n");
    assert_answered("Content-Type: application/json; charset=utf-8\r\n",
                    " {\n \"topic\": \"b\",\n \"data\": {\"n\": 1},\n \"id\": \"x\"\n}\r\n",
                    "{\"id\":\"x\"}", "id: x\ndata: {\"n\":1}\n\n");
    // An event in two topics of one listener is heard once.
    assert_answered("", "{\"topics\":[\"a\",\"b\"],\"data\":1}", "{\"id\":\"#\"}",
                    "id: #\ndata: 1\n\n");
    assert_answered("", "{\"topic\":\"elsewhere\",\"data\":1}", "{\"id\":\"#\"}", "");
}

static void test_object_refused(void **state) {
    assert_refused("", "{\"topic\":\"a\"}", 400, "an event needs `data`");
    assert_refused("", "5", 400, "an event is a JSON object");
    assert_refused("", "\"text\"", 400, "an event is a JSON object");
    assert_refused("", "", 400, "not valid JSON; send {\\\"topic\\\":…,\\\"data\\\":…}");
    assert_refused("", "hello", 400, "not valid JSON");
    assert_refused("", "{\"topic\":\"a\",\"data\":1", 400, "not valid JSON");
    assert_refused("", "{\"topic\":\"a\",\"data\":\"\xff\"}", 400, "not valid JSON");
    assert_refused("", "\xef\xbb\xbf{\"topic\":\"a\",\"data\":1}", 400, "not valid JSON");
    assert_refused("", "{topic:'a',data:1}", 400, "not valid JSON");
}

static void test_content_types(void **state) {
    static const char *const good[] = {"application/json", "APPLICATION/JSON;x=y",
                                       "application/x-www-form-urlencoded",
                                       "application/cloudevents+json", "application/problem+JSON"};
    static const char *const bad[] = {
        "text/plain", "text/event-stream",   "application/xml",  "+json",
        "json",       "multipart/form-data", "application/jsonx"};
    char header[100];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(header, sizeof(header), "Content-Type: %s\r\n", good[i]);
        assert_answered(header, "{\"topic\":\"a\",\"data\":1}", "{\"id\":\"#\"}",
                        "id: #\ndata: 1\n\n");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(header, sizeof(header), "Content-Type: %s\r\n", bad[i]);
        assert_refused(header, "{\"topic\":\"a\",\"data\":1}", 415,
                       "plain data and event streams go to /events/<topic>");
    }
}

// One bad item stops no other, and each is answered in its place.
static void test_array(void **state) {
    assert_answered("", "[{\"topic\":\"a\",\"data\":1}, {\"topic\":\"b\",\"data\":2,\"id\":\"x\"}]",
                    "[{\"id\":\"#\"},{\"id\":\"x\"}]", "id: #\ndata: 1\n\nid: x\ndata: 2\n\n");
    assert_answered(
        "",
        "[{\"topic\":\"a\"},{\"topic\":\"a\",\"data\":2},7,[],{\"topic\":\"*\",\"data\":1},"
        "{\"topic\":\"b\",\"data\":3}]",
        "[{\"error\":\"an event needs `data`\",\"status\":400},{\"id\":\"#\"},"
        "{\"error\":\"an event is a JSON object: {\\\"topic\\\":…,\\\"data\\\":…}\","
        "\"status\":400},"
        "{\"error\":\"an event is a JSON object: {\\\"topic\\\":…,\\\"data\\\":…}\","
        "\"status\":400},"
        "{\"error\":\"events are published to topics, not to patterns; write the "
        "topic's whole name\",\"status\":400},{\"id\":\"#\"}]",
        "id: #\ndata: 2\n\nid: #\ndata: 3\n\n");
    assert_answered("", "[]", "[]", "");
    assert_answered("", "[null]",
                    "[{\"error\":\"an event is a JSON object: {\\\"topic\\\":…,\\\"data\\\":…}\","
                    "\"status\":400}]",
                    "");
}

static void test_lines(void **state) {
    const char one[] = "{\"topic\":\"a\",\"data\":1}\n{\"topic\":\"b\",\"data\":2}\n";
    assert_answered(ndjson, one, "[{\"id\":\"#\"},{\"id\":\"#\"}]",
                    "id: #\ndata: 1\n\nid: #\ndata: 2\n\n");
    // Recognised without being told.
    assert_answered("", one, "[{\"id\":\"#\"},{\"id\":\"#\"}]",
                    "id: #\ndata: 1\n\nid: #\ndata: 2\n\n");
    assert_answered("Content-Type: application/json\r\n", one, "[{\"id\":\"#\"},{\"id\":\"#\"}]",
                    "id: #\ndata: 1\n\nid: #\ndata: 2\n\n");
    // No newline at the end, empty lines, CRLF.
    assert_answered(ndjson,
                    "\r\n\n {\"topic\":\"a\",\"data\":1} \r\n  \n{\"topic\":\"b\",\"data\":2}",
                    "[{\"id\":\"#\"},{\"id\":\"#\"}]", "id: #\ndata: 1\n\nid: #\ndata: 2\n\n");
}

static void test_lines_that_are_said_to_be_lines(void **state) {
    // One is a list of one, and an array on a line is no event.
    assert_answered(ndjson, "{\"topic\":\"a\",\"data\":1}", "[{\"id\":\"#\"}]",
                    "id: #\ndata: 1\n\n");
    assert_answered(ndjson, "[{\"topic\":\"a\",\"data\":1}]\n",
                    "[{\"error\":\"an event is a JSON object: {\\\"topic\\\":…,\\\"data\\\":…}\","
                    "\"status\":400}]",
                    "");
    assert_answered(ndjson, "", "[]", "");
    assert_answered(ndjson, "\n\n", "[]", "");
    assert_answered(ndjson, "nonsense\n{\"topic\":\"a\",\"data\":1}\n{\"topic\":\"a\",\n",
                    "[{\"error\":\"the line is not valid JSON\",\"status\":400},{\"id\":\"#\"},"
                    "{\"error\":\"the line is not valid JSON\",\"status\":400}]",
                    "id: #\ndata: 1\n\n");
}

static void put_nested(struct buf *body, int depth) {
    buf_clear(body);
    assert_int_equal(buf_append_text(body, "{\"topic\":\"a\",\"data\":"), 0);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(buf_append_text(body, "["), 0);
    }
    for (int i = 0; i < depth; i++) {
        assert_int_equal(buf_append_text(body, "]"), 0);
    }
    assert_int_equal(buf_append(body, "}", 2), 0);
}

static void test_depth(void **state) {
    struct buf body;
    buf_init(&body, &mem_libc, 0);
    put_nested(&body, 63);
    fake_ask(&x, &fake, "POST", "/events", "", bytes_of(body.at), 10);
    fake_assert_answer(&x, 200, "{\"id\":\"#\"}");
    fake_exchange_finish(&x);
    put_nested(&body, 64);
    fake_ask(&x, &fake, "POST", "/events", "", bytes_of(body.at), 10);
    fake_assert_problem(&x, 400, "deeper than 64 levels");
    fake_exchange_finish(&x);
    put_nested(&body, 30000); // as deep as the body may be long
    fake_ask(&x, &fake, "POST", "/events", "", bytes_of(body.at), 1000);
    fake_assert_problem(&x, 400, "deeper than 64 levels");
    fake_exchange_finish(&x);
    buf_finish(&body);
}

// More items than one group; all arrive, in order.
static void test_a_large_batch(void **state) {
    enum { MANY = 1000 };
    struct buf body, heard;
    buf_init(&body, &mem_libc, 0);
    buf_init(&heard, &mem_libc, 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(buf_printf(&body, "{\"topic\":\"a\",\"data\":%d}\n", i), 0);
        assert_int_equal(buf_printf(&heard, "id: #\ndata: %d\n\n", i), 0);
    }
    assert_int_equal(buf_append(&heard, "", 1), 0);
    fake_ask(&x, &fake, "POST", "/events", ndjson, buf_bytes(&body), 4096);
    assert_int_equal(x.status, 200);
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, heard.at);
    assert_int_equal(atomic_load(&fake.worker->counters.published), MANY);
    buf_finish(&body);
    buf_finish(&heard);
}

static void test_too_large(void **state) {
    struct buf body;
    buf_init(&body, &mem_libc, 0);
    assert_int_equal(buf_reserve(&body, 70000), 0);
    memset(body.at, ' ', 70000);
    body.len = 70000;
    fake_ask(&x, &fake, "POST", "/events", "", buf_bytes(&body), 9999);
    fake_assert_problem(&x, 413, "larger than 65536 bytes");
    fake_exchange_finish(&x);
    fake_begin(&x, &fake, "POST", "/events", "Content-Length: 65537\r\n");
    fake_assert_problem(&x, 413, "larger than 65536 bytes");
    fake_exchange_finish(&x);
    assert_int_equal(fake_limit_hits(&fake, LIMIT_BODY), 2);
    buf_finish(&body);
}

static void test_dies_in_the_middle(void **state) {
    fake_begin(&x, &fake, "POST", "/events", ndjson);
    fake_body(&x, bytes_of("{\"topic\":\"a\",\"data\":1}\n{\"topic\""));
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_object),        TEST(test_object_refused),
        TEST(test_content_types), TEST(test_array),
        TEST(test_lines),         TEST(test_lines_that_are_said_to_be_lines),
        TEST(test_depth),         TEST(test_a_large_batch),
        TEST(test_too_large),     TEST(test_dies_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
