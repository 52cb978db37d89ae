// The query of the next page.
#include "support.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "server/next_page.h"

static void assert_next(const char *query, const char *expected) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(next_page_query(bytes_of(query), &out), 0);
    assert_int_equal(buf_append(&out, "", 1), 0);
    assert_string_equal(out.at, expected);
    buf_finish(&out);
}

static void everything_but_the_start_is_kept(void **state) {
    assert_next("", "?last_event_id=");
    assert_next("limit=5", "?limit=5&last_event_id=");
    assert_next("last_event_id=1-2", "?last_event_id=");
    assert_next("a&last=5&b=last=5&since&topic=x&topic=y&&",
                "?a&b=last=5&topic=x&topic=y&last_event_id=");
    assert_next("ticket=abc&limit=1&tickets=2", "?limit=1&tickets=2&last_event_id=");
    assert_next("%6cast=1&l%61st_event_id=3&LAST=4&lasts=5", "?LAST=4&lasts=5&last_event_id=");
}

static void what_could_end_a_reference_is_escaped(void **state) {
    assert_next("a=<b>\"\\^`{|}\x7f\xc3\xa9 '",
                "?a=%3Cb%3E%22%5C%5E%60%7B%7C%7D%7F%C3%A9%20'&last_event_id=");
    assert_next("a=%3e+%26", "?a=%3e+%26&last_event_id=");
}

static void a_bad_escape_is_refused(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(next_page_query(bytes_of("a%zz=1"), &out), ERR_INVALID);
    buf_finish(&out);
}

static void memory_may_fail(void **state) {
    int rc = ERR_NOMEM;
    for (long fail_at = 1; rc; fail_at++) {
        struct test_mem mem;
        struct buf out;
        test_mem_init(&mem);
        mem.fail_at = fail_at;
        buf_init(&out, &mem.mem, 0);
        rc = next_page_query(bytes_of("limit=5&topic=a"), &out);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_true(fail_at < 20);
        buf_finish(&out);
        test_mem_finish(&mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_but_the_start_is_kept),
        cmocka_unit_test(what_could_end_a_reference_is_escaped),
        cmocka_unit_test(a_bad_escape_is_refused),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
