// A key holds as many as it may and no more, others are not concerned, and nothing stays behind.
#include "support.h"

#include "auth/quota.h"
#include "base/error.h"

enum { PARTS_APART = 60 }; // the bits of a key that choose its part

static void test_as_many_as_it_may(void **state) {
    (void)state;
    struct quota quota;
    struct quota_entry *held[4];
    quota_init(&quota, &mem_libc, 2);
    assert_int_equal(quota_take(&quota, 7, &held[0]), 0);
    assert_int_equal(quota_take(&quota, 7, &held[1]), 0);
    assert_int_equal(quota_take(&quota, 7, &held[2]), ERR_TOO_LARGE);
    assert_null(held[2]);
    assert_int_equal(quota_take(&quota, 8, &held[3]), 0); // somebody else
    quota_give(&quota, &held[0]);
    assert_null(held[0]);
    assert_int_equal(quota_take(&quota, 7, &held[2]), 0);
    for (int i = 1; i < 4; i++) {
        quota_give(&quota, &held[i]);
    }
    assert_int_equal(quota_keys(&quota), 0);
    quota_finish(&quota);
}

static void test_what_is_not_limited_is_not_counted(void **state) {
    (void)state;
    struct test_mem mem;
    struct quota quota;
    struct quota_entry *held;
    test_mem_init(&mem);
    quota_init(&quota, &mem.mem, 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(quota_take(&quota, 7, &held), 0);
        assert_null(held);
        quota_give(&quota, &held);
    }
    quota_finish(&quota);
    assert_int_equal(mem.calls, 0);
    test_mem_finish(&mem);
}

static void test_entries_go_with_the_last(void **state) {
    (void)state;
    struct test_mem mem;
    struct quota quota;
    struct quota_entry *held[1000];
    test_mem_init(&mem);
    quota_init(&quota, &mem.mem, 1);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(quota_take(&quota, i << PARTS_APART | i, &held[i]), 0);
    }
    assert_int_equal(quota_keys(&quota), 1000);
    for (int i = 0; i < 1000; i++) {
        quota_give(&quota, &held[i]);
    }
    assert_int_equal(quota_keys(&quota), 0);
    quota_finish(&quota);
    test_mem_finish(&mem);
}

static void test_without_memory(void **state) {
    (void)state;
    for (long fail = 1; fail <= 2; fail++) {
        struct test_mem mem;
        struct quota quota;
        struct quota_entry *held;
        test_mem_init(&mem);
        quota_init(&quota, &mem.mem, 1);
        mem.fail_at = fail;
        assert_int_equal(quota_take(&quota, 7, &held), ERR_NOMEM);
        assert_null(held);
        assert_int_equal(quota_keys(&quota), 0);
        assert_int_equal(quota_take(&quota, 7, &held), 0);
        quota_give(&quota, &held);
        quota_finish(&quota);
        test_mem_finish(&mem);
    }
}

struct crowd {
    struct quota *quota;
    int rounds;
    long refused;
};

static void *come_and_go(void *arg) {
    struct crowd *crowd = arg;
    for (int i = 0; i < crowd->rounds; i++) {
        struct quota_entry *first, *second;
        crowd->refused += quota_take(crowd->quota, (uint64_t)(i % 8), &first) != 0;
        crowd->refused += quota_take(crowd->quota, (uint64_t)(i % 5), &second) != 0;
        quota_give(crowd->quota, &first);
        quota_give(crowd->quota, &second);
    }
    return NULL;
}

static void test_many_threads(void **state) {
    (void)state;
    struct quota quota;
    pthread_t threads[4];
    struct crowd crowds[4];
    quota_init(&quota, &mem_libc, 8); // as many as four threads can hold
    for (int i = 0; i < 4; i++) {
        crowds[i] = (struct crowd){.quota = &quota, .rounds = 20000};
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowds[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(crowds[i].refused, 0);
    }
    assert_int_equal(quota_keys(&quota), 0);
    quota_finish(&quota);
}

static void test_another_limit(void **state) {
    (void)state;
    struct quota quota;
    struct quota_entry *held[4], *more;
    quota_init(&quota, &mem_libc, 0);
    assert_int_equal(quota_take(&quota, 7, &held[0]), 0); // not counted, then or later
    quota_limit(&quota, 2);
    assert_int_equal(quota_take(&quota, 7, &held[1]), 0);
    assert_int_equal(quota_take(&quota, 7, &held[2]), 0);
    assert_int_equal(quota_take(&quota, 7, &more), ERR_TOO_LARGE);
    quota_limit(&quota, 3);
    assert_int_equal(quota_take(&quota, 7, &held[3]), 0);
    quota_limit(&quota, 1); // who has more keeps it
    assert_int_equal(quota_take(&quota, 7, &more), ERR_TOO_LARGE);
    quota_give(&quota, &held[0]);
    quota_give(&quota, &held[1]);
    quota_give(&quota, &held[2]);
    assert_int_equal(quota_take(&quota, 7, &more), ERR_TOO_LARGE);
    quota_limit(&quota, 0);
    quota_give(&quota, &held[3]);
    assert_int_equal(quota_keys(&quota), 0);
    quota_finish(&quota);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_many_as_it_may),
        cmocka_unit_test(test_what_is_not_limited_is_not_counted),
        cmocka_unit_test(test_entries_go_with_the_last),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_another_limit),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
