// The checker must see every fault that is put in, and none that is not.
#include "support.h"

#include "load/sequence.h"

static struct sequence_faults faults_of(const uint32_t *numbers, unsigned count, uint32_t sent) {
    struct sequence sequence = {0};
    struct sequence_faults faults = {0};
    for (unsigned i = 0; i < count; i++) {
        sequence_take(&sequence, numbers[i], &faults);
    }
    sequence_end(&sequence, sent, &faults);
    return faults;
}

#define CHECK(sent, a, b, c, ...)                                                                  \
    do {                                                                                           \
        const uint32_t numbers[] = {__VA_ARGS__};                                                  \
        struct sequence_faults faults =                                                            \
            faults_of(numbers, sizeof(numbers) / sizeof(numbers[0]), sent);                        \
        assert_int_equal(faults.missing, a);                                                       \
        assert_int_equal(faults.late, b);                                                          \
        assert_int_equal(faults.duplicates, c);                                                    \
    } while (0)

static void order_is_fine(void **state) {
    CHECK(5, 0, 0, 0, 0, 1, 2, 3, 4);
}

static void gaps_are_seen(void **state) {
    CHECK(4, 1, 0, 0, 0, 1, 3);
    CHECK(4, 1, 0, 0, 1, 2, 3);
    CHECK(4, 1, 0, 0, 0, 1, 2);
    CHECK(1000, 998, 0, 0, 0, 999);
}

static void nothing_at_all_is_a_gap(void **state) {
    struct sequence_faults faults = faults_of(NULL, 0, 3);
    assert_int_equal(faults.missing, 3);
}

static void duplicates_are_seen(void **state) {
    CHECK(3, 0, 0, 1, 0, 0, 1, 2);
    CHECK(3, 0, 0, 1, 0, 1, 2, 2);
    CHECK(3, 0, 0, 2, 0, 1, 2, 0, 1);
    CHECK(4, 1, 0, 1, 0, 1, 3, 1);
}

static void what_comes_late_is_not_missing(void **state) {
    CHECK(4, 0, 1, 0, 0, 2, 1, 3);
    CHECK(4, 0, 1, 0, 1, 2, 3, 0);
    CHECK(4, 0, 1, 1, 0, 2, 1, 1, 3);
    CHECK(6, 1, 1, 0, 0, 3, 2, 4, 5);
}

static void faults_at_the_edge_of_its_memory(void **state) {
    for (uint32_t back = 60; back <= 70; back++) {
        struct sequence sequence = {0};
        struct sequence_faults faults = {0};
        for (uint32_t i = 0; i < 200; i++) {
            sequence_take(&sequence, i + (i >= 100), &faults);
        }
        assert_int_equal(faults.missing, 1);
        // Numbers 0 to 200 without 100 have come; now one that has come before, far back.
        sequence_take(&sequence, 200 - back, &faults);
        assert_int_equal(faults.duplicates + faults.late, 1);
        assert_int_equal(faults.duplicates, back < 64);
    }
}

static void a_gap_wider_than_its_memory(void **state) {
    for (uint32_t jump = 60; jump <= 70; jump++) {
        CHECK(jump + 2, jump - 2, 1, 1, 0, jump, jump + 1, jump, jump - 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_fine),
        cmocka_unit_test(gaps_are_seen),
        cmocka_unit_test(nothing_at_all_is_a_gap),
        cmocka_unit_test(duplicates_are_seen),
        cmocka_unit_test(what_comes_late_is_not_missing),
        cmocka_unit_test(faults_at_the_edge_of_its_memory),
        cmocka_unit_test(a_gap_wider_than_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
