// The history in memory: the contract of every history, then what is its own: where it gives up,
// where it is conservative, and what happens without memory.
#include "conformance.h"

#include <limits.h>
#include <stdio.h>

#include "base/error.h"

static const struct backend MEMORY = {.name = "memory", .create = history_memory_create};

static void many_topics_are_scanned_instead_of_merged(void **state) {
    struct fixture f;
    char names[200 * 6] = "", *end = names;
    fixture_init(&f, &MEMORY, &AMPLE);
    for (int i = 0; i < 200; i++) {
        end += sprintf(end, "%st%d", i ? " " : "", i);
    }
    append_event(&f, 1, "t0 t199");
    append_event(&f, 2, "elsewhere");
    append_event(&f, 3, "t100");
    assert_reads(&f, names, 0, 9, "1 3");
    assert_int_equal(last_of(&f, names, 1, 9), 2);
    append_own(&f, 4, "t7", "mine");
    assert_int_equal(find_own(&f, names, "mine"), 4);
    fixture_finish(&f);
}

static void a_pattern_reads_in_bounded_calls(void **state) {
    struct fixture f;
    struct past_batch batch;
    fixture_init(&f, &MEMORY, &AMPLE);
    for (event_id id = 1; id <= 10000; id++) {
        append_event(&f, id, "noise");
    }
    append_event(&f, 10001, "a/b");
    struct selection *selection = select_names(&f, "a/*");
    f.history->past.read(&f.history->past, selection, 0, 10001, SIZE_MAX, &batch);
    assert_int_equal(batch.count, 0);
    assert_in_range(batch.reached, 1, 9999);
    selection_destroy(&selection);
    assert_reads(&f, "a/*", 0, 10001, "10001");
    fixture_finish(&f);
}

static void a_pattern_looks_back_so_far(void **state) {
    struct fixture f;
    struct history_limits limits = {.topic.count = 1 << 20, .bytes = 1 << 30};
    fixture_init(&f, &MEMORY, &limits);
    append_event(&f, 1, "a/b");
    for (event_id id = 2; id <= 70000; id++) {
        append_event(&f, id, id % 30000 ? "noise" : "a/b");
    }
    assert_int_equal(last_of(&f, "a/b", 3, 70000), 0);
    assert_int_equal(last_of(&f, "a/*", 3, 70000), 29999);
    assert_int_equal(last_of(&f, "b/*", 3, 70000), 70000);
    fixture_finish(&f);
}

static void a_pattern_is_not_told_of_other_prefixes(void **state) {
    struct fixture f;
    struct history_limits limits = {.topic.count = 1, .bytes = 1 << 30};
    fixture_init(&f, &MEMORY, &limits);
    append_event(&f, 1, "a/x/low");
    append_event(&f, 2, "a/x/low");
    append_event(&f, 3, "a/y/high");
    append_event(&f, 4, "a/y/high");
    append_event(&f, 5, "b");
    append_event(&f, 6, "b");
    assert_int_equal(floor_of(&f, "a/x/*"), 1);
    assert_int_equal(floor_of(&f, "a/x/**"), 1);
    assert_int_equal(floor_of(&f, "a/**"), 3);
    assert_int_equal(floor_of(&f, "*"), 5);
    assert_int_equal(floor_of(&f, "c/**"), 0);
    assert_int_equal(floor_of(&f, "a/*/low"), 3); // too high, and documented
    fixture_finish(&f);
}

static void a_deep_pattern_is_told_of_its_drops(void **state) {
    struct fixture f;
    struct history_limits limits = {.topic.count = 0, .bytes = 1 << 30};
    fixture_init(&f, &MEMORY, &limits);
    append_event(&f, 9, "a/b/c/d/e/f");
    const char *hear[] = {"a/b/c/d/e/*", "a/b/c/d/**", "a/b/c/*/e/f", "a/b/**", "*/b/c/d/e/f"};
    for (size_t i = 0; i < sizeof(hear) / sizeof(hear[0]); i++) {
        assert_int_equal(floor_of(&f, hear[i]), 9);
    }
    assert_int_equal(floor_of(&f, "a/b/d/**"), 0);
    fixture_finish(&f);
}

static void an_id_that_all_topics_use_is_found_by_topic(void **state) {
    struct fixture f;
    fixture_init(&f, &MEMORY, &AMPLE);
    for (event_id id = 1; id <= 6000; id++) {
        char name[16];
        sprintf(name, "t%d", (int)id);
        append_own(&f, id, name, "1");
    }
    assert_int_equal(find_own(&f, "t5999", "1"), 5999);
    assert_int_equal(find_own(&f, "t5999/* t2", "1"), 2);
    assert_int_equal(find_own(&f, "t5999/* t5999", "1"), 0); // given up: a gap is told instead
    fixture_finish(&f);
}

static void a_sparse_log_takes_little_memory(void **state) {
    struct fixture f;
    struct history_limits limits = {.topic.count = 100, .bytes = 1 << 30};
    fixture_init(&f, &MEMORY, &limits);
    for (event_id id = 1; id <= 100000; id++) {
        append_event(&f, id, id % 1000 ? "busy" : "quiet");
    }
    assert_int_equal(stats_of(&f).events, 200);
    // The history, its directory and a few chunks; two topics with a ring each and their map.
    assert_in_range(f.mem.alive, 1, 16);
    assert_int_equal(floor_of(&f, "quiet"), 0);
    fixture_finish(&f);
}

static const char *const ALL_SORTS[] = {"a", "b a", "room/1", "room/1/door a", "c"};

// 64 events with everything in them: drops by count and bytes, several topics, own ids.
static void append_all_sorts(struct fixture *f) {
    for (event_id id = 1; id <= 64; id++) {
        char own[8];
        sprintf(own, "o%d", (int)(id % 20));
        append_own(f, id, ALL_SORTS[id % 5], id % 3 ? own : NULL);
    }
}

static void assert_told(struct fixture *f, const char *names) {
    struct selection *selection = select_names(f, names);
    struct past_batch batch;
    f->history->past.read(&f->history->past, selection, 0, 64, SIZE_MAX, &batch);
    assert_int_equal(batch.reached, 64);
    size_t held = 0;
    for (event_id id = 1; id <= 64; id++) {
        struct frame *frame = make_event(f, id, ALL_SORTS[id % 5], NULL, 1);
        if (held < batch.count && batch.frames[held]->id == id) {
            assert_true(selection_hears(selection, frame));
            held++;
        } else {
            assert_true(!selection_hears(selection, frame) || id <= batch.floor);
        }
        frame_unref(frame);
    }
    assert_int_equal(held, batch.count);
    past_batch_release(&batch);
    selection_destroy(&selection);
}

static void any_allocation_may_fail(void **state) {
    struct history_limits limits = {.topic.count = 8, .topic.bytes = 1500, .bytes = 12000};
    struct fixture f;
    long failed = 0, calls = LONG_MAX;
    for (long fail_at = 2; fail_at <= calls; fail_at++, failed++) {
        fixture_init(&f, &MEMORY, &limits);
        f.mem.fail_at = fail_at;
        append_all_sorts(&f);
        calls = f.mem.calls;
        struct history_stats stats = stats_of(&f);
        assert_int_equal(
            stats.events + stats.dropped_count + stats.dropped_bytes + stats.dropped_budget, 64);
        assert_told(&f, "a");
        assert_told(&f, "b c room/1");
        assert_told(&f, "room/1/door");
        assert_told(&f, "room/** c");
        assert_told(&f, "*");
        fixture_finish(&f);
    }
    assert_true(failed > 50);
}

static void an_id_that_found_no_memory_hides_no_other(void **state) {
    struct history_limits limits = {.topic.count = 2, .bytes = 1 << 20};
    struct fixture f;
    long calls = LONG_MAX;
    for (long fail_at = 2; fail_at <= calls; fail_at++) {
        fixture_init(&f, &MEMORY, &limits);
        f.mem.fail_at = fail_at;
        append_own(&f, 1, "a", "x");
        append_own(&f, 2, "a", "x");
        calls = f.mem.calls;
        event_id found = find_own(&f, "a", "x");
        append_event(&f, 3, "a"); // drops 1, when that was held
        assert_true(found != 2 || find_own(&f, "a", "x") == 2);
        fixture_finish(&f);
    }
}

// Whatever finds no memory, the newest that is held of each key is there, and no key's order changes.
static void no_value_is_lost_for_want_of_memory(void **state) {
    struct history_limits limits = {.topic.count = 20, .bytes = 1 << 20};
    struct fixture f;
    char topics[32];
    long calls = LONG_MAX, failed = 0;
    for (long fail_at = 2; fail_at <= calls; fail_at++, failed++) {
        struct past_batch batch;
        event_id newest[4] = {0}, last = 0;
        fixture_init(&f, &MEMORY, &limits);
        f.mem.fail_at = fail_at;
        for (event_id id = 1; id <= 30; id++) {
            sprintf(topics, "a b ^%d", (int)(id % 4));
            append_event(&f, id, topics);
        }
        calls = f.mem.calls;
        struct selection *selection = select_names(&f, "a +"), *all = select_names(&f, "a");
        struct past *past = &f.history->past;
        assert_int_equal(past->read(past, all, 0, 99, SIZE_MAX, &batch), 0);
        for (size_t i = 0; i < batch.count; i++) {
            newest[batch.frames[i]->id % 4] = batch.frames[i]->id;
        }
        past_batch_release(&batch);
        assert_int_equal(past->values(past, selection, 0, 99, SIZE_MAX, &batch), 0);
        for (size_t i = 0; i < batch.count; i++) {
            event_id id = batch.frames[i]->id;
            assert_true(id > last);
            last = id;
            newest[id % 4] = newest[id % 4] == id ? 0 : newest[id % 4];
        }
        for (int key = 0; key < 4; key++) {
            assert_int_equal(newest[key], 0);
        }
        past_batch_release(&batch);
        selection_destroy(&selection);
        selection_destroy(&all);
        fixture_finish(&f);
    }
    assert_true(failed > 10);
}

static void all_allocations_may_fail(void **state) {
    struct history_limits limits = {.topic.count = 8, .bytes = 12000};
    struct fixture f;
    fixture_init(&f, &MEMORY, &limits);
    for (event_id id = 1; id <= 20; id++) {
        f.mem.fail_at = f.mem.calls + 1;
        append_event(&f, id, "a b c");
    }
    assert_int_equal(floor_of(&f, "b"), 20);
    assert_int_equal(stats_of(&f).dropped_budget, 20 - stats_of(&f).events);
    fixture_finish(&f);
}

static void creation_may_fail(void **state) {
    struct test_mem mem;
    struct hash_key key = {0};
    struct history *history = NULL;
    test_mem_init(&mem);
    for (long fail_at = 1; fail_at <= 2; fail_at++) {
        mem.fail_at = mem.calls + fail_at;
        assert_int_equal(history_memory_create(&history, &mem.mem, &key, &AMPLE), ERR_NOMEM);
    }
    test_mem_finish(&mem);
}

static const size_t MANY = 5000; // more than a purge drops at once

static void append_many(struct fixture *f) {
    for (event_id id = 1; id <= MANY; id++) {
        append_own(f, id, id % 10 ? "big/a" : "big/a other", "same");
    }
}

// All of it is out of sight when the call returns, though most of it is still there.
static void a_large_purge_is_done_in_portions(void **state) {
    struct fixture f;
    uint64_t number;
    struct history_topic topic;
    fixture_init(&f, &MEMORY, &AMPLE);
    append_many(&f);
    struct topic_name name = name_of(&f, "big/a");
    assert_int_equal(f.history->purge(f.history, &name, &number), 0);
    assert_in_range(stats_of(&f).events, MANY - 1024, MANY - 1);
    assert_int_equal(assert_reads(&f, "big/a", 0, MANY, ""), MANY);
    assert_false(f.history->topic(f.history, &name, &topic));
    assert_int_equal(last_of(&f, "big/a", 3, MANY), MANY);
    assert_int_equal(last_of(&f, "big/* none", 3, MANY), MANY - 21); // what `other` still holds
    assert_int_equal(find_own(&f, "big/a", "same"), 0);
    assert_int_equal(f.history->purge(f.history, &name, &number), ERR_NOT_FOUND);

    append_own(&f, MANY + 1, "big/a", "other");
    assert_reads(&f, "big/a", 0, MANY + 1, "5001");
    assert_int_equal(find_own(&f, "big/a", "other"), MANY + 1);
    assert_true(f.history->topic(f.history, &name, &topic));
    assert_int_equal(topic.events, 1);
    assert_int_equal(topic.oldest, MANY + 1);
    assert_true(topic.bytes < 1000);
    int calls = 1;
    for (; f.history->expire(f.history, 0); calls++) {
    }
    assert_in_range(calls, 4, 6);
    assert_int_equal(stats_of(&f).events, MANY / 10 + 1);
    assert_int_equal(stats_of(&f).dropped_purge, MANY - MANY / 10);
    assert_reads(&f, "big/a", 0, MANY + 1, "5001");
    fixture_finish(&f);
}

static void a_purge_under_way_may_be_purged_again_or_lost(void **state) {
    struct fixture f;
    uint64_t number;
    struct history_limits limits = {.topic.count = 1 << 20, .bytes = 2 << 20};
    fixture_init(&f, &MEMORY, &limits);
    append_many(&f);
    struct topic_name name = name_of(&f, "big/a");
    assert_int_equal(f.history->purge(f.history, &name, &number), 0);
    append_event(&f, MANY + 1, "big/a");
    assert_int_equal(f.history->purge(f.history, &name, &number), 0);
    assert_int_equal(floor_of(&f, "big/a"), MANY + 1);
    append_sized(&f, MANY + 2, "elsewhere", 2096500); // the budget pushes out what is left
    assert_int_equal(stats_of(&f).topics, 1);
    assert_false(f.history->expire(f.history, 0));
    fixture_finish(&f);
}

static void a_purge_may_find_no_memory(void **state) {
    struct fixture f;
    uint64_t number;
    fixture_init(&f, &MEMORY, &AMPLE);
    append_event(&f, 1, "a");
    f.mem.fail_at = f.mem.calls + 1;
    struct topic_name name = name_of(&f, "a");
    assert_int_equal(f.history->purge(f.history, &name, &number), ERR_NOMEM);
    assert_int_equal(assert_reads(&f, "a", 0, 9, "1"), 0);
    fixture_finish(&f);
}

// With two ages, an event that one of its topics keeps longer stays for that one.
static void ages_are_swept_in_bounded_calls(void **state) {
    struct fixture f;
    struct history_rule rule = {.pattern = {"long", 4},
                                .limits = {.count = 1 << 20, .age_ms = 5000}};
    struct history_limits limits = {.topic = {.count = 1 << 20, .age_ms = 1000},
                                    .rules = &rule,
                                    .rule_count = 1,
                                    .bytes = 1 << 30};
    fixture_init(&f, &MEMORY, &limits);
    for (event_id i = 0; i < 4000; i++) {
        append_event(&f, id_from_ms(1) + i, i % 2 ? "long short" : "short");
    }
    assert_true(f.history->expire(f.history, 1002));
    assert_in_range(stats_of(&f).events, 4000 - 1024, 4000 - 1);
    while (f.history->expire(f.history, 1002)) {
    }
    assert_int_equal(stats_of(&f).events, 2000);
    assert_reads(&f, "short", 0, UINT64_MAX, "");
    assert_false(f.history->expire(f.history, 5001));
    assert_int_equal(stats_of(&f).events, 2000);
    while (f.history->expire(f.history, 5002)) {
    }
    assert_int_equal(stats_of(&f).events, 0);
    assert_int_equal(stats_of(&f).dropped_age, 4000);
    fixture_finish(&f);
}

// Without expire(), appends alone keep up with what is too old.
static void appends_expire_as_well(void **state) {
    struct fixture f;
    struct history_rule rule = {.pattern = {"b", 1}, .limits = {.count = 1 << 20, .age_ms = 500}};
    struct history_limits limits = {.topic = {.count = 1 << 20, .age_ms = 1000},
                                    .rules = &rule,
                                    .rule_count = 1,
                                    .bytes = 1 << 30};
    fixture_init(&f, &MEMORY, &limits);
    for (int64_t ms = 1; ms <= 5000; ms++) {
        struct frame *frame = make_event(&f, id_from_ms(ms), ms % 2 ? "a" : "b", NULL, 1);
        f.history->append(f.history, frame, ms);
        frame_unref(frame);
    }
    assert_in_range(stats_of(&f).events, 500 + 250, 500 + 250 + 4);
    fixture_finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_topics_are_scanned_instead_of_merged),
        cmocka_unit_test(a_pattern_reads_in_bounded_calls),
        cmocka_unit_test(a_pattern_looks_back_so_far),
        cmocka_unit_test(a_pattern_is_not_told_of_other_prefixes),
        cmocka_unit_test(a_deep_pattern_is_told_of_its_drops),
        cmocka_unit_test(an_id_that_all_topics_use_is_found_by_topic),
        cmocka_unit_test(a_sparse_log_takes_little_memory),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(an_id_that_found_no_memory_hides_no_other),
        cmocka_unit_test(no_value_is_lost_for_want_of_memory),
        cmocka_unit_test(all_allocations_may_fail),
        cmocka_unit_test(creation_may_fail),
        cmocka_unit_test(a_large_purge_is_done_in_portions),
        cmocka_unit_test(a_purge_under_way_may_be_purged_again_or_lost),
        cmocka_unit_test(a_purge_may_find_no_memory),
        cmocka_unit_test(ages_are_swept_in_bounded_calls),
        cmocka_unit_test(appends_expire_as_well),
    };
    int failed = conformance_run(&MEMORY);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
