// Of which event the owner is told when live events were taken: the first of what was sent, and never of
// what came from the past.
#include "hub/fake.h"

static struct fake_hub fake;
static struct fake_sub sub;

static int setup(void **state) {
    fake_hub_init(&fake);
    fake_hub_open(&fake);
    fake_sub_init(&sub, &fake);
    return 0;
}

static int teardown(void **state) {
    fake_sub_finish(&sub);
    fake_hub_finish(&fake);
    return 0;
}

static void publish(uint32_t stamp) {
    fake.stamp = stamp;
    fake_publish(&fake, "a", "x");
}

static void assert_told(size_t times, uint32_t last) {
    fake_flush(&fake);
    assert_int_equal(sub.told, times);
    assert_int_equal(sub.told_last, last);
}

static void test_live(void **state) {
    fake_join(&sub, "a");
    assert_told(0, 0);
    publish(7);
    assert_told(1, 7);
    publish(8);
    publish(9);
    publish(10);
    assert_told(2, 8);
}

// The first of many is told again for who stands behind it.
static void test_behind_the_first(void **state) {
    struct fake_sub late;
    fake_join(&sub, "a");
    publish(7);
    assert_told(1, 7);
    fake_sub_init(&late, &fake);
    fake_join_after(&late, "a", fake.newest - 1);
    publish(8);
    fake_flush(&fake);
    assert_int_equal(sub.told_last, 8);
    assert_int_equal(late.told_last, late.told ? 7 : 0);
    fake_sub_finish(&late);
}

static void test_packed(void **state) {
#ifdef HAVE_ZLIB
    sub.gzip = true;
    fake_join(&sub, "a");
    fake_flush(&fake);
    publish(7);
    assert_told(1, 7);
    publish(8);
    publish(9);
    assert_told(2, 8);
#endif
}

static void test_not_of_the_past(void **state) {
    publish(7);
    publish(8);
    fake_join_after(&sub, "a", fake.newest - 2);
    assert_told(0, 0);
    assert_true(sub.received > 0);
    publish(9);
    assert_told(1, 9);
}

static void test_not_without_a_stamp(void **state) {
    fake_join(&sub, "a");
    publish(0);
    assert_told(0, 0);
}

// A part is told when the first bytes of it are taken; its rest is nothing new.
static void test_in_parts(void **state) {
    fake_join(&sub, "a");
    fake_flush(&fake);
    sub.room = 0;
    publish(7);
    assert_told(0, 0);
    fake_drain(&sub, 3);
    assert_told(1, 7);
    fake_drain(&sub, 1000);
    assert_told(1, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_live, setup, teardown),
        cmocka_unit_test_setup_teardown(test_behind_the_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_packed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_of_the_past, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_without_a_stamp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_parts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
