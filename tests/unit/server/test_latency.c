// Times from stamp to now, and shares of what was added between two looks.
#include "server/fake.h"

#include <stdlib.h>

static struct fake_server fake;
static struct histogram before, now;

static int setup(void **state) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    latency_sum(&fake.server, &before);
    return 0;
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

static void note(int64_t published, int64_t sent) {
    latency_note(&fake.worker->latency, latency_stamp(published), sent);
}

static int64_t share(double share) {
    latency_sum(&fake.server, &now);
    return latency_between(&before, &now, share);
}

static void test_nothing(void **state) {
    assert_int_equal(share(0.5), -1);
    assert_int_equal(share(0.99), -1);
}

static void test_shares(void **state) {
    for (int64_t us = 1; us <= 100; us++) {
        note(1000, 1000 + us);
    }
    assert_int_equal(share(0.5), 50);
    assert_int_equal(share(0.99), 99);
    assert_int_equal(share(1), 100);
    assert_int_equal(now.count - before.count, 100);
    assert_int_equal(now.sum - before.sum, 5050);
}

static void test_only_what_is_new(void **state) {
    note(1, 100001);
    latency_sum(&fake.server, &before);
    assert_int_equal(share(0.99), -1);
    note(1, 8);
    assert_int_equal(share(0.99), 7);
}

// The clock has more bits than a stamp.
static void test_wraps(void **state) {
    note(((int64_t)5 << 32) - 10, ((int64_t)5 << 32) + 20);
    assert_int_equal(share(1), 30);
    assert_int_equal(latency_stamp((int64_t)7 << 32), 1); // 0 says that there is none
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_what_is_new, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wraps, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
