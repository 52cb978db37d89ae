// The wait before the next attempt: what the server asked for, doubled after each failure,
// jittered.
#include "client/backoff.h"

#include "support.h"

static void assert_waits(struct backoff *backoff, bool did_good, int64_t wait) {
    int64_t got = backoff_next(backoff, did_good);
    assert_in_range(got, wait, wait + wait / 4);
}

static void failures_double_the_wait(void **state) {
    static const int64_t waits[] = {3000, 6000, 12000, 24000, 48000, 60000, 60000};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct backoff backoff;
        backoff_init(&backoff, 3000, seed);
        for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
            assert_waits(&backoff, false, waits[i]);
        }
        assert_waits(&backoff, true, 3000);
        assert_waits(&backoff, false, 3000);
        assert_waits(&backoff, false, 6000);
    }
}

static void the_server_decides_within_bounds(void **state) {
    struct backoff backoff;
    backoff_init(&backoff, 3000, 1);
    backoff_set_retry(&backoff, 0);
    assert_waits(&backoff, true, 100);
    backoff_set_retry(&backoff, INT64_MAX);
    assert_waits(&backoff, true, 3600000);
    backoff_set_retry(&backoff, 250);
    assert_waits(&backoff, true, 250);
}

static void a_long_retry_is_neither_cut_nor_doubled(void **state) {
    struct backoff backoff;
    backoff_init(&backoff, 600000, 1);
    assert_waits(&backoff, false, 600000);
    assert_waits(&backoff, false, 600000);
    assert_waits(&backoff, false, 600000);
}

static void waits_differ(void **state) {
    struct backoff backoff;
    int64_t low = INT64_MAX, high = 0;
    backoff_init(&backoff, 1000, 42);
    for (int i = 0; i < 100; i++) {
        int64_t wait = backoff_next(&backoff, true);
        low = wait < low ? wait : low;
        high = wait > high ? wait : high;
    }
    assert_true(high - low > 150);
}

static void failures_do_not_overflow(void **state) {
    struct backoff backoff;
    backoff_init(&backoff, 100, 1);
    backoff.failures = UINT32_MAX - 1;
    assert_waits(&backoff, false, 60000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_double_the_wait),
        cmocka_unit_test(the_server_decides_within_bounds),
        cmocka_unit_test(a_long_retry_is_neither_cut_nor_doubled),
        cmocka_unit_test(waits_differ),
        cmocka_unit_test(failures_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
