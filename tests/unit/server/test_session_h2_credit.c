// Credit: frames for nothing use it up, work and time give it back, and never more than there was.
#include "support.h"

#include "server/session_h2_credit.h"

static void test_a_burst(void **state) {
    struct h2_credit credit;
    h2_credit_init(&credit, 5000);
    for (int i = 0; i < CREDIT_MAX; i++) {
        assert_true(h2_credit_spend(&credit, 5000, 1));
    }
    assert_false(h2_credit_spend(&credit, 5000, 1));
}

static void test_time_gives(void **state) {
    struct h2_credit credit;
    h2_credit_init(&credit, 0);
    assert_true(h2_credit_spend(&credit, 0, CREDIT_MAX));
    assert_true(h2_credit_spend(&credit, 1500, CREDIT_PER_SECOND));
    assert_true(h2_credit_spend(&credit, 2000, CREDIT_PER_SECOND)); // the half second was not lost
    assert_false(h2_credit_spend(&credit, 2999, 1));
}

static void test_a_long_time_gives_no_more_than_all(void **state) {
    struct h2_credit credit;
    h2_credit_init(&credit, 0);
    assert_true(h2_credit_spend(&credit, 0, CREDIT_MAX));
    assert_true(h2_credit_spend(&credit, INT64_MAX / 2, CREDIT_MAX));
    assert_false(h2_credit_spend(&credit, INT64_MAX / 2, 1));
}

static void test_work_earns(void **state) {
    struct h2_credit credit;
    h2_credit_init(&credit, 0);
    h2_credit_earn(&credit, 10);
    assert_int_equal(credit.left, CREDIT_MAX);
    for (int i = 0; i < 10 * CREDIT_MAX; i++) {
        // A request, its head, its data, its cancelling.
        h2_credit_earn(&credit, 2 * CREDIT_EARNED);
        assert_true(h2_credit_spend(&credit, 0, CREDIT_FRAME));
        assert_true(h2_credit_spend(&credit, 0, CREDIT_FRAME + CREDIT_RESET));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst),
        cmocka_unit_test(test_time_gives),
        cmocka_unit_test(test_a_long_time_gives_no_more_than_all),
        cmocka_unit_test(test_work_earns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
