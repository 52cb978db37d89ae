// What stands in events: as long as asked for, the same for the same number, and no copy of others.
#include "support.h"

#include "load/filler.h"

static void letters(void **state) {
    struct filler filler;
    assert_int_equal(filler_init(&filler, false, 100), 0);
    struct bytes piece = filler_piece(&filler, 7, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(piece.at[i], 'x');
    }
    filler_finish(&filler);
}

static void records(void **state) {
    static const size_t sizes[] = {0, 1, 250, 300000};
    for (size_t i = 0; i < 4; i++) {
        struct filler filler;
        assert_int_equal(filler_init(&filler, true, sizes[i]), 0);
        for (uint32_t number = 0; number < 1000; number++) {
            struct bytes piece = filler_piece(&filler, number, sizes[i]);
            assert_int_equal(piece.len, sizes[i]);
            assert_true(piece.at >= filler.pool.at &&
                        piece.at + piece.len <= filler.pool.at + filler.pool.len);
            assert_true(piece.len == 0 || piece.at[0] == '{');
            assert_ptr_equal(filler_piece(&filler, number, sizes[i]).at, piece.at);
            assert_ptr_not_equal(filler_piece(&filler, number + 1, sizes[i]).at, piece.at);
        }
        filler_finish(&filler);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters),
        cmocka_unit_test(records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
