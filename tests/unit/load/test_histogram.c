// Percentiles are right to one part in 64, small ones exactly, and sums of histograms are histograms
// of sums.
#include "support.h"

#include <stdlib.h>

#include "load/histogram.h"

static void slots_meet_without_a_hole(void **state) {
    assert_int_equal(histogram_low(0), 0);
    for (unsigned slot = 1; slot < HISTOGRAM_SLOTS; slot++) {
        assert_int_equal(histogram_low(slot), histogram_high(slot - 1) + 1);
        assert_int_equal(histogram_slot(histogram_low(slot)), slot);
        assert_int_equal(histogram_slot(histogram_high(slot)), slot);
    }
    assert_int_equal(histogram_slot(UINT64_MAX), HISTOGRAM_SLOTS - 1);
}

static void slots_are_narrow(void **state) {
    for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
        uint64_t width = histogram_high(slot) - histogram_low(slot) + 1;
        assert_true(width == 1 || width * HISTOGRAM_STEPS <= histogram_low(slot));
    }
}

static void an_empty_one_says_nothing(void **state) {
    static const struct histogram empty;
    assert_int_equal(histogram_at(&empty, 0.5), 0);
    assert_int_equal(histogram_at(&empty, 1), 0);
}

static void small_values_are_exact(void **state) {
    static struct histogram histogram;
    for (unsigned value = 1; value <= 100; value++) {
        histogram_add(&histogram, value);
    }
    assert_int_equal(histogram_at(&histogram, 0), 1);
    assert_int_equal(histogram_at(&histogram, 0.01), 1);
    assert_int_equal(histogram_at(&histogram, 0.5), 50);
    assert_int_equal(histogram_at(&histogram, 0.99), 99);
    assert_int_equal(histogram_at(&histogram, 1), 100);
    assert_int_equal(histogram.sum, 5050);
}

static void large_values_are_close(void **state) {
    static struct histogram histogram;
    for (uint64_t value = 1; value <= 1000000; value++) {
        histogram_add(&histogram, value);
    }
    const double shares[] = {0.1, 0.5, 0.9, 0.99, 0.999};
    for (unsigned i = 0; i < 5; i++) {
        double exact = shares[i] * 1e6, told = (double)histogram_at(&histogram, shares[i]);
        assert_true(told >= exact && told <= exact * (1 + 1.0 / HISTOGRAM_STEPS) + 1);
    }
    assert_int_equal(histogram_at(&histogram, 1), 1000000);
}

static void the_end_of_a_slot_is_not_above_the_largest(void **state) {
    static struct histogram histogram;
    histogram_add(&histogram, 1000001);
    assert_int_equal(histogram_at(&histogram, 0.5), 1000001);
}

static void merging_adds_up(void **state) {
    static struct histogram one, two, both;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t value = (uint64_t)i * i;
        histogram_add(i % 3 ? &one : &two, value);
        histogram_add(&both, value);
    }
    histogram_merge(&one, &two);
    assert_memory_equal(&one, &both, sizeof(both));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_meet_without_a_hole),
        cmocka_unit_test(slots_are_narrow),
        cmocka_unit_test(an_empty_one_says_nothing),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(large_values_are_close),
        cmocka_unit_test(the_end_of_a_slot_is_not_above_the_largest),
        cmocka_unit_test(merging_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
