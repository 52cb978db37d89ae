// The contract of past.h and history.h as tests. Where the contract lets a backend be conservative
// (floors may be too high) they check only that nothing is missed untold.
#include "conformance.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const struct history_limits FEW = {.topic.count = 3, .bytes = 1 << 30};

static void nothing_is_held_at_first(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    assert_int_equal(assert_reads(&f, "a", 0, 100, ""), 0);
    assert_int_equal(assert_reads(&f, "*", 0, 100, ""), 0);
    assert_int_equal(stats_of(&f).events, 0);
    assert_int_equal(last_of(&f, "a", 5, 100), 100);
    assert_int_equal(find_own(&f, "a", "x"), 0);
    fixture_finish(&f);
}

static int purge(struct fixture *f, const char *topic) {
    struct topic_name name = name_of(f, topic);
    uint64_t number;
    fixture_settle(f);
    return f->history->purge(f->history, &name, &number);
}

static void what_is_purged_is_a_gap(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_own(&f, 1, "a", "mine");
    append_event(&f, 2, "b");
    append_own(&f, 3, "a b", "ours");
    append_event(&f, 4, "c/d");
    assert_int_equal(purge(&f, "a"), 0);
    assert_int_equal(purge(&f, "a"), ERR_NOT_FOUND);
    assert_int_equal(purge(&f, "elsewhere"), ERR_NOT_FOUND);
    append_event(&f, 5, "a");
    assert_true(assert_reads(&f, "a", 0, 9, "5") >= 3);
    assert_true(floor_of(&f, "*") >= 3);
    assert_int_equal(assert_reads(&f, "b", 0, 9, "2 3"), 0);
    assert_reads(&f, "c/*", 0, 9, "4");
    assert_int_equal(find_own(&f, "a", "mine"), 0);
    assert_int_equal(find_own(&f, "a", "ours"), 0);
    assert_int_equal(find_own(&f, "b", "ours"), 3);
    assert_int_equal(last_of(&f, "a", 9, 9), 4);
    fixture_finish(&f);
}

// Numbers rise, and what has one is told to be safe, whether there was something to purge or not.
static void purges_are_told_to_be_safe(void **state) {
    struct fixture f;
    uint64_t before = 0;
    fixture_init(&f, *state, &AMPLE);
    for (event_id id = 1; id <= 20; id++) {
        static const char *const names[] = {"a", "b", "nobody"};
        struct topic_name name = name_of(&f, names[id % 3]);
        uint64_t number;
        append_event(&f, id, "a b");
        bool held = f.history->purge(f.history, &name, &number) == 0;
        assert_int_equal(held, id % 3 != 2);
        assert_true(number >= before);
        if (id % 5 == 0) {
            fixture_settle(&f);
            assert_true(f.history->purged(f.history) >= number);
        }
        before = number;
    }
    fixture_settle(&f);
    assert_true(f.history->purged(f.history) >= before);
    fixture_finish(&f);
}

static const struct history_rule TWO_RULES[] = {
    {.pattern = {"keep/*", 6}, .limits = {.count = 5}},
    {.pattern = {"none", 4}, .limits = {.count = 0}},
};

static const struct history_limits BY_RULES = {
    .topic = {.count = 2, .age_ms = 1000}, .rules = TWO_RULES, .rule_count = 2, .bytes = 1 << 30};

static void topics_have_limits_of_their_own(void **state) {
    struct fixture f;
    char expected[128] = "", *end = expected;
    fixture_init(&f, *state, &BY_RULES);
    for (event_id i = 1; i <= 6; i++) {
        append_event(&f, id_from_ms(10) + i, "keep/a plain none");
        end += i > 1 ? sprintf(end, "%s%llu", i > 2 ? " " : "",
                               (unsigned long long)(id_from_ms(10) + i))
                     : 0;
    }
    assert_reads(&f, "keep/a", 0, UINT64_MAX, expected);
    assert_reads(&f, "none", 0, UINT64_MAX, "");
    assert_int_equal(floor_of(&f, "none"), id_from_ms(10) + 6);
    assert_int_equal(last_of(&f, "plain", 9, UINT64_MAX), id_from_ms(10) + 4);
    while (f.history->expire(f.history, 2000)) {
    }
    assert_reads(&f, "plain", 0, UINT64_MAX, "");
    assert_reads(&f, "keep/a", 0, UINT64_MAX, expected);
    fixture_finish(&f);
}

static void change_to(struct fixture *f, const struct history_limits *limits, int64_t now) {
    fixture_settle(f);
    assert_int_equal(f->history->change(f->history, limits), 0);
    for (int i = 0; i < 100; i++) {
        (void)f->history->expire(f->history, now);
        fixture_settle(f);
    }
}

static void limits_can_change(void **state) {
    struct fixture f;
    struct history_rule rule = {.limits = {.count = 1}};
    struct history_limits other = {.topic.count = 2, .rules = &rule, .rule_count = 1};
    char pattern[] = "keep/*";
    fixture_init(&f, *state, &AMPLE);
    for (event_id i = 1; i <= 3000; i++) {
        append_event(&f, id_from_ms(10) + i, "keep/a plain");
    }
    event_id newest = id_from_ms(10) + 3000;
    rule.pattern = bytes_of(pattern);
    change_to(&f, &other, 20);
    memset(pattern, 'x', sizeof(pattern) - 1); // it has its own
    assert_int_equal(last_of(&f, "plain", 9, UINT64_MAX), newest - 2);
    assert_int_equal(floor_of(&f, "plain"), newest - 2);
    assert_int_equal(last_of(&f, "keep/a", 9, UINT64_MAX), newest - 1);
    assert_int_equal(stats_of(&f).events, 2);
    append_event(&f, newest + 1, "keep/b plain");
    append_event(&f, newest + 2, "keep/b");
    assert_int_equal(last_of(&f, "keep/b", 9, UINT64_MAX), newest + 1);
    change_to(&f, &(struct history_limits){.topic = {.count = 9, .age_ms = 1000}}, 20);
    append_event(&f, newest + 3, "keep/b");
    assert_int_equal(last_of(&f, "keep/b", 9, UINT64_MAX), newest + 1);
    change_to(&f, &(struct history_limits){.topic.count = 0}, 20);
    assert_int_equal(stats_of(&f).events, 0);
    assert_true(floor_of(&f, "keep/b") >= newest + 3);
    fixture_finish(&f);
}

static void an_age_can_come_later(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, id_from_ms(10), "a");
    append_event(&f, id_from_ms(5000), "a");
    change_to(&f, &(struct history_limits){.topic = {.count = 9, .age_ms = 1000}}, 5500);
    assert_int_equal(last_of(&f, "a", 9, UINT64_MAX), id_from_ms(5000) - 1);
    assert_int_equal(stats_of(&f).events, 1);
    fixture_finish(&f);
}

static void without_memory_limits_stay(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &FEW);
    append_event(&f, 1, "a");
    fixture_settle(&f);
    for (int i = 1; i <= 2; i++) {
        f.mem.fail_at = f.mem.calls + i;
        assert_int_equal(f.history->change(f.history, &AMPLE), ERR_NOMEM);
    }
    for (event_id id = 2; id <= 9; id++) {
        append_event(&f, id, "a");
    }
    assert_int_equal(stats_of(&f).events, 3);
    fixture_finish(&f);
}

static void a_cursor_stands_anywhere(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 10, "a");
    append_event(&f, 20, "b");
    append_event(&f, 30, "a");
    append_event(&f, 40, "a");
    const char *both[] = {"a", "a*x a"}; // the second is a topic too: no segment is a wildcard
    for (int i = 0; i < 2; i++) {
        assert_int_equal(assert_reads(&f, both[i], 0, 100, "10 30 40"), 0);
        assert_reads(&f, both[i], 9, 100, "10 30 40");
        assert_reads(&f, both[i], 10, 100, "30 40");
        assert_reads(&f, both[i], 25, 100, "30 40");
        assert_reads(&f, both[i], 40, 100, "");
        assert_reads(&f, both[i], 90, 100, "");
        assert_reads(&f, both[i], 0, 30, "10 30");
        assert_reads(&f, both[i], 0, 29, "10");
        assert_reads(&f, both[i], 0, 9, "");
        assert_reads(&f, both[i], 50, 10, "");
    }
    assert_reads(&f, "elsewhere", 0, 100, "");
    fixture_finish(&f);
}

static void topics_merge_in_order_and_once(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 1, "a");
    append_event(&f, 2, "b c");
    append_event(&f, 3, "d");
    append_event(&f, 4, "a b c");
    append_event(&f, 5, "c");
    append_event(&f, 6, "b a");
    assert_reads(&f, "a b c", 0, 9, "1 2 4 5 6");
    assert_reads(&f, "c b", 2, 9, "4 5 6");
    assert_reads(&f, "a d nobody", 0, 9, "1 3 4 6");
    assert_reads(&f, "a b c d", 0, 4, "1 2 3 4");
    assert_int_equal(stats_of(&f).events, 6);
    assert_int_equal(stats_of(&f).topics, 4);
    fixture_finish(&f);
}

static void patterns_hear_what_matches(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 1, "room/1");
    append_event(&f, 2, "room/2 log");
    append_event(&f, 3, "room/2/door");
    append_event(&f, 4, "log");
    append_event(&f, 5, "room/1 room/2");
    assert_reads(&f, "room/*", 0, 9, "1 2 5");
    assert_reads(&f, "room/**", 0, 9, "1 2 3 5");
    assert_reads(&f, "**", 2, 9, "3 4 5");
    assert_reads(&f, "room/*/door log", 0, 9, "2 3 4");
    assert_reads(&f, "room/* room/1", 1, 4, "2");
    fixture_finish(&f);
}

static void only_types_that_are_let_through(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 1, "a");
    append_event(&f, 2, "a ~x");
    append_event(&f, 3, "b c/d ~x");
    append_own(&f, 4, "a ~y", "mine");
    append_event(&f, 5, "a c/e ~message");
    const char *all[] = {"a b", "a b **"};
    for (int i = 0; i < 2; i++) {
        char names[64];
        sprintf(names, "%s ~x", all[i]);
        assert_int_equal(assert_reads(&f, names, 0, 9, "2 3"), 0);
        assert_int_equal(last_of(&f, names, 1, 9), 2);
        assert_int_equal(last_of(&f, names, 9, 9), 1);
        sprintf(names, "%s ~z", all[i]);
        assert_int_equal(assert_reads(&f, names, 0, 9, ""), 0);
        sprintf(names, "%s ~y ~x ~y", all[i]);
        assert_reads(&f, names, 2, 9, "3 4");
        sprintf(names, "%s ~message", all[i]);
        assert_reads(&f, names, 0, 9, "1 5");
        assert_int_equal(last_of(&f, names, 1, 4), 0);
    }
    assert_int_equal(last_of(&f, "a ~x", 1, 9), 1);
    assert_int_equal(find_own(&f, "a ~x", "mine"), 4); // where it lies, not whether it is heard
    fixture_finish(&f);
}

static void a_filter_that_finds_nothing_moves_on(void **state) {
    struct fixture f;
    struct past_batch batch;
    fixture_init(&f, *state, &AMPLE);
    for (event_id id = 1; id <= 20000; id++) {
        append_event(&f, id, id % 5000 ? "a ~x" : "a ~rare");
    }
    const char *names[] = {"a ~rare", "* ~rare"};
    for (int i = 0; i < 2; i++) {
        assert_reads(&f, names[i], 0, 20000, "5000 10000 15000 20000");
        struct selection *selection = select_names(&f, names[i]);
        struct past *past = &f.history->past;
        assert_int_equal(past->read(past, selection, 5000, 20000, SIZE_MAX, &batch), 0);
        assert_int_equal(batch.count, 0); // and not all of it in one go
        assert_true(batch.reached > 5000 && batch.reached < 10000);
        past_batch_release(&batch);
        selection_destroy(&selection);
    }
    fixture_finish(&f);
}

// A listener that was there all the time has missed nothing of its type, however much of others went.
static void a_type_that_is_still_held_is_no_gap(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &FEW);
    append_event(&f, 1, "s/a ~rare");
    for (event_id id = 2; id <= 50; id++) {
        append_event(&f, id, "s/a ~x");
    }
    const char *rare[] = {"s/a ~rare", "s/* ~rare", "** ~rare"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(assert_reads(&f, rare[i], 0, 90, ""), 1);
    }
    assert_int_equal(floor_of(&f, "s/a ~x"), 47);
    assert_int_equal(floor_of(&f, "s/* ~never"), 0);
    assert_int_equal(floor_of(&f, "s/a ~rare ~x"), 47);
    assert_int_equal(purge(&f, "s/a"), 0);
    append_event(&f, 60, "s/a ~rare");
    assert_true(floor_of(&f, "s/a ~x") >= 50);
    assert_true(floor_of(&f, "s/a ~rare") < 60);
    fixture_finish(&f);
}

static void the_newest_of_each_key(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 1, "p/a ^x");
    append_event(&f, 2, "p/a ^y");
    append_event(&f, 3, "p/a");
    append_event(&f, 4, "p/b ^x");
    append_event(&f, 5, "p/a ^x");
    append_event(&f, 6, "p/a ^x ~t");
    append_event(&f, 7, "p/a p/b ^z");
    append_event(&f, 8, "p/b ^z");
    append_event(&f, 9, "q");
    const char *a[] = {"p/a +", "p/a +"}, *both[] = {"p/a p/b +", "p/* +"};
    for (int i = 0; i < 2; i++) {
        assert_values(&f, a[i], 0, 99, "2 5 6 7");
        assert_values(&f, both[i], 0, 99, "2 4 5 6 7 8");
        assert_values(&f, both[i], 2, 7, "4 5 6 7");
        assert_reads(&f, both[i], 0, 99, "2 3 4 5 6 7 8");
        assert_reads(&f, both[i], 5, 99, "6 7 8");
    }
    assert_values(&f, "p/b +", 0, 99, "4 8");
    assert_values(&f, "p/b q +", 0, 99, "4 8");
    assert_values(&f, "** +", 0, 99, "2 4 5 6 7 8");
    assert_values(&f, "p/a ~t +", 0, 99, "6");
    assert_values(&f, "p/a ~message +", 0, 99, "2 5 7");
    assert_values(&f, "q nobody +", 0, 99, "");
    assert_reads(&f, "p/a", 0, 99, "1 2 3 5 6 7"); // who does not ask gets them all
    fixture_finish(&f);
}

static void a_snapshot_goes_on_over_batches(void **state) {
    struct fixture f;
    char expected[8 * 1000], topics[64], *end = expected;
    fixture_init(&f, *state, &AMPLE);
    for (event_id id = 1; id <= 5000; id++) {
        sprintf(topics, "a ^%d", (int)(id % 1000));
        append_event(&f, id, topics);
        end += id > 4000 ? sprintf(end, " %d", (int)id) : 0;
    }
    append_event(&f, 5001, "b");
    assert_values(&f, "a +", 0, 9000, expected);
    assert_values(&f, "a b +", 0, 9000, expected);
    assert_values(&f, "* +", 0, 9000, expected);
    strcpy(end, " 5001");
    assert_reads(&f, "a b +", 0, 9000, expected);
    assert_reads(&f, "** +", 0, 9000, expected);
    fixture_finish(&f);
}

static const struct history_limits KEEP_FOUR = {.topic.count = 4, .bytes = 1 << 30};

// What something newer had replaced before it went is no loss to those who want the newest.
static void only_values_that_go_are_gaps(void **state) {
    struct fixture f;
    char topics[64];
    fixture_init(&f, *state, &KEEP_FOUR);
    for (event_id id = 1; id <= 40; id++) {
        sprintf(topics, "s/p ^%d", (int)(id % 3));
        append_event(&f, id, topics);
    }
    const char *who[] = {"s/p +", "s/* +"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(assert_reads(&f, who[i], 0, 99, "38 39 40"), 0);
        assert_values(&f, who[i], 0, 99, "38 39 40");
    }
    assert_int_equal(floor_of(&f, "s/p"), 36);
    append_event(&f, 41, "s/p"); // without a key: 37 goes, which 40 had replaced
    append_event(&f, 42, "s/p"); // 38 goes, and its key with it
    assert_int_equal(floor_of(&f, "s/p +"), 38);
    assert_values(&f, "s/p +", 0, 99, "39 40");
    append_event(&f, 43, "s/p ^0");
    assert_values(&f, "s/p +", 0, 99, "40 43");
    append_event(&f, 44, "s/p ^0");
    append_event(&f, 45, "s/p ^0"); // 41, without a key
    assert_int_equal(floor_of(&f, "s/p +"), 41);
    assert_values(&f, "s/p +", 0, 99, "45");
    fixture_finish(&f);
}

static void keys_go_with_their_topic(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 1, "a ^x");
    append_event(&f, 2, "a b ^x");
    append_event(&f, 3, "a ^y");
    assert_int_equal(purge(&f, "a"), 0);
    assert_values(&f, "a +", 0, 99, "");
    assert_values(&f, "b +", 0, 99, "2");
    append_event(&f, 4, "a ^x");
    assert_values(&f, "a +", 0, 99, "4");
    assert_values(&f, "** +", 0, 99, "2 4");
    fixture_finish(&f);
}

static void more_than_a_batch_takes_more_calls(void **state) {
    struct fixture f;
    struct past_batch batch;
    fixture_init(&f, *state, &AMPLE);
    char expected[8 * 1000], *end = expected;
    for (event_id id = 1; id <= 1000; id++) {
        append_event(&f, id, id % 3 ? "a" : "a b");
        end += sprintf(end, " %d", (int)id);
    }
    assert_reads(&f, "a b", 0, 1000, expected);
    assert_reads(&f, "*", 0, 1000, expected);
    struct selection *selection = select_names(&f, "a");
    f.history->past.read(&f.history->past, selection, 0, 1000, SIZE_MAX, &batch);
    assert_int_equal(batch.count, PAST_BATCH);
    assert_int_equal(batch.reached, PAST_BATCH);
    past_batch_release(&batch);
    selection_destroy(&selection);
    fixture_finish(&f);
}

static void a_batch_fits_its_bytes(void **state) {
    struct fixture f;
    struct past_batch batch;
    fixture_init(&f, *state, &AMPLE);
    append_sized(&f, 1, "a", 1000);
    append_sized(&f, 2, "a", 10);
    append_sized(&f, 3, "a", 10);
    append_sized(&f, 4, "a", 10);
    const char *names[] = {"a", "*"};
    for (int i = 0; i < 2; i++) {
        struct selection *selection = select_names(&f, names[i]);
        struct past *past = &f.history->past;
        past->read(past, selection, 0, 9, 1, &batch);
        assert_int_equal(batch.count, 1); // at least one, however large
        assert_int_equal(batch.reached, 1);
        size_t small = batch.frames[0]->size - 990;
        past_batch_release(&batch);
        past->read(past, selection, 1, 9, 2 * small, &batch);
        assert_int_equal(batch.count, 2);
        assert_int_equal(batch.reached, 3);
        past_batch_release(&batch);
        selection_destroy(&selection);
    }
    fixture_finish(&f);
}

static void a_topic_keeps_its_newest(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &FEW);
    append_event(&f, 1, "quiet");
    for (event_id id = 2; id <= 9; id++) {
        append_event(&f, id, "busy");
    }
    assert_int_equal(assert_reads(&f, "busy", 0, 9, "7 8 9"), 6);
    assert_int_equal(assert_reads(&f, "quiet", 0, 9, "1"), 0);
    assert_int_equal(assert_reads(&f, "quiet busy", 0, 9, "1 7 8 9"), 6);
    assert_true(assert_reads(&f, "*", 0, 9, "1 7 8 9") >= 6);
    assert_int_equal(stats_of(&f).dropped_count, 5);
    assert_int_equal(stats_of(&f).events, 4);
    fixture_finish(&f);
}

static void an_event_stays_until_its_last_topic_drops_it(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &FEW);
    append_event(&f, 1, "busy quiet");
    for (event_id id = 2; id <= 9; id++) {
        append_event(&f, id, "busy");
    }
    assert_int_equal(stats_of(&f).events, 4);
    assert_int_equal(stats_of(&f).dropped_count, 5);
    assert_int_equal(assert_reads(&f, "quiet", 0, 9, "1"), 0);
    assert_int_equal(assert_reads(&f, "busy", 0, 9, "7 8 9"), 6);
    for (event_id id = 10; id <= 12; id++) {
        append_event(&f, id, "quiet");
    }
    assert_int_equal(assert_reads(&f, "quiet", 0, 12, "10 11 12"), 1);
    assert_int_equal(stats_of(&f).events, 6);
    assert_int_equal(stats_of(&f).dropped_count, 6);
    fixture_finish(&f);
}

static void a_topic_named_twice_holds_once(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &FEW);
    append_event(&f, 1, "a a b a");
    append_event(&f, 2, "a a");
    assert_reads(&f, "a", 0, 9, "1 2");
    append_event(&f, 3, "a");
    append_event(&f, 4, "a");
    append_event(&f, 5, "a");
    assert_int_equal(assert_reads(&f, "a", 0, 9, "3 4 5"), 2);
    assert_int_equal(assert_reads(&f, "b", 0, 9, "1"), 0);
    assert_int_equal(stats_of(&f).events, 4);
    fixture_finish(&f);
}

static void a_topic_keeps_to_its_bytes(void **state) {
    struct fixture f;
    struct history_limits limits = {.topic.count = 100, .topic.bytes = 1000, .bytes = 1 << 20};
    fixture_init(&f, *state, &limits);
    append_sized(&f, 1, "b", 300);
    append_sized(&f, 2, "a", 300);
    append_sized(&f, 3, "a", 300);
    append_sized(&f, 4, "a", 300);
    assert_int_equal(assert_reads(&f, "a", 0, 9, "3 4"), 2);
    assert_int_equal(assert_reads(&f, "b", 0, 9, "1"), 0);
    assert_int_equal(stats_of(&f).dropped_bytes, 1);
    // Too large to be held at all: it pushes nothing out, but it is a gap.
    append_sized(&f, 5, "a", 2000);
    assert_int_equal(assert_reads(&f, "a", 0, 9, "3 4"), 5);
    assert_int_equal(stats_of(&f).dropped_bytes, 2);
    fixture_finish(&f);
}

static void the_budget_drops_the_oldest_of_all(void **state) {
    struct fixture f;
    const struct backend *backend = *state;
    struct history_limits limits = {.topic.count = 1000, .bytes = 20000};
    if (backend->least_bytes > limits.bytes) {
        skip(); // it has a test of its own
    }
    fixture_init(&f, *state, &limits);
    append_event(&f, 1, "quiet");
    for (event_id id = 2; id <= 100; id++) {
        append_sized(&f, id, id % 2 ? "odd" : "even", 1000);
        assert_true(stats_of(&f).bytes <= limits.bytes);
    }
    struct history_stats stats = stats_of(&f);
    assert_true(stats.events > 10);
    assert_int_equal(stats.dropped_budget + stats.events, 100);
    assert_true(floor_of(&f, "quiet") >= 1);
    assert_int_equal(assert_reads(&f, "odd even", 98, 100, "99 100"), 100 - stats.events);
    // Larger than the budget.
    append_sized(&f, 101, "odd", 30000);
    assert_int_equal(stats_of(&f).events, stats.events);
    assert_int_equal(floor_of(&f, "odd"), 101);
    assert_true(floor_of(&f, "*") >= 101);
    assert_int_equal(floor_of(&f, "even"), 100 - stats.events - stats.events % 2);
    fixture_finish(&f);
}

static void age_drops_what_is_old(void **state) {
    struct fixture f;
    struct history_limits limits = AMPLE;
    limits.topic.age_ms = 1000;
    fixture_init(&f, *state, &limits);
    for (int64_t ms = 1; ms <= 3000; ms++) {
        // The time stands still for append, so that only expire() drops.
        struct frame *frame = make_event(&f, id_from_ms(ms), ms % 2 ? "a" : "b", NULL, 5);
        f.history->append(f.history, frame, 0);
        frame_unref(frame);
    }
    assert_false(f.history->expire(f.history, 1000));
    assert_int_equal(stats_of(&f).dropped_age, 0);
    assert_false(f.history->expire(f.history, 1002));
    assert_int_equal(stats_of(&f).dropped_age, 1);
    int calls = 1;
    while (f.history->expire(f.history, 3500)) {
        calls++;
    }
    assert_true(calls > 1 || f.backend->settle); // a bounded amount a call
    assert_int_equal(stats_of(&f).dropped_age, 2499);
    assert_int_equal(floor_of(&f, "a"), id_from_ms(2499));
    assert_int_equal(floor_of(&f, "b"), id_from_ms(2498));
    assert_false(f.history->expire(f.history, 1 << 30));
    assert_int_equal(stats_of(&f).events, 0);
    assert_int_equal(stats_of(&f).topics, 0);
    fixture_finish(&f);
}

static void age_holds_under_load_by_itself(void **state) {
    struct fixture f;
    struct history_limits limits = AMPLE;
    limits.topic.age_ms = 100;
    fixture_init(&f, *state, &limits);
    for (int64_t ms = 1; ms <= 1000; ms++) {
        append_event(&f, id_from_ms(ms), "a");
    }
    assert_in_range(stats_of(&f).events, 99, 110);
    fixture_finish(&f);
}

static void what_keeps_nothing_still_tells(void **state) {
    struct fixture f;
    struct history_limits limits = {.topic.count = 0, .bytes = 1 << 20};
    fixture_init(&f, *state, &limits);
    append_event(&f, 7, "a room/1");
    assert_true(assert_reads(&f, "a", 0, 9, "") >= 7);
    assert_true(assert_reads(&f, "room/*", 0, 9, "") >= 7);
    assert_true(assert_reads(&f, "**", 0, 9, "") >= 7);
    assert_int_equal(stats_of(&f).events, 0);
    assert_int_equal(stats_of(&f).dropped_count, 1);
    fixture_finish(&f);
}

static void a_vanished_topic_leaves_its_floor(void **state) {
    struct fixture f;
    struct history_limits limits = AMPLE;
    limits.topic.age_ms = 10;
    fixture_init(&f, *state, &limits);
    append_event(&f, id_from_ms(1), "a room/1/door");
    f.history->expire(f.history, 1000);
    assert_int_equal(stats_of(&f).topics, 0);
    const char *names[] = {"a", "room/1/door", "room/*/door", "room/1/*", "room/**", "*", "*/**"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(floor_of(&f, names[i]) >= id_from_ms(1));
    }
    append_event(&f, id_from_ms(1000), "a");
    assert_true(floor_of(&f, "a") >= id_from_ms(1));
    fixture_finish(&f);
}

static void floors_start_at_the_origin(void **state) {
    struct fixture f;
    struct history_limits limits = AMPLE;
    limits.origin = 50;
    fixture_init(&f, *state, &limits);
    append_event(&f, 60, "a");
    assert_int_equal(assert_reads(&f, "a", 0, 99, "60"), 50);
    assert_int_equal(assert_reads(&f, "b", 0, 99, ""), 50);
    assert_int_equal(assert_reads(&f, "*", 0, 99, "60"), 50);
    fixture_finish(&f);
}

static void last_counts_from_the_end(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 10, "a");
    append_event(&f, 20, "b");
    append_event(&f, 30, "a b");
    append_event(&f, 40, "b");
    append_event(&f, 50, "c");
    const char *both[] = {"a b", "*"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(last_of(&f, both[i], 1, 45), 39);
        assert_int_equal(last_of(&f, both[i], 2, 45), 29);
        assert_int_equal(last_of(&f, both[i], 3, 45), 19);
        assert_int_equal(last_of(&f, both[i], 4, 45), 9);
        assert_int_equal(last_of(&f, both[i], 99, 45), 9);
        assert_int_equal(last_of(&f, both[i], 0, 45), 45);
        assert_int_equal(last_of(&f, both[i], 1, 40), 39);
        assert_int_equal(last_of(&f, both[i], 1, 39), 29);
        assert_int_equal(last_of(&f, both[i], 1, 9), 9);
    }
    assert_int_equal(last_of(&f, "c", SIZE_MAX, 99), 49);
    fixture_finish(&f);
}

static void last_goes_back_far(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    for (event_id id = 1; id <= 5000; id++) {
        append_event(&f, id, id % 2 ? "a" : "b");
    }
    assert_int_equal(last_of(&f, "a b", 4000, 5000), 1000);
    assert_int_equal(last_of(&f, "a", 2400, 5000), 198 + 2);
    assert_int_equal(last_of(&f, "*", 4000, 5000), 1000);
    assert_int_equal(last_of(&f, "a b", 9000, 5000), 0);
    fixture_finish(&f);
}

static void own_ids_are_found_in_their_topics(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &FEW);
    append_own(&f, 10, "a", "one");
    append_own(&f, 20, "b", "one");
    append_own(&f, 30, "b c/d", "two");
    append_event(&f, 40, "a");
    assert_int_equal(find_own(&f, "a", "one"), 10);
    assert_int_equal(find_own(&f, "b", "one"), 20);
    assert_int_equal(find_own(&f, "b a", "one"), 10);
    assert_int_equal(find_own(&f, "*", "one"), 10);
    assert_int_equal(find_own(&f, "c/*", "one"), 0);
    assert_int_equal(find_own(&f, "c/* b", "one"), 20);
    assert_int_equal(find_own(&f, "c/d", "two"), 30);
    assert_int_equal(find_own(&f, "c/*", "two"), 30);
    assert_int_equal(find_own(&f, "a", "two"), 0);
    assert_int_equal(find_own(&f, "a b c/d **", "three"), 0);
    assert_int_equal(find_own(&f, "a", ""), 0);
    fixture_finish(&f);
}

static void a_dropped_own_id_is_not_found(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &FEW);
    append_own(&f, 1, "a b", "x");
    append_own(&f, 2, "a", "y");
    append_own(&f, 3, "a", "y");
    append_own(&f, 4, "a", "z"); // drops 1 from a
    assert_int_equal(find_own(&f, "a", "x"), 0);
    assert_int_equal(find_own(&f, "a b", "x"), 1);
    assert_int_equal(find_own(&f, "*", "x"), 1);
    assert_int_equal(find_own(&f, "a", "y"), 2);
    append_own(&f, 5, "a", "y"); // drops 2
    assert_int_equal(find_own(&f, "a", "y"), 3);
    assert_int_equal(find_own(&f, "*", "y"), 3);
    append_own(&f, 6, "a", "v"); // drops 3
    append_own(&f, 7, "a", "w"); // drops 4
    assert_int_equal(find_own(&f, "a", "y"), 5);
    append_own(&f, 8, "a", "u"); // drops 5
    assert_int_equal(find_own(&f, "a", "y"), 0);
    assert_int_equal(find_own(&f, "**", "y"), 0);
    assert_int_equal(find_own(&f, "a", "v"), 6);
    fixture_finish(&f);
}

struct seen {
    int visits, stop_after;
    uint64_t events;
};

static bool count_topic(void *ctx, const struct history_topic *topic) {
    struct seen *seen = ctx;
    seen->events += topic->events;
    assert_true(topic->oldest && topic->oldest <= topic->newest);
    assert_true(topic->name.len >= 1 && topic->bytes);
    return ++seen->visits != seen->stop_after;
}

static void topics_are_walked_in_portions(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    for (event_id id = 1; id <= 2000; id++) {
        char name[16];
        sprintf(name, "t%d", (int)(id % 500));
        append_event(&f, id, name);
    }
    struct seen seen = {0};
    fixture_settle(&f);
    struct history_walk walk = {0};
    int calls = 1;
    while (f.history->topics(f.history, &walk, 16, count_topic, &seen)) {
        calls++;
    }
    assert_true(calls > 10);
    assert_int_equal(seen.visits, 500);
    assert_int_equal(seen.events, 2000);
    seen = (struct seen){.stop_after = 3};
    walk = (struct history_walk){0};
    assert_false(f.history->topics(f.history, &walk, SIZE_MAX, count_topic, &seen));
    assert_int_equal(seen.visits, 3);
    fixture_finish(&f);
}

static void one_topic_is_described(void **state) {
    struct fixture f;
    struct history_topic topic;
    fixture_init(&f, *state, &FEW);
    for (event_id id = 1; id <= 5; id++) {
        append_event(&f, id, "a");
    }
    struct topic_name a = name_of(&f, "a"), b = name_of(&f, "b");
    fixture_settle(&f);
    assert_true(f.history->topic(f.history, &a, &topic));
    assert_int_equal(topic.events, 3);
    assert_int_equal(topic.oldest, 3);
    assert_int_equal(topic.newest, 5);
    assert_true(bytes_is(topic.name, "a"));
    assert_false(f.history->topic(f.history, &b, &topic));
    fixture_finish(&f);
}

static void private_events_are_for_the_privy(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 1, "a");
    append_event(&f, 2, "a !");
    append_event(&f, 3, "a b !");
    append_event(&f, 4, "b ~x");
    static const char *const public[] = {"a", "a b", "*", "a *"};
    static const char *const heard[] = {"1", "1 4", "1 4", "1 4"};
    for (int i = 0; i < 4; i++) {
        assert_reads(&f, public[i], 0, 99, heard[i]);
    }
    assert_reads(&f, "a !", 0, 99, "1 2 3");
    assert_reads(&f, "* !", 0, 99, "1 2 3 4");
    assert_reads(&f, "a b ~message !", 0, 99, "1 2 3");
    // What is not heard is not counted either.
    assert_int_equal(last_of(&f, "a", 1, 99), 0);
    assert_int_equal(last_of(&f, "a !", 1, 99), 2);
    assert_int_equal(last_of(&f, "a b", 2, 99), 0);
    assert_int_equal(last_of(&f, "*", 2, 99), 0);
    assert_int_equal(last_of(&f, "* !", 2, 99), 2);
    fixture_finish(&f);
}

static void a_part_of_a_selection_may_be_privy(void **state) {
    struct fixture f;
    struct past_batch batch;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 1, "a !");
    append_event(&f, 2, "b !");
    append_event(&f, 3, "a b !");
    struct selection *selection = select_names(&f, "a b");
    selection_set_privy(selection, 1);
    fixture_settle(&f);
    assert_int_equal(f.history->past.read(&f.history->past, selection, 0, 99, 1 << 20, &batch), 0);
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.frames[0]->id, 2);
    assert_true(batch.frames[0]->private);
    assert_int_equal(batch.frames[1]->id, 3);
    past_batch_release(&batch);
    selection_destroy(&selection);
    fixture_finish(&f);
}

static void a_private_event_that_goes_is_a_gap_for_the_privy_alone(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &FEW); // three
    append_event(&f, 1, "a ~x");
    append_event(&f, 2, "a ~x !");
    append_event(&f, 3, "a ^k !");
    append_event(&f, 4, "a ^k !");
    append_event(&f, 5, "a");
    append_event(&f, 6, "a");
    append_event(&f, 7, "a");
    static const char *const public[] = {"a", "a ~x", "*"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(floor_of(&f, public[i]), 1);
    }
    assert_int_equal(floor_of(&f, "a ~y"), 0);
    assert_int_equal(floor_of(&f, "a !"), 4);
    assert_int_equal(floor_of(&f, "* !"), 4);
    assert_int_equal(floor_of(&f, "a ~x !"), 2);
    assert_int_equal(floor_of(&f, "a ~y !"), 0);
    assert_int_equal(floor_of(&f, "a + !"), 4);
    assert_int_equal(floor_of(&f, "b !"), 0);
    fixture_finish(&f);
}

static void a_private_value_replaces_none_that_is_not(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_event(&f, 1, "a ^k");
    append_event(&f, 2, "a ^k !");
    append_event(&f, 3, "a ^k !");
    append_event(&f, 4, "b c ^k !");
    static const char *const names[] = {"a +", "* +"};
    for (int i = 0; i < 2; i++) {
        assert_values(&f, names[i], 0, 99, "1");
        assert_reads(&f, names[i], 0, 99, "1");
    }
    assert_values(&f, "a + !", 0, 99, "1 3");
    assert_values(&f, "* + !", 0, 99, "1 3 4");
    assert_values(&f, "b c +", 0, 99, "");
    fixture_finish(&f);
}

static void a_private_own_id_is_not_found(void **state) {
    struct fixture f;
    fixture_init(&f, *state, &AMPLE);
    append_own(&f, 1, "a !", "mine");
    append_own(&f, 2, "a b !", "mine");
    append_own(&f, 3, "b", "mine");
    append_own(&f, 4, "a !", "other");
    static const char *const names[] = {"a", "a b", "b", "*"}, *const privy[] = {"a !", "a b !",
                                                                                 "b !", "* !"};
    static const event_id found[] = {0, 3, 3, 3}, found_by_privy[] = {1, 1, 2, 1};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(find_own(&f, names[i], "mine"), found[i]);
        assert_int_equal(find_own(&f, names[i], "other"), 0);
        assert_int_equal(find_own(&f, privy[i], "mine"), found_by_privy[i]);
    }
    fixture_finish(&f);
}

int conformance_run(const struct backend *backend) {
    union {
        const struct backend *backend;
        void *state;
    } pass = {.backend = backend}; // cmocka's state is not const
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(nothing_is_held_at_first, pass.state),
        cmocka_unit_test_prestate(a_cursor_stands_anywhere, pass.state),
        cmocka_unit_test_prestate(topics_merge_in_order_and_once, pass.state),
        cmocka_unit_test_prestate(patterns_hear_what_matches, pass.state),
        cmocka_unit_test_prestate(only_types_that_are_let_through, pass.state),
        cmocka_unit_test_prestate(a_filter_that_finds_nothing_moves_on, pass.state),
        cmocka_unit_test_prestate(a_type_that_is_still_held_is_no_gap, pass.state),
        cmocka_unit_test_prestate(the_newest_of_each_key, pass.state),
        cmocka_unit_test_prestate(a_snapshot_goes_on_over_batches, pass.state),
        cmocka_unit_test_prestate(only_values_that_go_are_gaps, pass.state),
        cmocka_unit_test_prestate(keys_go_with_their_topic, pass.state),
        cmocka_unit_test_prestate(more_than_a_batch_takes_more_calls, pass.state),
        cmocka_unit_test_prestate(a_batch_fits_its_bytes, pass.state),
        cmocka_unit_test_prestate(a_topic_keeps_its_newest, pass.state),
        cmocka_unit_test_prestate(an_event_stays_until_its_last_topic_drops_it, pass.state),
        cmocka_unit_test_prestate(a_topic_named_twice_holds_once, pass.state),
        cmocka_unit_test_prestate(a_topic_keeps_to_its_bytes, pass.state),
        cmocka_unit_test_prestate(the_budget_drops_the_oldest_of_all, pass.state),
        cmocka_unit_test_prestate(age_drops_what_is_old, pass.state),
        cmocka_unit_test_prestate(age_holds_under_load_by_itself, pass.state),
        cmocka_unit_test_prestate(what_keeps_nothing_still_tells, pass.state),
        cmocka_unit_test_prestate(a_vanished_topic_leaves_its_floor, pass.state),
        cmocka_unit_test_prestate(floors_start_at_the_origin, pass.state),
        cmocka_unit_test_prestate(last_counts_from_the_end, pass.state),
        cmocka_unit_test_prestate(last_goes_back_far, pass.state),
        cmocka_unit_test_prestate(own_ids_are_found_in_their_topics, pass.state),
        cmocka_unit_test_prestate(a_dropped_own_id_is_not_found, pass.state),
        cmocka_unit_test_prestate(topics_are_walked_in_portions, pass.state),
        cmocka_unit_test_prestate(one_topic_is_described, pass.state),
        cmocka_unit_test_prestate(what_is_purged_is_a_gap, pass.state),
        cmocka_unit_test_prestate(purges_are_told_to_be_safe, pass.state),
        cmocka_unit_test_prestate(topics_have_limits_of_their_own, pass.state),
        cmocka_unit_test_prestate(private_events_are_for_the_privy, pass.state),
        cmocka_unit_test_prestate(a_part_of_a_selection_may_be_privy, pass.state),
        cmocka_unit_test_prestate(a_private_event_that_goes_is_a_gap_for_the_privy_alone,
                                  pass.state),
        cmocka_unit_test_prestate(a_private_value_replaces_none_that_is_not, pass.state),
        cmocka_unit_test_prestate(a_private_own_id_is_not_found, pass.state),
        cmocka_unit_test_prestate(limits_can_change, pass.state),
        cmocka_unit_test_prestate(an_age_can_come_later, pass.state),
        cmocka_unit_test_prestate(without_memory_limits_stay, pass.state),
    };
    return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}
