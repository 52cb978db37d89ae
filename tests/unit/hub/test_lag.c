// How far a listener may lag: when the limit is hit, and what each action makes of it.
#include "hub/verify.h"

#include "hub/control.h"

static struct fake_hub fake;
static struct fake_sub a, b;

static int setup(void **state) {
    fake_hub_init(&fake);
    fake_sub_init(&a, &fake);
    fake_sub_init(&b, &fake);
    return 0;
}

static int teardown(void **state) {
    fake_sub_finish(&a);
    fake_sub_finish(&b);
    fake_hub_finish(&fake);
    return 0;
}

static void open_with(struct lag_limits limits) {
    fake.settings.lag = limits;
    fake_hub_open(&fake);
}

static void publish_many(int count) {
    for (int i = 0; i < count; i++) {
        fake_publish(&fake, "t", "x");
        fake_flush(&fake);
    }
}

// Has everything, and from now on takes so many bytes more.
static void join_live(struct fake_sub *sub, size_t room) {
    fake_join(sub, "t");
    fake_flush(&fake);
    sub->room = room;
}

static void assert_hits(int64_t now, unsigned hits) {
    hub_check_lag(&fake.hub, now);
    assert_int_equal(atomic_load(&fake.hub.stats.lag_hits), hits);
}

static void test_no_limit(void **state) {
    open_with((struct lag_limits){.action = LAG_CLOSE});
    join_live(&a, 0);
    publish_many(1000);
    assert_hits(1, 0);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 1000);
}

static void test_beyond_hard_at_once_and_once(void **state) {
    open_with((struct lag_limits){.hard = 3});
    join_live(&a, 0);
    join_live(&b, SIZE_MAX);
    publish_many(3);
    assert_hits(1, 0);
    publish_many(1);
    assert_hits(2, 1);
    assert_hits(3, 1);
    publish_many(10);
    assert_hits(4, 1);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 14);
    assert_int_equal(verify_all(&a).gaps, 0);
    // It had everything: the next time is another time.
    a.room = 0;
    publish_many(4);
    assert_hits(5, 2);
}

static void test_beyond_soft_for_a_time(void **state) {
    open_with((struct lag_limits){.soft = 3, .soft_ms = 1000});
    join_live(&a, 0);
    publish_many(4);
    assert_hits(100, 0);
    assert_hits(1099, 0);
    assert_hits(1100, 1);
    assert_hits(9000, 1);
}

static void test_who_recovers_has_all_the_time_again(void **state) {
    open_with((struct lag_limits){.soft = 3, .soft_ms = 1000});
    join_live(&a, 0);
    publish_many(4);
    assert_hits(100, 0);
    fake_drain(&a, 25); // one event, and a part of the next
    fake_flush(&fake);
    assert_hits(1100, 0);
    publish_many(1);
    assert_hits(1200, 0);
    assert_hits(2199, 0);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    a.room = 0;
    publish_many(4);
    assert_hits(2300, 0);
    assert_hits(3299, 0);
    assert_hits(3300, 1);
}

static void test_the_clock_goes_around(void **state) {
    open_with((struct lag_limits){.soft = 1, .soft_ms = 1000});
    join_live(&a, 0);
    publish_many(2);
    assert_hits(UINT32_MAX - 500LL, 0);
    assert_hits(UINT32_MAX + 498LL, 0);
    assert_hits(UINT32_MAX + 500LL, 1);
}

static void test_hard_does_not_wait_for_soft(void **state) {
    open_with((struct lag_limits){.soft = 1, .soft_ms = 1000, .hard = 3});
    join_live(&a, 0);
    publish_many(3);
    assert_hits(1, 0);
    publish_many(1);
    assert_hits(2, 1);
}

// Whoever reads a long past slowly was never with the others.
static void test_replaying_is_no_lag(void **state) {
    open_with((struct lag_limits){.hard = 3, .action = LAG_CLOSE});
    publish_many(20);
    fake_join_after(&a, "t", 1000);
    a.room = 10;
    fake_flush(&fake);
    assert_int_equal(a.s.state, SUBSCRIBER_STALLED);
    assert_hits(1, 0);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    a.room = 10;
    publish_many(5); // it has a part of the first
    assert_hits(2, 1);
}

static void test_counts_on_when_the_window_has_moved_on(void **state) {
    fake.settings.window_bytes = 0;
    open_with((struct lag_limits){.hard = 5});
    join_live(&b, SIZE_MAX);
    join_live(&a, 0);
    publish_many(1);
    assert_hits(1, 0);
    publish_many(5);
    assert_hits(2, 1);
}

static void test_what_the_past_hands_out_counts(void **state) {
    fake.settings.window_bytes = 0;
    fake.past.most = 1;
    open_with((struct lag_limits){.hard = 5});
    join_live(&a, 0);
    publish_many(1);
    assert_hits(1, 0);
    for (int i = 0; i < 20; i++) {
        fake_drain(&a, 20);
        fake_flush(&fake);
        publish_many(1);
        assert_hits(2 + i, 0);
    }
    publish_many(5);
    assert_hits(100, 1);
}

static void test_a_change_begins_to_count_anew(void **state) {
    open_with((struct lag_limits){.hard = 3});
    join_live(&a, 0);
    join_live(&b, SIZE_MAX);
    publish_many(3);
    assert_hits(1, 0);
    assert_int_equal(fake_change(&a, "", "u"), 0);
    fake_publish(&fake, "u", "x");
    assert_hits(2, 0);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 4);
}

static void test_close(void **state) {
    open_with((struct lag_limits){.hard = 3, .action = LAG_CLOSE});
    join_live(&a, 0);
    join_live(&b, 0);
    publish_many(3);
    fake_drain(&b, SIZE_MAX);
    fake_flush(&fake);
    publish_many(1);
    assert_hits(1, 1);
    assert_true(a.lags);
    assert_int_equal(a.s.state, SUBSCRIBER_OUT);
    assert_false(b.lags);
    assert_int_equal(verify_all(&b).events, 4);
}

static const char skipped[] =
    "id: 0-1001\ndata: x\n\n"
    "event: freshet.gap\n"
    "data: {\"after\":\"0-1001\",\"before\":\"0-1006\",\"reason\":\"skipped\"}\n\n"
    "id: 0-1006\ndata: x\n\n"
    "id: 0-1007\ndata: x\n\n";

static void test_skip(void **state) {
    open_with((struct lag_limits){.hard = 3, .action = LAG_SKIP});
    join_live(&a, 7);
    publish_many(5);
    assert_hits(1, 1);
    publish_many(1); // what is newest when it takes something again
    fake_drain(&a, 5);
    fake_flush(&fake);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    publish_many(1);
    fake_assert_got(&a, skipped);
    assert_int_equal(atomic_load(&fake.hub.stats.gaps), 1);
    assert_hits(2, 1);
}

static void test_skip_compressed(void **state) {
    open_with((struct lag_limits){.hard = 3, .action = LAG_SKIP});
    a.gzip = true;
    join_live(&a, 7);
    publish_many(5);
    assert_hits(1, 1);
    publish_many(1);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    publish_many(1);
    fake_assert_got(&a, skipped);
}

// Every length of what it takes before it stalls, and then: the same in the end.
static void test_skip_at_every_byte(void **state) {
    open_with((struct lag_limits){.hard = 3, .action = LAG_SKIP});
    for (size_t room = 0; room < 40; room++) {
        join_live(&a, room);
        publish_many(6);
        hub_check_lag(&fake.hub, 1);
        fake_drain(&a, 3);
        fake_flush(&fake);
        fake_drain(&a, SIZE_MAX);
        fake_flush(&fake);
        struct verdict verdict = verify_all(&a);
        assert_int_equal(verdict.gaps, 1);
        assert_int_equal(verdict.events, room / 20 + (room % 20 ? 2 : 1));
        fake_sub_finish(&a);
        fake_sub_init(&a, &fake);
    }
}

static void test_skip_without_a_window(void **state) {
    fake.settings.window_bytes = 0;
    open_with((struct lag_limits){.hard = 3, .action = LAG_SKIP});
    join_live(&a, 0);
    publish_many(1);
    assert_hits(1, 0);
    publish_many(4);
    assert_hits(2, 1);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    publish_many(1);
    fake_assert_got(&a, "event: freshet.gap\n"
                        "data: {\"after\":\"0-1000\",\"before\":null,\"reason\":\"skipped\"}\n\n"
                        "id: 0-1006\ndata: x\n\n");
}

// The newest of what there is stands for the newest of each key.
static int read_last(struct past *past, const struct selection *selection, event_id after,
                     event_id upto, size_t max_bytes, struct past_batch *batch) {
    int rc = past->read(past, selection, after, upto, max_bytes, batch);
    while (batch->count > 1) {
        frame_unref(batch->frames[0]);
        memmove(batch->frames, batch->frames + 1, --batch->count * sizeof(batch->frames[0]));
    }
    return rc;
}

static void test_latest(void **state) {
    fake.past.past.values = read_last;
    open_with((struct lag_limits){.hard = 3, .action = LAG_LATEST});
    join_live(&a, 7);
    publish_many(6);
    assert_hits(1, 1);
    fake_drain(&a, 50);
    fake_flush(&fake);
    publish_many(1);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    publish_many(1);
    fake_assert_got(&a, "id: 0-1001\ndata: x\n\n"
                        "event: freshet.gap\n"
                        "data: {\"after\":\"0-1001\",\"before\":null,\"reason\":\"latest\"}\n\n"
                        "id: 0-1006\ndata: x\n\n"
                        "id: 0-1007\ndata: x\n\n"
                        "id: 0-1008\ndata: x\n\n");
}

static void test_what_its_owner_says_is_not_lost(void **state) {
    open_with((struct lag_limits){.hard = 3, .action = LAG_SKIP});
    a.asides[0] = "aside\n";
    join_live(&a, 7);
    publish_many(5);
    hub_aside(&a.s);
    assert_hits(1, 1);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    fake_assert_got(&a,
                    "id: 0-1001\ndata: x\n\n"
                    "event: freshet.gap\n"
                    "data: {\"after\":\"0-1001\",\"before\":\"0-1005\",\"reason\":\"skipped\"}\n\n"
                    "aside\n"
                    "id: 0-1005\ndata: x\n\n");
}

static void test_without_memory_it_goes_on(void **state) {
    open_with((struct lag_limits){.hard = 3, .action = LAG_SKIP});
    join_live(&a, 0);
    publish_many(5);
    assert_hits(1, 1);
    fake.mem.fail_at = fake.mem.calls + 1;
    fake_drain(&a, SIZE_MAX);
    fake.mem.fail_at = 0;
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 5);
    assert_int_equal(verify_all(&a).gaps, 0);
}

// So many at a time, and all of them in turn.
static void test_looks_are_limited(void **state) {
    enum { MANY = LAG_LOOKS + 500 };
    static struct fake_sub many[MANY];
    open_with((struct lag_limits){.hard = 1});
    for (int i = 0; i < MANY; i++) {
        fake_sub_init(&many[i], &fake);
        many[i].light = true;
        join_live(&many[i], 0);
    }
    publish_many(2);
    assert_hits(1, LAG_LOOKS);
    assert_hits(2, MANY);
    assert_hits(3, MANY);
    for (int i = 0; i < MANY; i++) {
        fake_sub_finish(&many[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_no_limit),
        TEST(test_beyond_hard_at_once_and_once),
        TEST(test_beyond_soft_for_a_time),
        TEST(test_who_recovers_has_all_the_time_again),
        TEST(test_the_clock_goes_around),
        TEST(test_hard_does_not_wait_for_soft),
        TEST(test_replaying_is_no_lag),
        TEST(test_counts_on_when_the_window_has_moved_on),
        TEST(test_what_the_past_hands_out_counts),
        TEST(test_a_change_begins_to_count_anew),
        TEST(test_close),
        TEST(test_skip),
#ifdef HAVE_ZLIB
        TEST(test_skip_compressed),
#endif
        TEST(test_skip_at_every_byte),
        TEST(test_skip_without_a_window),
        TEST(test_latest),
        TEST(test_what_its_owner_says_is_not_lost),
        TEST(test_without_memory_it_goes_on),
        TEST(test_looks_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
