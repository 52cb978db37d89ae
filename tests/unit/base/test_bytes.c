// Borrowed runs of bytes.
#include "support.h"

#include "base/bytes.h"

static void test_compare(void **state) {
    static const char *const sorted[] = {"", "a", "aa", "ab", "b", "\xc3"};
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 6; j++) {
            int order = bytes_compare(bytes_of(sorted[i]), bytes_of(sorted[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(bytes_equal(bytes_of(sorted[i]), bytes_of(sorted[j])), i == j);
        }
    }
    assert_true(bytes_equal(bytes_make(NULL, 0), bytes_of("")));
    assert_true(bytes_equal_nocase(bytes_of("AbC"), bytes_of("aBc")));
    assert_false(bytes_equal_nocase(bytes_of("ab"), bytes_of("abc")));
    assert_true(bytes_starts_with(bytes_of("abc"), "ab"));
    assert_false(bytes_starts_with(bytes_of("a"), "ab"));
}

static void test_trim(void **state) {
    assert_true(bytes_is(bytes_trim(bytes_of(" \t a b\t ")), "a b"));
    assert_true(bytes_is(bytes_trim(bytes_of(" \t ")), ""));
    assert_true(bytes_is(bytes_trim(bytes_make(NULL, 0)), ""));
    assert_true(bytes_is(bytes_trim(bytes_of("\na\r")), "\na\r"));
}

static void test_control(void **state) {
    assert_true(bytes_have_control(bytes_of("a\tb")));
    assert_true(bytes_have_control(bytes_of("\x7f")));
    assert_true(bytes_have_control(bytes_make("\0", 1)));
    assert_false(bytes_have_control(bytes_of(" ~\x80\xff")));
    assert_false(bytes_have_control(bytes_make(NULL, 0)));
}

static void assert_number(const char *text, uint64_t max, uint64_t want) {
    uint64_t got = 42;
    assert_true(bytes_to_u64(bytes_of(text), max, &got));
    assert_true(got == want);
}

static void assert_no_number(const char *text, uint64_t max) {
    uint64_t got = 42;
    assert_false(bytes_to_u64(bytes_of(text), max, &got));
    assert_int_equal(got, 42);
}

static void test_numbers(void **state) {
    assert_number("0", 0, 0);
    assert_number("007", 7, 7);
    assert_number("18446744073709551615", UINT64_MAX, UINT64_MAX);
    assert_no_number("18446744073709551616", UINT64_MAX);
    assert_no_number("99999999999999999999", UINT64_MAX);
    assert_number("100", 100, 100);
    assert_no_number("101", 100);
    assert_no_number("", 100);
    assert_no_number("1a", 100);
    assert_no_number("-1", 100);
    assert_no_number("+1", 100);
    assert_no_number(" 1", 100);
}

static void test_every_small_ceiling(void **state) {
    for (uint64_t max = 0; max < 30; max++) {
        for (unsigned n = 0; n < 40; n++) {
            char text[] = {(char)('0' + n / 10), (char)('0' + n % 10), '\0'};
            const char *shortest = text + (n < 10);
            uint64_t got;
            assert_int_equal(bytes_to_u64(bytes_of(shortest), max, &got), n <= max);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_every_small_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
