// Purging topics of the history on disk: out of sight at once, and told when it is on disk.
#include "disk_place.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "base/error.h"

static void a_purged_topic_is_gone_at_once(void **state) {
    struct fixture f;
    uint64_t number;
    disk_place_begin(&f, &AMPLE);
    for (event_id id = 1; id <= 6000; id++) {
        append_event(&f, id, id % 3 ? "a" : id % 2 ? "a b" : "b");
    }
    fixture_settle(&f);
    append_event(&f, 6001, "a");
    struct topic_name a = name_of(&f, "a"), nobody = name_of(&f, "nobody");
    struct history_topic topic;
    assert_int_equal(f.history->purge(f.history, &nobody, &number), ERR_NOT_FOUND);
    assert_int_equal(f.history->purge(f.history, &a, &number), 0);
    assert_int_equal(f.history->purge(f.history, &a, &number), ERR_NOT_FOUND);
    // Before the writer had the time: nothing is read any more.
    struct selection *selection = select_names(&f, "a");
    struct past_batch batch;
    assert_int_equal(f.history->past.read(&f.history->past, selection, 0, 9999, SIZE_MAX, &batch),
                     0);
    assert_int_equal(batch.count, 0);
    assert_true(batch.floor >= 6001);
    selection_destroy(&selection);
    assert_false(f.history->topic(f.history, &a, &topic));
    append_event(&f, 6002, "a");
    assert_int_equal(assert_reads(&f, "a", 0, 9999, "6002"), 6001);
    assert_int_equal(last_of(&f, "a", 5, 9999), 6001);
    assert_int_equal(stats_of(&f).topics, 2);
    assert_int_equal(stats_of(&f).events, 2000 + 1);
    assert_int_equal(floor_of(&f, "b"), 0);
    disk_place_close(&f);
    disk_place_begin(&f, &AMPLE);
    assert_int_equal(assert_reads(&f, "a", 0, 9999, "6002"), 6001);
    assert_int_equal(stats_of(&f).events, 2000 + 1);
    fixture_finish(&f);
}

// Out of sight at once; told to be safe when the disk has taken it.
static void a_purge_waits_for_the_disk(void **state) {
    struct fixture f;
    uint64_t first, second, none;
    signal(SIGXFSZ, SIG_IGN);
    disk_place_begin(&f, &AMPLE);
    append_event(&f, 1, "a b");
    fixture_settle(&f);
    struct topic_name a = name_of(&f, "a"), b = name_of(&f, "b");
    disk_place_limit_files(8192); // two head pages, and nothing more can be written
    assert_int_equal(f.history->purge(f.history, &a, &first), 0);
    disk_place_await(&f, HISTORY_FULL);
    assert_int_equal(f.history->purge(f.history, &b, &second), 0);
    assert_int_equal(f.history->purge(f.history, &a, &none), ERR_NOT_FOUND);
    assert_true(first < second && second <= none);
    assert_true(f.history->purged(f.history) < first);
    assert_int_equal(assert_reads(&f, "a b", 0, 9, ""), 1);
    assert_true(f.history->purged(f.history) < first);
    disk_place_limit_files(RLIM_INFINITY);
    disk_place_await(&f, HISTORY_FINE);
    fixture_settle(&f);
    assert_true(f.history->purged(f.history) >= none);
    disk_place_close(&f);
    disk_place_begin(&f, &AMPLE);
    assert_int_equal(assert_reads(&f, "a b", 0, 9, ""), 1);
    fixture_finish(&f);
}

static void note_moved(void *ctx) {
    atomic_fetch_add((atomic_int *)ctx, 1);
}

// Who waits for it is woken, though nothing was appended.
static void a_purge_is_told(void **state) {
    static atomic_int moved;
    struct fixture f;
    uint64_t number;
    disk_place_init();
    disk_place.settings.moved = note_moved;
    disk_place.settings.moved_ctx = &moved;
    disk_place_begin(&f, &AMPLE);
    append_event(&f, 1, "a");
    fixture_settle(&f);
    int before = atomic_load(&moved);
    struct topic_name a = name_of(&f, "a");
    assert_int_equal(f.history->purge(f.history, &a, &number), 0);
    fixture_settle(&f);
    assert_true(atomic_load(&moved) > before);
    fixture_finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_purged_topic_is_gone_at_once),
        cmocka_unit_test(a_purge_waits_for_the_disk),
        cmocka_unit_test(a_purge_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
