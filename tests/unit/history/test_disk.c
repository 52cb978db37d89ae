// The history on disk: the contract of every history, then what it finds again after a restart.
#include "conformance.h"
#include "disk_place.h"

#include <stdio.h>

static void what_was_stored_is_there_again(void **state) {
    struct fixture f;
    disk_place_begin(&f, &AMPLE);
    append_event(&f, 10, "a");
    append_event(&f, 20, "a b");
    append_own(&f, 30, "room/1", "mine");
    fixture_settle(&f);
    assert_int_equal(f.history->stored(f.history), 30);
    disk_place_close(&f);

    disk_place_begin(&f, &AMPLE);
    assert_int_equal(disk_place.newest, 30);
    assert_int_equal(assert_reads(&f, "a", 0, 100, "10 20"), 0);
    assert_int_equal(assert_reads(&f, "b", 0, 100, "20"), 0);
    assert_int_equal(assert_reads(&f, "**", 0, 100, "10 20 30"), 0);
    assert_int_equal(find_own(&f, "room/1", "mine"), 30);
    assert_int_equal(stats_of(&f).events, 3);
    assert_int_equal(stats_of(&f).topics, 3);
    append_event(&f, 40, "a");
    assert_int_equal(assert_reads(&f, "a", 10, 100, "20 40"), 0);
    fixture_finish(&f);
}

// Chunks are leaped over, but for the one in which what is gone ends.
static void so_many_back_is_exact_over_many_chunks(void **state) {
    struct fixture f;
    struct history_limits limits = {.topic.count = 700, .bytes = 1 << 30};
    enum { EVENTS = 1000, GONE = 300 };
    disk_place_begin(&f, &limits);
    for (event_id id = 1; id <= EVENTS; id++) {
        append_event(&f, id * 10, "a");
    }
    fixture_settle(&f);
    struct selection *selection = select_names(&f, "a");
    for (event_id end = GONE; end <= EVENTS; end += 7) {
        for (size_t count = 1; count <= EVENTS; count += 1 + count / 16) {
            event_id held = end - GONE < count ? end - GONE : count;
            event_id at = f.history->past.last(&f.history->past, selection, count, end * 10 + 5);
            assert_int_equal(at, held ? (end - held + 1) * 10 - 1 : end * 10 + 5);
        }
    }
    selection_destroy(&selection);
    fixture_finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stored_is_there_again),
        cmocka_unit_test(so_many_back_is_exact_over_many_chunks),
    };
    int failed = conformance_run(&DISK);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
