// Limits of the history on disk, and what it does when there is no room: dropping in bounded steps,
// a full file, a disk that refuses, a queue that runs over, purging.
#include "disk_place.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/error.h"
#include "history/disk_private.h"

static struct disk_counters counters_of(struct fixture *f) {
    struct disk_counters counters;
    history_disk_counters(f->history, &counters);
    return counters;
}

static void the_file_keeps_to_its_bytes(void **state) {
    struct fixture f;
    struct stat status;
    char name[400];
    struct history_limits limits = {.topic.count = 1 << 20, .bytes = 4 << 20};
    disk_place_begin(&f, &limits);
    append_event(&f, 1, "quiet");
    for (event_id id = 2; id <= 20000; id++) {
        append_sized(&f, id, id % 2 ? "odd" : "even", 1000);
        if (id % 500 == 0) {
            assert_true(stats_of(&f).bytes <= limits.bytes);
            assert_int_equal(f.history->state(f.history), HISTORY_FINE);
        }
    }
    struct history_stats stats = stats_of(&f);
    assert_true(stats.events > 1000);
    assert_int_equal(stats.events + stats.dropped_budget, 20000);
    assert_int_equal(counters_of(&f).lost, 0);
    assert_int_equal(floor_of(&f, "quiet"), 1);
    event_id floor = floor_of(&f, "odd");
    assert_true(floor >= 20000 - stats.events - 1 && floor <= 20000 - stats.events + 1);
    assert_reads(&f, "odd even", 19998, 20000, "19999 20000");
    snprintf(name, sizeof(name), "%s/data.mdb", disk_place.path);
    assert_int_equal(stat(name, &status), 0);
    assert_true((uint64_t)status.st_size <= limits.bytes);
    // Larger than the file could hold beside others.
    append_sized(&f, 20001, "odd", 2 << 20);
    assert_int_equal(floor_of(&f, "odd"), 20001);
    assert_int_equal(stats_of(&f).events, stats.events);
    fixture_finish(&f);
}

static void large_and_small_share_a_file(void **state) {
    struct fixture f;
    struct history_limits limits = {.topic.count = 1 << 20, .bytes = 4 << 20};
    disk_place_begin(&f, &limits);
    for (event_id id = 1; id <= 4000; id++) {
        append_sized(&f, id,
                     id % 3   ? "a"
                     : id % 2 ? "a b c !"
                              : "a b c",
                     id % 50 ? 100 : 100000 + id * 37 % 200000);
    }
    assert_true(stats_of(&f).bytes <= limits.bytes);
    assert_int_equal(counters_of(&f).lost, 0);
    assert_int_equal(f.history->stored(f.history), 4000);
    assert_reads(&f, "a !", 3998, 4000, "3999 4000");
    fixture_finish(&f);
}

static void topics_may_have_limits_of_their_own(void **state) {
    struct fixture f;
    struct history_rule rules[] = {
        {.pattern = bytes_of("log/**"), .limits = {.count = 2}},
        {.pattern = bytes_of("none"), .limits = {.count = 0}},
        {.pattern = bytes_of("short/*"), .limits = {.count = 100, .age_ms = 50}},
    };
    struct history_limits limits = {
        .topic.count = 4, .rules = rules, .rule_count = 3, .bytes = 1 << 30};
    disk_place_begin(&f, &limits);
    for (int64_t ms = 1; ms <= 9; ms++) {
        append_event(&f, id_from_ms(ms), "a log/x none short/y");
    }
    assert_int_equal(floor_of(&f, "a"), id_from_ms(5));
    assert_int_equal(floor_of(&f, "log/x"), id_from_ms(7));
    assert_int_equal(floor_of(&f, "none"), id_from_ms(9));
    assert_int_equal(floor_of(&f, "short/y"), 0);
    assert_int_equal(stats_of(&f).events, 9);
    assert_int_equal(stats_of(&f).topics, 3);
    // Only the short ones grow too old.
    append_event(&f, id_from_ms(100), "b");
    f.history->expire(f.history, 1000);
    assert_int_equal(stats_of(&f).topics, 3);
    assert_true(floor_of(&f, "short/y") >= id_from_ms(9));
    assert_int_equal(floor_of(&f, "a"), id_from_ms(5));
    assert_int_equal(stats_of(&f).events, 4 + 1);
    fixture_finish(&f);
}

static void a_lowered_limit_is_met_in_steps(void **state) {
    struct fixture f;
    struct history_limits few = {.topic.count = 10, .bytes = 1 << 30};
    disk_place_begin(&f, &AMPLE);
    for (event_id id = 1; id <= 30000; id++) {
        append_event(&f, id, "a");
    }
    disk_place_close(&f);
    disk_place_begin(&f, &few);
    uint64_t before = counters_of(&f).commits;
    append_event(&f, 30001, "a");
    assert_int_equal(stats_of(&f).events, 10);
    assert_true(counters_of(&f).commits >= before + 7); // 4,096 at a time
    assert_int_equal(floor_of(&f, "a"), 29991);
    fixture_finish(&f);
}

static void what_finds_no_room_to_wait_is_a_hole(void **state) {
    struct fixture f;
    disk_place_init();
    disk_place.settings.queue_bytes = 2000;
    disk_place.settings.relaxed = true; // it waits, so that the queue fills
    disk_place.settings.commit_ms = 3600000;
    disk_place_begin(&f, &AMPLE);
    struct disk *disk = disk_of(f.history);
    pthread_mutex_lock(&disk->queue.lock);
    disk->queue.enough_bytes = SIZE_MAX;
    pthread_mutex_unlock(&disk->queue.lock);
    for (event_id id = 1; id <= 100; id++) {
        append_event(&f, id, "a");
    }
    struct disk_counters counters = counters_of(&f);
    assert_true(counters.lost > 0 && counters.waiting > 0);
    assert_int_equal(counters.lost + counters.waiting, 100);
    assert_true(f.history->lost(f.history, 100));
    assert_false(f.history->lost(f.history, 1));
    disk_place_close(&f); // writes what waits, and that the rest is missing

    disk_place.settings.relaxed = false;
    disk_place_begin(&f, &AMPLE);
    assert_int_equal(disk_place.newest, 100);
    assert_int_equal(stats_of(&f).events, counters.waiting);
    struct selection *selection = select_names(&f, "a");
    struct past_batch batch;
    f.history->past.read(&f.history->past, selection, 0, 100, SIZE_MAX, &batch);
    assert_int_equal(batch.reached, counters.waiting);
    assert_int_equal(batch.count, counters.waiting);
    assert_int_equal(batch.floor, 0);
    event_id at = batch.reached;
    past_batch_release(&batch);
    f.history->past.read(&f.history->past, selection, at, 100, SIZE_MAX, &batch);
    assert_int_equal(batch.reached, 100);
    assert_int_equal(batch.floor, 100);
    selection_destroy(&selection);
    fixture_finish(&f);
}

static void a_full_disk_is_survived(void **state) {
    struct fixture f;
    struct stat status;
    char name[400];
    signal(SIGXFSZ, SIG_IGN);
    disk_place_begin(&f, &AMPLE);
    append_event(&f, 1, "a");
    fixture_settle(&f);
    snprintf(name, sizeof(name), "%s/data.mdb", disk_place.path);
    assert_int_equal(stat(name, &status), 0);
    disk_place_limit_files((rlim_t)status.st_size); // it cannot grow
    event_id id = 2;
    for (; f.history->state(f.history) == HISTORY_FINE; id++) {
        append_sized(&f, id, "a", 10000);
        assert_true(id < 20000);
        if (id % 64 == 0) {
            fixture_settle(&f); // or the queue fills while the writer has no processor
        }
    }
    event_id last = id - 1;
    assert_int_equal(f.history->state(f.history), HISTORY_FULL);
    assert_true(counters_of(&f).failures > 0);
    // What waits can be read all the same, and in order.
    struct selection *selection = select_names(&f, "a");
    struct past_batch batch;
    assert_int_equal(f.history->past.read(&f.history->past, selection, 0, last, SIZE_MAX, &batch),
                     0);
    assert_int_equal(batch.count, PAST_BATCH);
    assert_int_equal(batch.frames[200]->id, 201);
    past_batch_release(&batch);
    selection_destroy(&selection);
    disk_place_limit_files(RLIM_INFINITY);
    disk_place_await(&f, HISTORY_FINE);
    while (f.history->stored(f.history) < last) {
    }
    disk_place_close(&f);
    disk_place_begin(&f, &AMPLE);
    assert_int_equal(stats_of(&f).events, last);
    assert_int_equal(floor_of(&f, "a"), 0);
    fixture_finish(&f);
}

struct recalled {
    event_id ids[8];
    size_t count, stop_after;
};

static bool note(void *ctx, const struct once *once, event_id id) {
    struct recalled *recalled = ctx;
    assert_int_equal(once->a, id);
    assert_int_equal(once->b, 7);
    recalled->ids[recalled->count++] = id;
    return recalled->count != recalled->stop_after;
}

static void keys_against_repetition_are_recalled(void **state) {
    struct fixture f;
    disk_place_init();
    disk_place.settings.once_ms = 1000;
    struct history_limits limits = {.topic.count = 2, .bytes = 1 << 30};
    disk_place_begin(&f, &limits);
    for (int64_t ms = 100; ms <= 500; ms += 100) {
        struct frame *frame = make_event(&f, id_from_ms(ms), "a", NULL, 5);
        if (ms != 300) {
            frame->once = (struct once){.a = frame->id, .b = 7};
        }
        f.history->append(f.history, frame, ms);
        frame_unref(frame);
    }
    disk_place_close(&f);
    disk_place_begin(&f, &limits);
    struct recalled all = {0};
    assert_int_equal(f.history->recall(f.history, id_from_ms(100), 100, note, &all), 0);
    assert_int_equal(all.count, 3); // also of events that are no longer held
    assert_int_equal(all.ids[0], id_from_ms(500));
    assert_int_equal(all.ids[2], id_from_ms(200));
    struct recalled some = {0};
    assert_int_equal(f.history->recall(f.history, 0, 2, note, &some), 0);
    assert_int_equal(some.count, 2);
    append_event(&f, id_from_ms(501), "a");
    fixture_settle(&f);                      // the first group after the start knows no later time
    append_event(&f, id_from_ms(1450), "a"); // 100 to 400 are too old by now
    fixture_settle(&f);
    struct recalled late = {0};
    assert_int_equal(f.history->recall(f.history, 0, 100, note, &late), 0);
    assert_int_equal(late.count, 1);
    fixture_finish(&f);
}

// The sequencer's half never waits; the reader sees the same, whatever is on disk by then.
static void reading_joins_what_waits(void **state) {
    struct fixture f;
    disk_place_begin(&f, &AMPLE);
    event_id upto = 0;
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 1 + round % 40; i++) {
            upto++;
            append_event(&f, upto, upto % 2 ? "a" : "b/c");
        }
        const char *names[] = {"a b/c", "**"};
        for (int i = 0; i < 2; i++) {
            struct selection *selection = select_names(&f, names[i]);
            struct past_batch batch;
            event_id after = upto > 700 ? upto - 700 : 0;
            while (after < upto) {
                assert_int_equal(f.history->past.read(&f.history->past, selection, after, upto,
                                                      SIZE_MAX, &batch),
                                 0);
                assert_int_equal(batch.reached, after + batch.count);
                for (size_t k = 0; k < batch.count; k++) {
                    assert_int_equal(batch.frames[k]->id, after + 1 + k);
                }
                after = batch.reached;
                past_batch_release(&batch);
            }
            assert_int_equal(f.history->past.last(&f.history->past, selection, 50, upto),
                             upto < 50 ? 0 : upto - 50);
            selection_destroy(&selection);
        }
    }
    fixture_finish(&f);
}

static void without_memory_nothing_is_missed_untold(void **state) {
    struct fixture f;
    struct past_batch batch;
    disk_place_begin(&f, &AMPLE);
    fixture_settle(&f);
    struct frame *frame = make_event(&f, 1, "a", NULL, 5);
    struct disk *disk = disk_of(f.history);
    // No slot in the queue: the event is lost, and whoever waits for it can ask.
    f.mem.fail_at = f.mem.calls + 1;
    f.history->append(f.history, frame, 1);
    frame_unref(frame);
    fixture_settle(&f);
    assert_int_equal(disk->queue.lost, 1);
    assert_int_equal(f.history->stored(f.history), 1);
    assert_true(f.history->lost(f.history, 1));
    // No memory for a frame: try again later.
    append_event(&f, 2, "a");
    fixture_settle(&f);
    struct selection *selection = select_names(&f, "a");
    struct past *past = &f.history->past;
    f.mem.fail_at = f.mem.calls + 1;
    assert_int_equal(past->read(past, selection, 1, 9, SIZE_MAX, &batch), ERR_NOMEM);
    assert_int_equal(batch.count, 0);
    assert_int_equal(past->read(past, selection, 1, 9, SIZE_MAX, &batch), 0);
    assert_int_equal(batch.count, 1);
    past_batch_release(&batch);
    selection_destroy(&selection);
    fixture_finish(&f);
    // Nor is there a history without any.
    test_mem_init(&f.mem);
    f.mem.fail_at = 1;
    assert_int_equal(disk_place_open(&f, &AMPLE), ERR_NOMEM);
    test_mem_finish(&f.mem);
    disk_place_clean();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_keeps_to_its_bytes),
        cmocka_unit_test(large_and_small_share_a_file),
        cmocka_unit_test(topics_may_have_limits_of_their_own),
        cmocka_unit_test(a_lowered_limit_is_met_in_steps),
        cmocka_unit_test(what_finds_no_room_to_wait_is_a_hole),
        cmocka_unit_test(a_full_disk_is_survived),
        cmocka_unit_test(keys_against_repetition_are_recalled),
        cmocka_unit_test(reading_joins_what_waits),
        cmocka_unit_test(without_memory_nothing_is_missed_untold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
