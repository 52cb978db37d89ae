// The doctor's own events: what is published is what a listener finds.
#include "cli/doctor_listener.h"

#include <string.h>

#include "support.h"

static void data_is_of_its_length_and_differs(void **state) {
    struct test_mem mem;
    struct buf one, other;
    test_mem_init(&mem);
    buf_init(&one, &mem.mem, 0);
    buf_init(&other, &mem.mem, 0);
    assert_int_equal(doctor_event_data(&one, 7, 1000, 1), 0);
    assert_int_equal(doctor_event_data(&other, 8, 1000, 1), 0);
    assert_true(one.len >= 1000 && one.len < 1016);
    assert_true(bytes_starts_with(buf_bytes(&one), "freshet-doctor 7 "));
    assert_memory_not_equal(one.at + 17, other.at + 17, 900);
    // The same block over and over would be nothing to a compressor.
    assert_memory_not_equal(one.at + 17, one.at + 17 + 16, 16);
    buf_finish(&one);
    buf_finish(&other);
    test_mem_finish(&mem);
}

static void events_before_a_number(void **state) {
    struct doctor_listener listener = {.came = {[3] = 1}};
    assert_false(listener_has_before(&listener, 0));
    assert_false(listener_has_before(&listener, 3));
    assert_true(listener_has_before(&listener, 4));
    assert_true(listener_has_before(&listener, DOCTOR_EVENTS_MAX + 1));
    listener_end(&listener);
}

static void memory_runs_out(void **state) {
    struct test_mem mem;
    struct buf out;
    test_mem_init(&mem);
    mem.fail_at = 1;
    buf_init(&out, &mem.mem, 0);
    assert_true(doctor_event_data(&out, 1, 100, 1) < 0);
    buf_finish(&out);
    test_mem_finish(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_of_its_length_and_differs),
        cmocka_unit_test(events_before_a_number),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
