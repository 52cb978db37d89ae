// Buckets: what may be spent at once and over time, how long to wait, and how many there are.
#include "support.h"

#include "auth/rate.h"

enum { EVERYONE = 2 * RATE_BUCKETS };

// Keys as hashes are: spread over all parts.
static uint64_t key_of(uint64_t i) {
    return i * UINT64_C(0x9e3779b97f4a7c15);
}

static void test_a_burst_and_then_the_rate(void **state) {
    (void)state;
    struct rate rate;
    rate_init(&rate, &mem_libc, 10, 2);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rate_spend(&rate, 7, 1, 1000), 0);
    }
    assert_int_equal(rate_spend(&rate, 7, 1, 1000), 100);
    assert_int_equal(rate_spend(&rate, 8, 1, 1000), 0); // somebody else
    assert_int_equal(rate_spend(&rate, 7, 1, 1099), 1); // a refusal costs nothing
    assert_int_equal(rate_spend(&rate, 7, 1, 1100), 0);
    assert_int_equal(rate_spend(&rate, 7, 3, 1150), 250);
    assert_int_equal(rate_spend(&rate, 7, 3, 1400), 0);
    rate_finish(&rate);
}

static void test_what_is_waited_for_is_enough(void **state) {
    (void)state;
    struct rate rate;
    int64_t now = 5;
    rate_init(&rate, &mem_libc, 3, 1); // thirds of a second are no whole number of anything
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t cost = i % 3 + 1;
        int64_t wait = rate_spend(&rate, 7, cost, now);
        if (wait) {
            assert_true(rate_spend(&rate, 7, cost, now + wait - 1) > 0);
            now += wait;
            assert_int_equal(rate_spend(&rate, 7, cost, now), 0);
        }
    }
    // 2,000 in all, of which the last three may be the burst's.
    assert_in_range(now, 665000, 667000);
    rate_finish(&rate);
}

static void test_more_than_a_bucket_is_paid_off(void **state) {
    (void)state;
    struct rate rate;
    rate_init(&rate, &mem_libc, 100, 1);
    assert_int_equal(rate_spend(&rate, 7, 1000, 0), 0);
    assert_int_equal(rate_spend(&rate, 7, 1, 0), 9010);
    assert_int_equal(rate_spend(&rate, 7, 1000, 0), 10000); // only from a full bucket
    assert_int_equal(rate_spend(&rate, 7, 1000, 10000), 0);
    assert_true(rate_spend(&rate, 9, UINT64_MAX, 0) == 0);
    assert_true(rate_spend(&rate, 9, UINT64_MAX, 1) > 0);
    rate_finish(&rate);
}

static void test_what_was_not_used_is_given_back(void **state) {
    (void)state;
    struct rate rate;
    rate_init(&rate, &mem_libc, 10, 1);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(rate_spend(&rate, 7, 10, 50), 0);
        rate_refund(&rate, 7, 10);
    }
    rate_refund(&rate, 8, 10); // of which there is none
    assert_int_equal(rate_spend(&rate, 7, 10, 50), 0);
    assert_int_equal(rate_spend(&rate, 7, 10, 50), 1000);
    rate_finish(&rate);
}

static void test_without_a_limit_there_is_nothing(void **state) {
    (void)state;
    struct test_mem mem;
    struct rate rate;
    test_mem_init(&mem);
    rate_init(&rate, &mem.mem, 0, 1);
    assert_int_equal(rate_spend(&rate, 7, UINT64_MAX, 0), 0);
    rate_refund(&rate, 7, 1);
    rate_finish(&rate);
    assert_int_equal(mem.calls, 0);
    test_mem_finish(&mem);
}

static void test_full_buckets_go(void **state) {
    (void)state;
    struct test_mem mem;
    struct rate rate;
    test_mem_init(&mem);
    rate_init(&rate, &mem.mem, 10, 1);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(rate_spend(&rate, key_of(i), 1, 0), 0);
    }
    assert_int_equal(rate_buckets(&rate), 1000);
    for (uint64_t i = 1000; i < 2000; i++) {
        assert_int_equal(rate_spend(&rate, key_of(i), 1, 100), 0);
    }
    // Those of before are full, and two of them go for each that comes.
    assert_in_range(rate_buckets(&rate), 1000, 1100);
    rate_finish(&rate);
    test_mem_finish(&mem);
}

static void test_there_are_never_more_than_so_many(void **state) {
    (void)state;
    struct rate rate;
    rate_init(&rate, &mem_libc, 1, 1);
    for (uint64_t i = 0; i < EVERYONE; i++) {
        assert_int_equal(rate_spend(&rate, key_of(i), 1, 0), 0);
        assert_true(i % 1024 || rate_buckets(&rate) <= RATE_BUCKETS);
    }
    assert_in_range(rate_buckets(&rate), RATE_BUCKETS - RATE_BUCKETS / 8, RATE_BUCKETS);
    // The newest are known, the oldest are taken to be full.
    assert_int_equal(rate_spend(&rate, key_of(EVERYONE - 1), 1, 0), 1000);
    assert_int_equal(rate_spend(&rate, key_of(0), 1, 0), 0);
    rate_finish(&rate);
}

static void test_without_memory_it_lets_through(void **state) {
    (void)state;
    for (long fail = 1; fail <= 2; fail++) {
        struct test_mem mem;
        struct rate rate;
        test_mem_init(&mem);
        rate_init(&rate, &mem.mem, 1, 1);
        mem.fail_at = fail;
        assert_int_equal(rate_spend(&rate, 7, 1, 0), 0);
        assert_int_equal(rate_buckets(&rate), 0);
        assert_int_equal(rate_spend(&rate, 7, 1, 0), 0);
        assert_int_equal(rate_spend(&rate, 7, 1, 0), 1000);
        rate_finish(&rate);
        test_mem_finish(&mem);
    }
}

static void test_another_rate(void **state) {
    (void)state;
    struct rate rate;
    rate_init(&rate, &mem_libc, 0, 1);
    assert_int_equal(rate_spend(&rate, 7, 1000, 0), 0);
    rate_limit(&rate, 10, 1);
    assert_int_equal(rate_spend(&rate, 7, 10, 0), 0);
    assert_int_equal(rate_spend(&rate, 7, 1, 0), 100);
    rate_limit(&rate, 1000, 2); // what is owed stays owed, as time
    assert_int_equal(rate_spend(&rate, 7, 1000, 0), 0);
    assert_int_equal(rate_spend(&rate, 7, 1, 0), 1);
    rate_limit(&rate, 0, 1);
    assert_int_equal(rate_spend(&rate, 7, 1000, 0), 0);
    rate_finish(&rate);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_and_then_the_rate),
        cmocka_unit_test(test_another_rate),
        cmocka_unit_test(test_what_is_waited_for_is_enough),
        cmocka_unit_test(test_more_than_a_bucket_is_paid_off),
        cmocka_unit_test(test_what_was_not_used_is_given_back),
        cmocka_unit_test(test_without_a_limit_there_is_nothing),
        cmocka_unit_test(test_full_buckets_go),
        cmocka_unit_test(test_there_are_never_more_than_so_many),
        cmocka_unit_test(test_without_memory_it_lets_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
