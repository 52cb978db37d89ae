// Holes: where a read ends, what it is told, and that there are never too many.
#include "support.h"

#include "history/disk_holes.h"

static void a_read_stops_before_a_hole(void **state) {
    struct disk_holes holes = {0};
    event_id floor = 0;
    disk_holes_add(&holes, 10, 20);
    disk_holes_add(&holes, 30, 40);
    assert_int_equal(disk_holes_clamp(&holes, 0, 99, &floor), 10);
    assert_int_equal(disk_holes_clamp(&holes, 0, 5, &floor), 5);
    assert_int_equal(disk_holes_clamp(&holes, 20, 99, &floor), 30);
    assert_int_equal(floor, 0);
    assert_int_equal(disk_holes_clamp(&holes, 10, 99, &floor), 30);
    assert_int_equal(floor, 20);
    assert_int_equal(disk_holes_clamp(&holes, 39, 99, &floor), 99);
    assert_int_equal(floor, 40);
    floor = 0;
    assert_int_equal(disk_holes_clamp(&holes, 40, 99, &floor), 99);
    assert_int_equal(floor, 0);
}

static void what_touches_is_one(void **state) {
    struct disk_holes holes = {0};
    disk_holes_add(&holes, 10, 11);
    disk_holes_add(&holes, 11, 12);
    disk_holes_add(&holes, 12, 12); // nothing
    assert_int_equal(holes.count, 1);
    assert_false(disk_holes_have(&holes, 10));
    assert_true(disk_holes_have(&holes, 11));
    assert_true(disk_holes_have(&holes, 12));
    assert_false(disk_holes_have(&holes, 13));
}

static void the_oldest_merge(void **state) {
    struct disk_holes holes = {0};
    for (event_id id = 0; id < 1000; id++) {
        disk_holes_add(&holes, 10 * id, 10 * id + 1);
        assert_true(holes.count <= DISK_HOLES_MAX);
    }
    for (event_id id = 0; id < 1000; id++) {
        assert_true(disk_holes_have(&holes, 10 * id + 1)); // none is forgotten
    }
    assert_false(disk_holes_have(&holes, 10 * 999));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_stops_before_a_hole),
        cmocka_unit_test(what_touches_is_one),
        cmocka_unit_test(the_oldest_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
