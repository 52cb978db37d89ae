// What statuses, media types, Retry-After, ids and header lines mean.
#include "client/policy.h"

#include "support.h"

static void statuses_have_verdicts(void **state) {
    static const struct {
        long status;
        enum policy_verdict verdict;
    } cases[] = {
        {200, POLICY_GOOD},     {201, POLICY_FAIL},     {204, POLICY_DONE},  {205, POLICY_FAIL},
        {206, POLICY_FAIL},     {299, POLICY_FAIL},     {300, POLICY_FAIL},  {301, POLICY_REDIRECT},
        {302, POLICY_REDIRECT}, {303, POLICY_REDIRECT}, {304, POLICY_FAIL},  {307, POLICY_REDIRECT},
        {308, POLICY_REDIRECT}, {400, POLICY_FAIL},     {401, POLICY_FAIL},  {404, POLICY_FAIL},
        {408, POLICY_RETRY},    {429, POLICY_RETRY},    {500, POLICY_RETRY}, {502, POLICY_RETRY},
        {503, POLICY_RETRY},    {599, POLICY_RETRY},    {600, POLICY_FAIL},  {999, POLICY_FAIL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(policy_status(cases[i].status), cases[i].verdict);
    }
    assert_true(policy_permanent(301) && policy_permanent(308));
    assert_false(policy_permanent(302) || policy_permanent(303) || policy_permanent(307));
}

static void only_the_essence_of_a_type_counts(void **state) {
    static const char *const good[] = {"text/event-stream", "TEXT/Event-Stream",
                                       "text/event-stream;", "text/event-stream; charset=utf-8",
                                       " text/event-stream ;x"};
    static const char *const bad[] = {"",
                                      "text/event-streams",
                                      "text/event-stream2; a",
                                      "text/html",
                                      ";text/event-stream",
                                      "text/event-stream, a/b",
                                      "application/text/event-stream"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(policy_is_event_stream(bytes_of(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(policy_is_event_stream(bytes_of(bad[i])));
    }
}

static void retry_after_is_seconds_or_a_date(void **state) {
    // 1994-11-06 08:49:37 UTC, HTTP's own example.
    const int64_t then = INT64_C(784111777000);
    assert_int_equal(policy_retry_after(bytes_of("0"), then), 0);
    assert_int_equal(policy_retry_after(bytes_of(" 120 "), then), 120000);
    assert_int_equal(policy_retry_after(bytes_of("3601"), then), 3600000);
    assert_int_equal(policy_retry_after(bytes_of("4294967295"), then), 3600000);
    assert_int_equal(policy_retry_after(bytes_of("Sun, 06 Nov 1994 08:49:37 GMT"), then - 30000),
                     30000);
    assert_int_equal(policy_retry_after(bytes_of("Sunday, 06-Nov-94 08:49:37 GMT"), then - 30000),
                     30000);
    assert_int_equal(policy_retry_after(bytes_of("Sun, 06 Nov 1994 08:49:37 GMT"), then + 1), 0);
    assert_int_equal(policy_retry_after(bytes_of("Sun, 06 Nov 1994 08:49:37 GMT"), 0), 3600000);
}

static void other_retry_afters_are_ignored(void **state) {
    static const char *const bad[] = {
        "", "-1", "1.5", "soon", "99999999999999999999", "+5", "Sun, 99 Foo 1994"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(policy_retry_after(bytes_of(bad[i]), 0), -1);
    }
    char long_one[200];
    memset(long_one, 'S', sizeof(long_one));
    assert_int_equal(policy_retry_after(bytes_make(long_one, sizeof(long_one)), 0), -1);
    assert_int_equal(policy_retry_after(bytes_make(NULL, 0), 0), -1);
}

static void ids_must_survive_the_header(void **state) {
    char long_one[4097];
    memset(long_one, 'x', sizeof(long_one));
    assert_true(policy_id_fits_header(bytes_of("1700000000000-0")));
    assert_true(policy_id_fits_header(bytes_of("a b\tc") /* a tab is a control */) == false);
    assert_true(policy_id_fits_header(bytes_of("\xc3\xa9 \xf0\x9f\x98\x80")));
    assert_true(policy_id_fits_header(bytes_make(long_one, 4096)));
    assert_false(policy_id_fits_header(bytes_make(long_one, 4097)));
    assert_false(policy_id_fits_header(bytes_of("")));
    assert_false(policy_id_fits_header(bytes_of(" a")));
    assert_false(policy_id_fits_header(bytes_of("a ")));
    assert_false(policy_id_fits_header(bytes_of("a\x1b")));
    assert_false(policy_id_fits_header(bytes_of("a\r\nX: y")));
    assert_false(policy_id_fits_header(bytes_make("a\0b", 3)));
}

static void header_lines_are_checked(void **state) {
    static const char *const good[] = {"A: b", "Authorization: Bearer x.y", "X-1:v", "a!#$%: b c"};
    static const char *const bad[] = {"",      "A",      "A:",       ": b",          "A b: c",
                                      "A : c", "A: b\r", "A: b\x7f", "A: b\r\nB: c", "\xc3\xa9: b",
                                      "A:  "};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(policy_is_header_line(bytes_of(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(policy_is_header_line(bytes_of(bad[i])));
    }
    assert_false(policy_is_header_line(bytes_make("A\0: b", 5)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_verdicts),
        cmocka_unit_test(only_the_essence_of_a_type_counts),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(other_retry_afters_are_ignored),
        cmocka_unit_test(ids_must_survive_the_header),
        cmocka_unit_test(header_lines_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
