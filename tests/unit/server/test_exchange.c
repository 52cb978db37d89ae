// What every answer shares: problems, the headers for browsers, the counting of refusals.
#include "server/fake.h"

#include "base/error.h"

static struct fake_server fake;
static struct fake_exchange x;
static char any[] = "*", one[] = "https://one.example", two[] = "http://two.example:8080";
static char *just_any[] = {any};
static char *both[] = {one, two};

static void open_with(char **origins, size_t count) {
    fake_server_init(&fake);
    fake.settings.cors_origin = (struct texts){.items = origins, .count = count};
    fake_server_open(&fake);
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

static void ask_from(const char *headers, const char *allowed, const char *vary) {
    fake_get(&x, &fake, "/healthz", headers);
    const char *got = fake_header(&x, "Access-Control-Allow-Origin");
    if (allowed) {
        assert_string_equal(got, allowed);
        assert_string_equal(fake_header(&x, "Access-Control-Expose-Headers"),
                            "Last-Event-ID, Link, Retry-After");
    } else {
        assert_null(got);
        assert_null(fake_header(&x, "Access-Control-Expose-Headers"));
    }
    const char *varies = fake_header(&x, "Vary");
    if (vary) {
        assert_string_equal(varies, vary);
    } else {
        assert_null(varies);
    }
    assert_null(fake_header(&x, "Access-Control-Allow-Credentials"));
    fake_exchange_finish(&x);
}

static void test_no_origins(void **state) {
    open_with(NULL, 0);
    ask_from("", NULL, NULL);
    ask_from("Origin: https://one.example\r\n", NULL, NULL);
}

// Caches must not give one page the answer to another, nor to one that has no origin.
static void test_origins(void **state) {
    open_with(both, 2);
    ask_from("", NULL, "Origin");
    ask_from("Origin: https://one.example\r\n", one, "Origin");
    ask_from("Origin: http://two.example:8080\r\n", two, "Origin");
    ask_from("Origin: http://two.example\r\n", NULL, "Origin");
    ask_from("Origin: https://one.example.evil\r\n", NULL, "Origin");
    ask_from("Origin: null\r\n", NULL, "Origin");
    ask_from("Origin:\r\n", NULL, "Origin");
}

static void test_any_origin(void **state) {
    open_with(just_any, 1);
    ask_from("Origin: https://one.example\r\n", "*", "Origin");
    ask_from("Origin: null\r\n", "*", "Origin");
    ask_from("", NULL, "Origin");
}

// A page may read why it was refused.
static void test_problems_carry_cors(void **state) {
    open_with(both, 2);
    fake_get(&x, &fake, "/nowhere", "Origin: https://one.example\r\n");
    fake_assert_problem(&x, 404, "nothing here");
    assert_string_equal(fake_header(&x, "Access-Control-Allow-Origin"), one);
    assert_string_equal(fake_header(&x, "Cache-Control"), "no-store");
    fake_exchange_finish(&x);
}

// An exchange that is in hand and not answered yet.
static void begin(void) {
    fake_prepare(&x, &fake, "GET", "/", "");
}

static void test_problem(void **state) {
    open_with(NULL, 0);
    begin();
    exchange_problem(&x.exchange, 409, "number %d \"quoted\"", 7);
    fake_assert_answer(&x, 409,
                       "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
                       "\"detail\":\"number 7 \\\"quoted\\\"\"}\n");
    assert_int_equal(atomic_load(&fake.worker->counters.refused), 1);
    fake_exchange_finish(&x);
}

// What a peer sent may be quoted, whatever it is: the answer is valid JSON all the same.
static void test_problem_quotes_anything(void **state) {
    static const char *const quoted[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf",
                                         "ok \xf0\x9f"};
    open_with(NULL, 0);
    for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++) {
        begin();
        exchange_problem(&x.exchange, 400, "you said: %s", quoted[i]);
        fake_assert_problem(&x, 400, "you said: ");
        fake_exchange_finish(&x);
    }
    begin();
    exchange_problem(&x.exchange, 400, "controls: %s", "\x01\x1b[31m\r\n");
    fake_assert_problem(&x, 400, "controls: \\u0001\\u001b[31m\\r\\n");
    fake_exchange_finish(&x);
}

// A sentence that is too long is cut between characters.
static void test_long_problem(void **state) {
    char text[3000];
    open_with(NULL, 0);
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof(text); i += 4) {
            memcpy(text + i, "\xf0\x9f\x8c\x8a", 5);
        }
        begin();
        exchange_problem(&x.exchange, 400, "%s", text);
        fake_assert_problem(&x, 400, "\xf0\x9f\x8c\x8a");
        assert_true(x.body.len < 1200);
        fake_exchange_finish(&x);
    }
}

static void refuse(int error, int status, enum limit limit) {
    unsigned long long before = limit < LIMIT_COUNT ? fake_limit_hits(&fake, limit) : 0;
    begin();
    exchange_refuse(&x.exchange, error);
    fake_assert_problem(&x, status, "\"detail\":");
    if (limit < LIMIT_COUNT) {
        assert_int_equal(fake_limit_hits(&fake, limit), before + 1);
    }
    fake_exchange_finish(&x);
}

static void test_refusals_count_their_limit(void **state) {
    open_with(NULL, 0);
    refuse(HTTP_ERR_HEAD_TOO_LARGE, 431, LIMIT_HEAD);
    refuse(HTTP_ERR_TARGET_TOO_LONG, 414, LIMIT_HEAD);
    refuse(HTTP_ERR_TOO_MANY_FIELDS, 431, LIMIT_HEADERS);
    refuse(ERR_NOMEM, 503, LIMIT_MEMORY);
    refuse(HTTP_ERR_HOST, 400, LIMIT_COUNT);
    refuse(ERR_SYSTEM, 500, LIMIT_COUNT);
    unsigned long long hits = 0;
    for (int i = 0; i < LIMIT_COUNT; i++) {
        hits += fake_limit_hits(&fake, (enum limit)i);
    }
    assert_int_equal(hits, 4);
    assert_int_equal(atomic_load(&fake.worker->counters.refused), 6);
}

static void test_a_reply_has_room_for_so_many_headers(void **state) {
    struct reply reply = {.status = 200};
    open_with(NULL, 0);
    for (int i = 0; i < 2 * REPLY_HEADERS_MAX; i++) {
        reply_add(&reply, "X", bytes_of("y"));
    }
    assert_int_equal(reply.header_count, REPLY_HEADERS_MAX);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_no_origins),
        TEST(test_origins),
        TEST(test_any_origin),
        TEST(test_problems_carry_cors),
        TEST(test_problem),
        TEST(test_problem_quotes_anything),
        TEST(test_long_problem),
        TEST(test_refusals_count_their_limit),
        TEST(test_a_reply_has_room_for_so_many_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
