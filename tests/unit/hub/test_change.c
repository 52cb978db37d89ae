// A subscriber that is moved to other topics: in every state, with a half-sent frame, when memory
// fails, and with what it hears from there on. test_model.c does the same ten thousand times at
// random.
#include "hub/verify.h"

#include "base/error.h"
#include "hub/change.h"
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

static void change(struct fake_sub *sub, const char *drop, const char *add) {
    assert_int_equal(fake_change(sub, drop, add), 0);
}

static void assert_plan(const char *now, const char *drop, const char *add, const char *next,
                        const char *added) {
    const struct mem *mem = &fake.mem.mem;
    struct selection *given[] = {fake_selection(mem, now), fake_selection(mem, drop),
                                 fake_selection(mem, add), fake_selection(mem, next),
                                 fake_selection(mem, added)};
    struct selection *got[2];
    assert_int_equal(change_plan(given[0], given[1], given[2], &fake_key, &got[0], &got[1]), 0);
    assert_true(selection_equal(got[0], given[3]));
    assert_true(selection_equal(got[1], given[4]));
    for (int i = 0; i < 5; i++) {
        selection_destroy(&given[i]);
    }
    selection_destroy(&got[0]);
    selection_destroy(&got[1]);
}

static void test_plan(void **state) {
    fake_hub_open(&fake);
    assert_plan("a b", "", "", "a b", "");
    assert_plan("a b", "a", "c", "b c", "c");
    assert_plan("a b", "b a", "", "", "");
    assert_plan("", "x", "b a b", "a b", "a b");
    assert_plan("a b", "", "b c", "a b c", "c");    // what it hears already is not new
    assert_plan("a b", "a c", "a c", "a b c", "c"); // dropped and added: stays
    assert_plan("a b", "x y/*", "", "a b", "");     // what it does not hear
    assert_plan("a/* b", "a/*", "a/**", "a/** b", "a/**");
    assert_plan("!a b", "b", "!c", "!a !c", "!c");
    assert_plan("a !b", "", "!a b c", "!a !b c", "c"); // privy by either
    assert_plan("b d f h", "d h", "a c g i", "a b c f g i", "a c g i");
}

static void test_from_now_on(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "quiet");
    fake_publish(&fake, "b", "before");
    fake_publish(&fake, "c", "before");
    assert_int_equal(hub_position(&a.s), 1002);
    change(&a, "", "b");
    fake_publish(&fake, "b", "new");
    fake_publish(&fake, "quiet", "old");
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1003\ndata: new\n\nid: 0-1004\ndata: old\n\n");
    assert_int_equal(fake.past.reads, 0);
    assert_int_equal(fake.hub.feeds.count, 1);
}

static void test_dropped_is_not_sent(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "a b");
    fake_publish(&fake, "a", "unsent");
    fake_publish(&fake, "b", "wanted");
    assert_int_equal(a.s.state, SUBSCRIBER_LIVE); // due
    assert_int_equal(hub_position(&a.s), 1000);
    change(&a, "a", "");
    fake_publish(&fake, "a", "never");
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1002\ndata: wanted\n\n");
}

// It stands before events of the topic that is added: they come in their place.
static void test_lagging_gets_the_new_topic_from_its_cursor(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "a");
    fake_publish(&fake, "a", "one");
    fake_publish(&fake, "b", "two");
    fake_publish(&fake, "a", "three");
    assert_int_equal(hub_position(&a.s), 1000);
    change(&a, "", "b");
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 3);
}

static void test_served_first(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "a");
    fake_publish(&fake, "a", "one");
    fake_publish(&fake, "b", "two");
    hub_serve(&a.s);
    assert_int_equal(a.sends, 1);
    assert_int_equal(hub_position(&a.s), 1002);
    hub_serve(&a.s); // it has everything
    assert_int_equal(a.sends, 1);
    change(&a, "", "b");
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: one\n\n");
    assert_int_equal(fake.past.reads, 0);
}

// The rest of what is half sent still comes, though it is of a topic that was dropped.
static void test_half_sent(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "a");
    a.per_send = 10;
    fake_publish(&fake, "a", "half");
    fake_publish(&fake, "a", "unsent");
    fake_flush(&fake);
    assert_int_equal(a.s.state, SUBSCRIBER_STALLED);
    size_t pinned = atomic_load(&fake.pinned);
    change(&a, "a", "b");
    assert_int_equal(a.s.state, SUBSCRIBER_STALLED);
    assert_int_equal(atomic_load(&fake.pinned), pinned);
    fake_publish(&fake, "b", "new");
    fake_flush(&fake);
    assert_int_equal(a.sends, 1); // its connection is as full as it was
    a.per_send = SIZE_MAX;
    hub_writable(&a.s);
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: half\n\nid: 0-1003\ndata: new\n\n");
}

static void test_behind(void **state) {
    fake.settings.window_bytes = 0;
    fake_hub_open(&fake);
    fake_publish(&fake, "a", "one");
    fake_publish(&fake, "b", "two");
    fake_publish(&fake, "c", "three");
    fake_join_after(&a, "a b", 1000);
    assert_int_equal(a.s.state, SUBSCRIBER_BEHIND);
    change(&a, "b", "c");
    assert_int_equal(a.s.state, SUBSCRIBER_BEHIND);
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: one\n\nid: 0-1003\ndata: three\n\n");
}

static void test_put_off(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "a", "one");
    fake_publish(&fake, "b", "two");
    fake_join_after(&a, "a", 1000);
    fake.past.refuse = 1;
    while (hub_flush(&fake.hub, 10)) {
    }
    assert_int_equal(a.s.state, SUBSCRIBER_PUT_OFF);
    change(&a, "a", "b");
    assert_int_equal(a.s.state, SUBSCRIBER_PUT_OFF);
    assert_true(hub_retry(&fake.hub));
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1002\ndata: two\n\n");
}

// What it waited for is gone with the topic, and it is live at once.
static void test_nothing_left_to_wait_for(void **state) {
    struct hub_start start = {.after = 1000, .flags = SUBSCRIBER_TELL};
    fake_hub_open(&fake);
    fake_publish(&fake, "a", "one");
    assert_int_equal(fake_join_at(&a, "a", ENCODING_EVENT_STREAM, &start), 0);
    change(&a, "a", "");
    fake_flush(&fake);
    fake_assert_got(&a, "event: freshet.caught-up\ndata: {\"id\":\"0-1001\"}\n\n");
    fake_publish(&fake, "a", "two");
    hub_lose(&fake.hub, ++fake.newest);
    fake_flush(&fake);
    change(&a, "", "a");
    fake_publish(&fake, "a", "three");
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 1);
}

static void test_poll_is_over_when_nothing_is_left(void **state) {
    struct hub_start start = {.after = 1000, .flags = SUBSCRIBER_ONCE | SUBSCRIBER_NO_WAIT};
    fake_hub_open(&fake);
    fake_publish(&fake, "a", "one");
    assert_int_equal(fake_join_at(&a, "a", ENCODING_ITEMS, &start), 0);
    change(&a, "a", "b");
    fake_flush(&fake);
    assert_true(a.finished);
}

// A loss that was told of one topic says nothing of another.
static void test_gap_of_the_new_topic(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "b", "lost");
    fake_publish(&fake, "a", "lost");
    fake_publish(&fake, "a", "kept");
    fake.past.dropped = 2;
    fake_join_after(&a, "a", 1000);
    a.per_send = 5; // of the gap
    fake_flush(&fake);
    change(&a, "a", "b");
    a.per_send = SIZE_MAX;
    hub_writable(&a.s);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).gaps, 2);
}

// "From the start" ends with the first event, or when there is none left.
static void test_from_start_is_over_once_it_has_everything(void **state) {
    struct hub_start start = {.flags = SUBSCRIBER_FROM_START};
    fake_hub_open(&fake);
    assert_int_equal(control_caught_up(&start.first, &fake.frame_mem.mem, 1), 0);
    assert_int_equal(fake_join_at(&a, "a", ENCODING_EVENT_STREAM, &start), 0);
    hub_leave(&a.s);
    assert_int_equal(control_caught_up(&start.first, &fake.frame_mem.mem, 1), 0);
    start.after = 1000;
    assert_int_equal(fake_join_at(&a, "a", ENCODING_EVENT_STREAM, &start), 0);
    change(&a, "", "b");
    assert_int_equal(a.s.flags & SUBSCRIBER_FROM_START, 0);
}

static void test_shares_the_feed_of_others(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "a");
    fake_join(&b, "a b");
    fake_publish(&fake, "b", "one");
    fake_flush(&fake);
    change(&a, "", "b");
    assert_ptr_equal(a.s.feed, b.s.feed);
    assert_int_equal(fake.hub.feeds.count, 1);
    fake_publish(&fake, "b", "two");
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1002\ndata: two\n\n");
    change(&a, "", "b a");
    assert_ptr_equal(a.s.feed, b.s.feed);
    change(&b, "a", "");
    fake_publish(&fake, "a", "three");
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 2);
    assert_int_equal(verify_all(&b).events, 2);
}

// One whole life, with the nth allocation failing: a change that fails has changed nothing.
static long live_with_failure(long fail_at) {
    setup(NULL);
    fake_hub_open(&fake);
    fake_join(&a, "a b/*");
    a.per_send = 10;
    fake_publish(&fake, "a", "half");
    fake_flush(&fake);
    fake.mem.calls = 0;
    fake.mem.fail_at = fail_at;
    const struct feed *feed = a.s.feed;
    event_id id = a.s.id;
    bool failed = fake_change(&a, "a", "c x/**") != 0;
    assert_true(failed == (fail_at != 0));
    long calls = fake.mem.calls;
    if (failed) {
        assert_ptr_equal(a.s.feed, feed);
        assert_int_equal(a.s.id, id);
        assert_int_equal(fake.hub.feeds.count, 1);
    }
    a.per_send = SIZE_MAX;
    fake_publish(&fake, "a", "one");
    fake_publish(&fake, "b/c x/y", "two");
    hub_writable(&a.s);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, failed ? 3 : 2);
    teardown(NULL);
    return calls;
}

static void test_without_memory(void **state) {
    long calls = live_with_failure(0);
    assert_true(calls > 8);
    for (long n = 1; n <= calls; n++) {
        live_with_failure(n);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_plan),
        TEST(test_from_now_on),
        TEST(test_dropped_is_not_sent),
        TEST(test_lagging_gets_the_new_topic_from_its_cursor),
        TEST(test_served_first),
        TEST(test_half_sent),
        TEST(test_behind),
        TEST(test_put_off),
        TEST(test_nothing_left_to_wait_for),
        TEST(test_poll_is_over_when_nothing_is_left),
        TEST(test_gap_of_the_new_topic),
        TEST(test_from_start_is_over_once_it_has_everything),
        TEST(test_shares_the_feed_of_others),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
