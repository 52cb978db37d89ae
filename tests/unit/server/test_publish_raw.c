// POST /events/<topic>: the body is the data. Also what all forms refuse by the head alone.
#include "server/fake.h"

#include <stdio.h>

static struct fake_server fake;
static struct fake_exchange x, listener;

static int setup(void **state) {
    fake_server_init(&fake);
    fake.settings.max_body = 100;
    fake_server_open(&fake);
    fake_listen(&listener, &fake, "/events?topic=a&topic=b");
    return 0;
}

static int teardown(void **state) {
    fake_exchange_finish(&listener);
    fake_server_finish(&fake);
    return 0;
}

static void post(const char *target, const char *headers, const char *body) {
    fake_ask(&x, &fake, "POST", target, headers, bytes_of(body), 3);
}

static void assert_published(const char *target, const char *body, const char *answer,
                             const char *heard) {
    post(target, "", body);
    fake_assert_answer(&x, 200, answer);
    assert_string_equal(fake_header(&x, "Content-Type"), "application/json");
    assert_string_equal(fake_header(&x, "Cache-Control"), "no-store");
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, heard);
}

static void assert_refused(const char *target, const char *headers, const char *body, int status,
                           const char *part) {
    post(target, headers, body);
    fake_assert_problem(&x, status, part);
    fake_exchange_finish(&x);
    fake_assert_heard(&listener, "");
    assert_int_equal(atomic_load(&fake.worker->counters.published), 0);
}

static void test_data(void **state) {
    assert_published("/events/a", "hello", "{\"id\":\"#\"}", "id: #\ndata: hello\n\n");
    assert_published("/events/a", "", "{\"id\":\"#\"}", "id: #\ndata:\n\n");
    assert_published("/events/b", " one\r\ntwo\rthree\n\n", "{\"id\":\"#\"}",
                     "id: #\ndata:  one\ndata: two\ndata: three\ndata:\ndata:\n\n");
    assert_published("/events/a", "{\"not\": \"json", "{\"id\":\"#\"}",
                     "id: #\ndata: {\"not\": \"json\n\n");
    assert_published("/events/a", "caf\xc3\xa9", "{\"id\":\"#\"}", "id: #\ndata: caf\xc3\xa9\n\n");
    assert_int_equal(atomic_load(&fake.worker->counters.published), 5);
}

static void test_members_from_the_query(void **state) {
    assert_published("/events/a?event=tick&id=x+1&retry=50&other=1", "d", "{\"id\":\"x 1\"}",
                     "id: x 1\nevent: tick\nretry: 50\ndata: d\n\n");
    assert_published("/events/a?event=&id=", "d", "{\"id\":\"#\"}", "id: #\ndata: d\n\n");
    assert_published("/events/a?id=caf%C3%A9%22", "d", "{\"id\":\"caf\xc3\xa9\\\"\"}",
                     "id: caf\xc3\xa9\"\ndata: d\n\n");
    assert_published("/events/a?retry=0", "d", "{\"id\":\"#\"}", "id: #\nretry: 0\ndata: d\n\n");
    assert_published("/events/b?retry=2147483647", "d", "{\"id\":\"#\"}",
                     "id: #\nretry: 2147483647\ndata: d\n\n");
}

// The id in the answer is the one that a listener may resume from.
static void test_the_id_that_is_answered(void **state) {
    char want[64];
    struct bytes id;
    post("/events/a", "", "d");
    fake_turn(&fake);
    id = bytes_make(x.body.at + 7, x.body.len - 9);
    snprintf(want, sizeof(want), "id: %.*s\ndata: d\n\n", (int)id.len, id.at);
    assert_int_equal(listener.stream->got.len, strlen(want));
    assert_memory_equal(listener.stream->got.at, want, strlen(want));
    fake_exchange_finish(&x);
}

// The type of a body does not matter here, but for that of an event stream.
static void test_any_content_type(void **state) {
    static const char *const types[] = {"text/plain", "application/json", "image/png",
                                        "application/x-www-form-urlencoded", "nonsense"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char header[100];
        snprintf(header, sizeof(header), "Content-Type: %s\r\n", types[i]);
        post("/events/a", header, "[1]");
        fake_assert_answer(&x, 200, "{\"id\":\"#\"}");
        fake_exchange_finish(&x);
        fake_assert_heard(&listener, "id: #\ndata: [1]\n\n");
    }
}

static void test_refused(void **state) {
    assert_refused("/events/", "", "d", 400, "a topic needs a name");
    assert_refused("/events/%", "", "d", 400, "written %25");
    assert_refused("/events/a%0A", "", "d", 400, "control characters");
    assert_refused("/events/*", "", "d", 400, "not to patterns");
    assert_refused("/events/a?id=5-1", "", "d", 400, "freshet's own");
    assert_refused("/events/a?id=a%0Ab", "", "d", 400, "without CR, LF and NUL");
    assert_refused("/events/a?event=a%0D", "", "d", 400, "without CR, LF and NUL");
    assert_refused("/events/a?event=freshet.x", "", "d", 400, "freshet's own");
    assert_refused("/events/a?event=%", "", "d", 400, "written %25");
    assert_refused("/events/a?retry=-1", "", "d", 400, "`retry` takes a whole number");
    assert_refused("/events/a?retry=", "", "d", 400, "`retry` takes a whole number");
    assert_refused("/events/a?retry=2147483648", "", "d", 400, "`retry` takes a whole number");
    assert_refused("/events/a", "", "\xff", 400, "send binary data as Base64");
    assert_refused("/events/a", "", "cut short \xe2\x82", 400, "Base64");
}

// What is wrong with the head is said before a byte of the body has come.
static void test_refused_early(void **state) {
    fake_begin(&x, &fake, "POST", "/events/a/*", "Content-Length: 5\r\n");
    fake_assert_problem(&x, 400, "not to patterns");
    fake_exchange_finish(&x);
    fake_begin(&x, &fake, "POST", "/events/a", "Content-Length: 101\r\n");
    fake_assert_problem(&x, 413, "larger than 100 bytes; send less at a time");
    fake_exchange_finish(&x);
    assert_int_equal(fake_limit_hits(&fake, LIMIT_BODY), 1);
}

// Whatever the pieces, and when no length was told.
static void test_too_large(void **state) {
    char body[102];
    memset(body, 'x', sizeof(body));
    for (size_t step = 1; step <= 101; step += 20) {
        fake_ask(&x, &fake, "POST", "/events/a", "", bytes_make(body, 101), step);
        fake_assert_problem(&x, 413, "larger than 100 bytes");
        fake_exchange_finish(&x);
        fake_ask(&x, &fake, "POST", "/events/b", "", bytes_make(body, 100), step);
        fake_assert_answer(&x, 200, "{\"id\":\"#\"}");
        fake_exchange_finish(&x);
    }
    assert_int_equal(fake_limit_hits(&fake, LIMIT_BODY), 6);
    assert_int_equal(atomic_load(&fake.worker->counters.published), 6);
}

// A publisher that goes away in mid-body has published nothing.
static void test_dies_in_the_middle(void **state) {
    fake_begin(&x, &fake, "POST", "/events/a", "Content-Length: 10\r\n");
    fake_body(&x, bytes_of("half"));
    fake_exchange_finish(&x);
    assert_int_equal(x.replies, 0);
    fake_assert_heard(&listener, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_data),
        TEST(test_members_from_the_query),
        TEST(test_the_id_that_is_answered),
        TEST(test_any_content_type),
        TEST(test_refused),
        TEST(test_refused_early),
        TEST(test_too_large),
        TEST(test_dies_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
