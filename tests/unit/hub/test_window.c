// The window, of feeds and of the hub: it stays within its budget whoever stalls, forgets the
// oldest first, and owes nothing to feeds that are gone.
#include "hub/verify.h"

#include <stdio.h>
#include <stdlib.h>

enum { STALLED = 1000, ROUNDS = 2000 };

static struct fake_hub fake;

static int setup(void **state) {
    fake_hub_init(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_hub_finish(&fake);
    return 0;
}

static void publish_many(int count) {
    char data[200];
    memset(data, 'x', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';
    for (int i = 0; i < count; i++) {
        fake_publish(&fake, "t", data);
        hub_flush(&fake.hub, 10);
        assert_true(fake.hub.window_held <= fake.settings.window_bytes);
    }
}

static void leave_all(struct fake_sub *subs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fake_sub_finish(&subs[i]);
    }
    free(subs);
}

static struct fake_sub *join_all(size_t count, bool own_feeds) {
    struct fake_sub *subs = calloc(count, sizeof(*subs));
    for (size_t i = 0; i < count; i++) {
        char topics[32];
        fake_sub_init(&subs[i], &fake);
        subs[i].light = true;
        snprintf(topics, sizeof(topics), own_feeds ? "t own/%zu" : "t", i);
        fake_join(&subs[i], topics);
    }
    return subs;
}

// A thousand that never read, half of them in the middle of an event.
static void stall_everyone(bool own_feeds) {
    fake.remembers = false;
    fake.settings.past = NULL;
    fake.settings.window_bytes = 100000;
    fake_hub_open(&fake);
    struct fake_sub *subs = join_all(STALLED, own_feeds);
    for (int i = 0; i < STALLED; i++) {
        subs[i].room = i % 2 ? 5 : 0;
    }
    long before = fake.mem.bytes;
    publish_many(1);
    fake_flush(&fake);
    publish_many(ROUNDS);
    // The slots and the marks of the window come on top of the frames, but they are bounded with
    // it.
    assert_true(fake.mem.bytes - before < 5 * (long)fake.settings.window_bytes);
    assert_true(fake.frame_mem.bytes < 2 * (long)fake.settings.window_bytes);
    leave_all(subs, STALLED);
}

// Who has everything hears nothing of it; who has not reads the past.
static void test_a_window_is_dropped(void **state) {
    struct fake_sub live, slow;
    fake_hub_open(&fake);
    fake_sub_init(&live, &fake);
    fake_sub_init(&slow, &fake);
    fake_join(&live, "t");
    fake_join(&slow, "t");
    slow.room = 0;
    fake_publish(&fake, "t", "1");
    fake_publish(&fake, "t", "2");
    fake_flush(&fake);
    size_t sends = live.sends;
    feed_drop_window(live.s.feed);
    assert_int_equal(live.s.feed->slots.count, 0);
    fake_flush(&fake);
    assert_int_equal(live.sends, sends);
    fake_drain(&slow, 1000);
    fake_flush(&fake);
    assert_int_equal(atomic_load(&fake.hub.stats.replayed), 2);
    fake_publish(&fake, "t", "3");
    fake_flush(&fake);
    assert_int_equal(live.got.len, slow.got.len);
    assert_memory_equal(live.got.at, slow.got.at, live.got.len);
    fake_sub_finish(&live);
    fake_sub_finish(&slow);
}

static void test_stalled_in_one_feed(void **state) {
    stall_everyone(false);
}

static void test_stalled_in_feeds_of_their_own(void **state) {
    stall_everyone(true);
}

static void test_oldest_goes_first(void **state) {
    struct fake_sub reader, stalled;
    fake.settings.window_bytes = 3000;
    fake_hub_open(&fake);
    fake_sub_init(&reader, &fake);
    fake_sub_init(&stalled, &fake);
    fake_join(&reader, "t");
    fake_join(&stalled, "t");
    stalled.room = 0;
    publish_many(100);
    struct feed *feed = reader.s.feed;
    assert_int_equal(feed_slot(feed, feed->slots.count - 1)->id, fake.newest);
    assert_int_equal(feed->floor, fake.newest - feed->slots.count);
    assert_int_equal(reader.s.state, SUBSCRIBER_LIVE);
    fake_drain(&stalled, SIZE_MAX);
    assert_int_equal(stalled.s.state, SUBSCRIBER_BEHIND);
    fake_flush(&fake);
    assert_int_equal(verify_all(&stalled).events, 100);
    assert_int_equal(verify_all(&reader).events, 100);
    fake_sub_finish(&reader);
    fake_sub_finish(&stalled);
}

static void test_find_slot(void **state) {
    struct fake_sub sub;
    fake_hub_open(&fake);
    fake_sub_init(&sub, &fake);
    fake_join(&sub, "t");
    assert_int_equal(feed_find_slot(sub.s.feed, 0), 0);
    for (int i = 0; i < 10; i++) {
        fake.newest += 5;
        fake_publish(&fake, "t", "x");
    }
    for (event_id after = 990; after < fake.newest + 3; after++) {
        uint32_t place = feed_find_slot(sub.s.feed, after), count = sub.s.feed->slots.count;
        assert_true(place == 0 || feed_slot(sub.s.feed, place - 1)->id <= after);
        assert_true(place == count || feed_slot(sub.s.feed, place)->id > after);
    }
    fake_sub_finish(&sub);
}

// After a loss the hub's window still has entries for slots that are gone.
static void test_window_after_a_loss(void **state) {
    struct fake_sub sub;
    fake.settings.window_bytes = 3000;
    fake_hub_open(&fake);
    fake_sub_init(&sub, &fake);
    fake_join(&sub, "t");
    publish_many(5);
    hub_lose(&fake.hub, ++fake.newest);
    publish_many(2);
    assert_int_equal(sub.s.feed->slots.count, 2); // nothing new was taken for the old entries
    publish_many(50);
    fake_flush(&fake);
    assert_int_equal(verify_all(&sub).events, 57);
    fake_sub_finish(&sub);
}

static void test_feeds_that_are_gone_leave_no_charge_behind(void **state) {
    fake_hub_open(&fake);
    for (int i = 0; i < 100; i++) {
        struct fake_sub sub;
        fake_sub_init(&sub, &fake);
        fake_join(&sub, "t");
        publish_many(1);
        fake_sub_finish(&sub);
        assert_int_equal(fake.hub.window_held, 0);
    }
}

static void wave(size_t number) {
    struct fake_sub *subs = calloc(200, sizeof(*subs));
    for (size_t i = 0; i < 200; i++) {
        char topics[200];
        size_t n = number * 200 + i;
        fake_sub_init(&subs[i], &fake);
        subs[i].light = true;
        snprintf(topics, sizeof(topics), "t a/%zu b/%zu c/%zu d/%zu e/%zu f/%zu", n, n, n, n, n, n);
        fake_join(&subs[i], topics);
    }
    publish_many(1);
    leave_all(subs, 200);
}

// Polls come in waves, each with a selection of its own; one listener stays and keeps the window.
static void test_feeds_that_are_gone_cost_little(void **state) {
    struct fake_sub stays;
    fake.settings.window_bytes = 200000;
    fake.remembers = false;
    fake_hub_open(&fake);
    fake_sub_init(&stays, &fake);
    stays.light = true;
    fake_join(&stays, "t");
    publish_many(1);
    long before = fake.mem.bytes;
    for (size_t i = 0; i < 100; i++) {
        wave(i);
    }
    assert_true(fake.mem.bytes - before < 3 * (long)fake.settings.window_bytes);
    fake_sub_finish(&stays);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_window_is_dropped),
        TEST(test_stalled_in_one_feed),
        TEST(test_stalled_in_feeds_of_their_own),
        TEST(test_oldest_goes_first),
        TEST(test_find_slot),
        TEST(test_window_after_a_loss),
        TEST(test_feeds_that_are_gone_leave_no_charge_behind),
        TEST(test_feeds_that_are_gone_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
