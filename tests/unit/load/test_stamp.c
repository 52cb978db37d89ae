// Stamps come back as they were, and nothing else passes for one.
#include "support.h"

#include <string.h>

#include "load/stamp.h"

static void stamps_come_back(void **state) {
    const struct stamp stamps[] = {
        {0, 0, 0, 0},
        {STAMP_RUNS - 1, STAMP_LANES - 1, STAMP_SEQUENCES - 1, STAMP_TIMES - 1},
        {1, 2, 3, 4},
        {1234, 1234567, 123456789, 987654321},
    };
    for (unsigned i = 0; i < 4; i++) {
        char letters[STAMP_SIZE];
        struct stamp back;
        stamp_write(&stamps[i], letters);
        assert_true(stamp_read(letters, &back));
        assert_int_equal(back.run, stamps[i].run);
        assert_int_equal(back.lane, stamps[i].lane);
        assert_int_equal(back.sequence, stamps[i].sequence);
        assert_int_equal(back.time_us, stamps[i].time_us);
    }
}

static void other_letters_are_none(void **state) {
    struct stamp stamp = {1, 2, 3, 4};
    char letters[STAMP_SIZE];
    for (int letter = 0; letter < 256; letter++) {
        for (unsigned i = 0; i < STAMP_SIZE; i++) {
            stamp_write(&(struct stamp){1, 2, 3, 4}, letters);
            letters[i] = (char)letter;
            int digit = letter && letter < 128 &&
                        strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-",
                               letter) != NULL;
            assert_int_equal(stamp_read(letters, &stamp), digit);
        }
    }
}

static void ages_wrap_around(void **state) {
    struct stamp stamp = {.time_us = STAMP_TIMES - 5};
    assert_int_equal(stamp_age_us(&stamp, (int64_t)STAMP_TIMES - 5), 0);
    assert_int_equal(stamp_age_us(&stamp, (int64_t)STAMP_TIMES + 10), 15);
    assert_int_equal(stamp_age_us(&stamp, 7 * (int64_t)STAMP_TIMES + 10), 15);
    // Ahead of its time by a little: clocks of two processors.
    assert_int_equal(stamp_age_us(&stamp, (int64_t)STAMP_TIMES - 6), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_come_back),
        cmocka_unit_test(other_letters_are_none),
        cmocka_unit_test(ages_wrap_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
