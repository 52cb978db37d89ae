// The hub as its owner sees it: who joins, leaves and is served, in which order, at what cost in
// calls, and what is said to those who missed something.
#include "hub/verify.h"

#include <stdio.h>

#include "hub/control.h"

static struct fake_hub fake;
static struct fake_sub a, b, c;

static int setup(void **state) {
    fake_hub_init(&fake);
    fake_sub_init(&a, &fake);
    fake_sub_init(&b, &fake);
    fake_sub_init(&c, &fake);
    return 0;
}

static int teardown(void **state) {
    fake_sub_finish(&a);
    fake_sub_finish(&b);
    fake_sub_finish(&c);
    fake_hub_finish(&fake);
    return 0;
}

static void join_flagged(struct fake_sub *sub, event_id after, uint8_t flags) {
    struct hub_start start = {.after = after, .flags = flags};
    assert_int_equal(fake_join_at(sub, "t", ENCODING_EVENT_STREAM, &start), 0);
}

static void test_event_of_many_topics_comes_once(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "x y z/* z/**");
    fake_join(&b, "y");
    fake_publish(&fake, "x y z/1 z/2", "hello");
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: hello\n\n");
    fake_assert_got(&b, "id: 0-1001\ndata: hello\n\n");
}

static void test_same_selection_shares_a_feed(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "x y");
    fake_join(&b, "y x y");
    fake_join(&c, "x");
    assert_ptr_equal(a.s.feed, b.s.feed);
    assert_ptr_not_equal(a.s.feed, c.s.feed);
    assert_int_equal(fake.hub.feeds.count, 2);
}

static void test_private_events_reach_the_privy_alone(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "room/* b");
    fake_join(&b, "!room/* b");
    fake_publish(&fake, "room/1", "public");
    fake_publish(&fake, "!room/1", "private");
    fake_publish(&fake, "!b", "of the other name");
    fake_publish(&fake, "!b room/1", "of both");
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: public\n\n");
    fake_assert_got(&b, "id: 0-1001\ndata: public\n\nid: 0-1002\ndata: private\n\n"
                        "id: 0-1004\ndata: of both\n\n");
}

static void test_pending_events_ride_on_one_send(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    for (int i = 0; i < 100; i++) {
        fake_publish(&fake, "t", "x");
    }
    fake_flush(&fake);
    assert_int_equal(a.sends, 1);
    assert_int_equal(verify_all(&a).events, 100);
}

static void test_vanished_in_send(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    fake_join(&b, "t");
    a.vanish = true;
    fake_publish(&fake, "t", "x");
    fake_flush(&fake);
    assert_null(a.s.feed);
    assert_int_equal(verify_all(&b).events, 1);
    b.vanish = true;
    fake_publish(&fake, "t", "y");
    fake_flush(&fake); // the last one takes the feed with it
    assert_int_equal(fake.hub.feeds.count, 0);
    assert_int_equal(fake.hub.topics.map.count, 0);
}

static void test_vanished_while_reading_the_past(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "t", "x");
    fake_join_after(&a, "t", 1);
    a.vanish = true;
    fake_flush(&fake);
    assert_int_equal(fake.hub.feeds.count, 0);
}

static void other_leaves(struct fake_sub *sub) {
    hub_leave(&sub->other->s);
}

// Whoever is served first takes the next one out; the third must not notice.
static void test_another_leaves_in_send(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    fake_join(&b, "t");
    fake_join(&c, "t");
    a.on_send = other_leaves;
    a.other = &b;
    fake_publish(&fake, "t", "x");
    fake_publish(&fake, "t", "y");
    fake_flush(&fake);
    assert_int_equal(b.sends, 0);
    assert_int_equal(verify_all(&a).events, 2);
    assert_int_equal(verify_all(&c).events, 2);
}

static void test_all_leave_in_send(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    fake_join(&b, "t");
    a.on_send = other_leaves;
    a.other = &b;
    a.vanish = true;
    fake_publish(&fake, "t", "x");
    fake_flush(&fake);
    assert_int_equal(fake.hub.feeds.count, 0);
}

static void other_joins(struct fake_sub *sub) {
    if (!sub->other->s.feed) {
        fake_join_after(sub->other, "t", 1001);
    }
}

static void test_join_in_send(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    fake_join(&b, "t");
    a.on_send = other_joins;
    a.other = &c;
    fake_publish(&fake, "t", "x");
    fake_publish(&fake, "t", "y");
    fake_publish(&fake, "t", "z");
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 3);
    assert_int_equal(verify_all(&b).events, 3);
    assert_int_equal(verify_all(&c).events, 2);
}

static void test_gap_only_when_the_past_cannot_help(void **state) {
    fake.settings.window_bytes = 0;
    fake_hub_open(&fake);
    fake_join(&a, "t");
    a.room = 0;
    for (int i = 0; i < 10; i++) {
        fake_publish(&fake, "t", "x");
        fake_flush(&fake);
    }
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    struct verdict verdict = verify_all(&a);
    assert_int_equal(verdict.events, 10);
    assert_int_equal(verdict.gaps, 0);
}

static void stall_until(size_t dropped) {
    fake_join(&a, "t");
    fake_flush(&fake);
    a.room = 0;
    for (int i = 0; i < 5; i++) {
        fake_publish(&fake, "t", "x");
        fake_flush(&fake);
    }
    fake.past.dropped = dropped;
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
}

static void test_gap_says_what_was_missed(void **state) {
    fake.settings.window_bytes = 0;
    fake_hub_open(&fake);
    stall_until(4);
    fake_assert_got(&a,
                    "event: freshet.gap\n"
                    "data: {\"after\":\"0-1000\",\"before\":\"0-1005\",\"reason\":\"lagged\"}\n\n"
                    "id: 0-1005\ndata: x\n\n");
    assert_int_equal(atomic_load(&fake.hub.stats.gaps), 1);
}

static void test_gap_without_any_past(void **state) {
    fake.settings.window_bytes = 0;
    fake.settings.past = NULL;
    fake_hub_open(&fake);
    stall_until(0);
    // With no window at all the first was gone before it could be tried, and the others after that.
    assert_int_equal(verify_all(&a).gaps, 2);
    assert_int_equal(verify_all(&a).skipped, 5);
}

static void test_expired_cursor(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "t", "x");
    fake.past.dropped = 1;
    fake_join_after(&a, "t", 7);
    fake_flush(&fake);
    fake_assert_got(&a, "event: freshet.gap\n"
                        "data: {\"after\":\"0-7\",\"before\":null,\"reason\":\"expired\"}\n\n");
    fake_publish(&fake, "t", "y");
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 1);
}

static void test_losses_elsewhere_are_no_gap(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "other", "x");
    fake_publish(&fake, "t", "x");
    fake.past.dropped = 1;
    fake_join_after(&a, "t", 7);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).gaps, 0);
}

static void test_from_start_sees_no_gap(void **state) {
    fake_hub_open(&fake);
    for (int i = 0; i < 5; i++) {
        fake_publish(&fake, "t", "x");
    }
    fake.past.dropped = 3;
    join_flagged(&a, 0, SUBSCRIBER_FROM_START);
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1004\ndata: x\n\nid: 0-1005\ndata: x\n\n");
}

// The past drops more while a search for the first event is still under way.
static void test_from_start_with_a_long_search(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "t", "x");
    fake_publish(&fake, "other", "x");
    fake_publish(&fake, "t", "x");
    fake_publish(&fake, "t", "x");
    fake.past.look_at = 1;
    fake.past.dropped = 1;
    join_flagged(&a, 0, SUBSCRIBER_FROM_START);
    hub_flush(&fake.hub, 1);
    assert_int_equal(a.sends, 0);
    fake.past.dropped = 3;
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1004\ndata: x\n\n");
}

// However much is due to others at every turn, and however small the turns.
static void test_catching_up_beside_a_busy_feed(void **state) {
    enum { CROWD = 40 };
    static struct fake_sub crowd[CROWD];
    fake_hub_open(&fake);
    event_id first = fake_publish(&fake, "t", "x");
    fake_publish(&fake, "t", "y");
    for (int i = 0; i < CROWD; i++) {
        fake_sub_init(&crowd[i], &fake);
        crowd[i].light = true;
        fake_join(&crowd[i], "busy");
    }
    fake_join_after(&a, "t", first);
    for (int turn = 0; turn < 3; turn++) {
        fake_publish(&fake, "busy", "x");
        assert_true(hub_flush(&fake.hub, 32)); // someone of the crowd is left over
    }
    fake_assert_got(&a, "id: 0-1002\ndata: y\n\n");
    for (int i = 0; i < CROWD; i++) {
        fake_sub_finish(&crowd[i]);
    }
}

// Who stood at the very start, and had everything, is told of what it misses from then on.
static void test_from_start_does_not_hide_later_losses(void **state) {
    fake.newest = 0;
    fake.settings.window_bytes = 0;
    fake_hub_open(&fake);
    join_flagged(&a, 0, SUBSCRIBER_FROM_START);
    fake_publish(&fake, "t", "x");
    fake_flush(&fake);
    a.room = 0;
    fake_publish(&fake, "t", "y");
    fake_flush(&fake);
    fake.past.dropped = 2;
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).gaps, 1);
}

static void test_from_start_in_an_empty_hub(void **state) {
    fake.newest = 0;
    fake_hub_open(&fake);
    join_flagged(&a, 0, SUBSCRIBER_FROM_START);
    fake_publish(&fake, "t", "x");
    fake_flush(&fake);
    a.room = 0;
    fake_publish(&fake, "t", "y");
    fake_flush(&fake);
    fake.past.dropped = 2;
    hub_lose(&fake.hub, ++fake.newest);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).gaps, 1);
}

static void test_tells_once_that_all_is_sent(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "t", "x");
    join_flagged(&a, 7, SUBSCRIBER_TELL);
    fake_flush(&fake);
    fake_publish(&fake, "t", "y");
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: x\n\n"
                        "event: freshet.caught-up\ndata: {\"id\":\"0-1001\"}\n\n"
                        "id: 0-1002\ndata: y\n\n");
}

static void test_tells_at_once_when_nothing_is_owed(void **state) {
    fake_hub_open(&fake);
    join_flagged(&a, 1000, SUBSCRIBER_TELL);
    fake_flush(&fake);
    fake_assert_got(&a, "event: freshet.caught-up\ndata: {\"id\":\"0-1000\"}\n\n");
}

static void test_once_leaves_after_its_events(void **state) {
    fake_hub_open(&fake);
    join_flagged(&a, 1000, SUBSCRIBER_ONCE);
    fake_flush(&fake);
    assert_false(a.finished);
    fake_publish(&fake, "t", "x");
    fake_publish(&fake, "t", "y");
    fake_flush(&fake);
    assert_true(a.finished);
    assert_int_equal(verify_all(&a).events, 2);
}

static void test_once_with_the_past(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "t", "x");
    join_flagged(&a, 7, SUBSCRIBER_ONCE);
    fake_flush(&fake);
    assert_true(a.finished);
    assert_int_equal(verify_all(&a).events, 1);
}

static void test_once_waits_through_other_words(void **state) {
    struct hub_start start = {.after = 1000, .flags = SUBSCRIBER_ONCE | SUBSCRIBER_TELL};
    fake_hub_open(&fake);
    assert_int_equal(frame_create_raw(&start.first, &fake.frame_mem.mem, bytes_of("hi\n")), 0);
    assert_int_equal(fake_join_at(&a, "t", ENCODING_NDJSON, &start), 0);
    fake_flush(&fake);
    hub_heartbeat(&a.s);
    fake_flush(&fake);
    assert_false(a.finished);
    fake_publish(&fake, "t", "x");
    fake_flush(&fake);
    assert_true(a.finished);
}

static void test_once_finishes_what_it_began(void **state) {
    fake_hub_open(&fake);
    join_flagged(&a, 1000, SUBSCRIBER_ONCE);
    a.room = 5;
    fake_publish(&fake, "t", "x");
    fake_flush(&fake);
    assert_false(a.finished);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    assert_true(a.finished);
    fake_assert_got(&a, "id: 0-1001\ndata: x\n\n");
}

static void test_heartbeat_only_between_events(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    a.room = 5;
    fake_publish(&fake, "t", "x");
    hub_heartbeat(&a.s); // it is owed something
    fake_flush(&fake);
    hub_heartbeat(&a.s); // it is in the middle of an event
    fake_drain(&a, SIZE_MAX);
    hub_heartbeat(&a.s); // still
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: x\n\n");
    hub_heartbeat(&a.s);
    hub_heartbeat(&a.s);
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: x\n\n:\n");
}

static void test_says_aside(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    a.asides[0] = "one\n";
    a.asides[1] = "two\n";
    hub_aside(&a.s);
    fake_assert_got(&a, ""); // nothing within the call
    fake_flush(&fake);
    fake_assert_got(&a, "one\ntwo\n");
    assert_false(hub_has_work(&fake.hub));
    fake_publish(&fake, "t", "x");
    fake_flush(&fake);
    fake_assert_got(&a, "one\ntwo\nid: 0-1001\ndata: x\n\n");
}

static void test_says_aside_between_events(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    a.room = 5;
    fake_publish(&fake, "t", "x");
    fake_publish(&fake, "t", "y");
    fake_flush(&fake);
    a.asides[0] = "aside\n";
    hub_aside(&a.s);
    fake_flush(&fake);
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1001\ndata: x\n\naside\nid: 0-1002\ndata: y\n\n");
}

static void test_last_words(void **state) {
    struct subscriber_bound bound = {.bytes = SIZE_MAX};
    fake_hub_open(&fake);
    fake_join(&a, "t");
    a.asides[0] = "bye\n";
    a.room = 2;
    a.s.bound = &bound; // it takes no more events
    hub_aside(&a.s);
    fake_flush(&fake);
    assert_false(a.finished);
    fake_publish(&fake, "t", "x");
    fake_drain(&a, SIZE_MAX);
    fake_flush(&fake);
    assert_true(a.finished);
    fake_assert_got(&a, "bye\n");
}

static void test_no_heartbeat_among_items(void **state) {
    struct hub_start start = {.after = 1000};
    fake_hub_open(&fake);
    assert_int_equal(fake_join_at(&a, "t", ENCODING_ITEMS, &start), 0);
    hub_heartbeat(&a.s);
    fake_flush(&fake);
    assert_int_equal(a.sends, 0);
}

static void test_lost_frames_come_from_the_past(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    fake_publish(&fake, "t", "x");
    for (int i = 0; i < 3; i++) {
        struct frame *frame = fake_frame(&fake, "t", "unheard");
        frame_seal(frame, ++fake.newest);
        fake_past_append(&fake.past, frame);
        frame_unref(frame);
    }
    hub_lose(&fake.hub, fake.newest);
    fake_publish(&fake, "t", "y");
    fake_flush(&fake);
    struct verdict verdict = verify_all(&a);
    assert_int_equal(verdict.events, 5);
    assert_int_equal(verdict.gaps, 0);
}

static void test_past_refuses_for_a_while(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "t", "x");
    fake.past.refuse = 5;
    fake_join_after(&a, "t", 7);
    fake_flush(&fake);
    assert_int_equal(verify_all(&a).events, 1);
}

// A past that fails for ever is asked once for each listener and each retry, and keeps nobody busy.
static void test_past_that_fails_is_not_asked_at_once_again(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "t", "x");
    fake.past.refuse = 1000;
    fake_join_after(&a, "t", 7);
    fake_join_after(&b, "t", 7);
    fake_join(&c, "t");
    assert_false(hub_flush(&fake.hub, 1000));
    assert_false(hub_has_work(&fake.hub));
    assert_int_equal(fake.past.reads, 2);
    fake_publish(&fake, "t", "y"); // others live on
    assert_false(hub_flush(&fake.hub, 1000));
    assert_int_equal(fake.past.reads, 2);
    assert_int_equal(verify_all(&c).events, 1);
    assert_true(hub_retry(&fake.hub));
    assert_true(hub_has_work(&fake.hub));
    assert_false(hub_flush(&fake.hub, 1000));
    assert_int_equal(fake.past.reads, 4);
    hub_leave(&b.s); // from where it waits
    fake.past.refuse = 0;
    assert_true(hub_retry(&fake.hub));
    fake_flush(&fake);
    assert_false(hub_retry(&fake.hub));
    assert_int_equal(verify_all(&a).events, 2);
}

// Who comes back to the same place is served from one reading of the past, and one encoding.
static void test_a_crowd_reads_the_past_once(void **state) {
    fake.past.most = 3;
    fake_hub_open(&fake);
    for (int i = 0; i < 6; i++) {
        fake_publish(&fake, "t", "x");
    }
    fake_join_after(&a, "t", 1000);
    fake_join_after(&b, "t", 1000);
    fake_join_after(&c, "t", 1001); // elsewhere
    fake_flush(&fake);
    // Two for the two, one behind the other; two for the third.
    assert_int_equal(fake.past.reads, 4);
    assert_int_equal(verify_all(&a).events, 6);
    assert_int_equal(verify_all(&b).events, 6);
    assert_int_equal(verify_all(&c).events, 5);
    assert_int_equal(fake.hub.crowd.batch.count, 0);
}

// What is at hand is of a feed; the feed's end is its end.
static void leave_all(struct fake_sub *sub) {
    hub_leave(&b.s);
    sub->vanish = true;
}

static void test_a_crowd_that_goes_away_while_it_is_served(void **state) {
    fake_hub_open(&fake);
    fake_publish(&fake, "t", "x");
    fake_join_after(&a, "t", 1000);
    fake_join_after(&b, "t", 1000);
    a.on_send = leave_all;
    fake_flush(&fake);
    assert_int_equal(fake.hub.feeds.count, 0);
    fake_join_after(&c, "t", 1000);
    fake_flush(&fake);
    assert_int_equal(verify_all(&c).events, 1);
}

static void test_cursor_ahead_of_this_hub(void **state) {
    fake_hub_open(&fake);
    fake_join_after(&a, "t", 1002); // another worker was faster
    fake_publish(&fake, "t", "x");
    fake_publish(&fake, "t", "y");
    fake_publish(&fake, "t", "z");
    fake_flush(&fake);
    fake_assert_got(&a, "id: 0-1003\ndata: z\n\n");
}

static void test_pinned_budget(void **state) {
    fake.settings.pinned_max = 200;
    fake_hub_open(&fake);
    fake_join(&a, "t");
    fake_join(&b, "t");
    fake_join(&c, "u");
    a.room = b.room = c.room = 3;
    fake_publish(&fake, "t", "first");
    fake_flush(&fake);
    assert_false(a.unaffordable || b.unaffordable); // the same frame is paid for once
    fake_publish(&fake, "u", "second");
    fake_flush(&fake);
    assert_true(c.unaffordable);
    assert_null(c.s.feed);
    assert_true(atomic_load(&fake.pinned) <= 200);
}

// A crowd whose heads are stuck must not cost others their place.
static void test_heads_are_not_charged(void **state) {
    struct frame *head;
    fake.settings.pinned_max = 200;
    fake_hub_open(&fake);
    assert_int_equal(frame_create_raw(&head, &fake.mem.mem, bytes_of("a head\n")), 0);
    struct hub_start start = {.first = head};
    a.room = 3;
    assert_int_equal(fake_join_at(&a, "t", ENCODING_EVENT_STREAM, &start), 0);
    fake_flush(&fake);
    assert_int_equal(a.s.state, SUBSCRIBER_STALLED);
    assert_int_equal(a.s.part_sent, 3);
    assert_int_equal(atomic_load(&fake.pinned), 0);
}

static void test_lag(void **state) {
    fake_hub_open(&fake);
    fake_join(&a, "t");
    assert_int_equal(hub_behind_ms(&a.s), 0);
    fake.newest = id_from_ms(5000);
    a.room = 0;
    fake_publish(&fake, "t", "x");
    assert_int_equal(hub_behind_ms(&a.s), 5000);
    hub_leave(&a.s);
    hub_leave(&a.s);
    assert_int_equal(hub_behind_ms(&a.s), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_event_of_many_topics_comes_once),
        TEST(test_same_selection_shares_a_feed),
        TEST(test_private_events_reach_the_privy_alone),
        TEST(test_pending_events_ride_on_one_send),
        TEST(test_vanished_in_send),
        TEST(test_vanished_while_reading_the_past),
        TEST(test_another_leaves_in_send),
        TEST(test_all_leave_in_send),
        TEST(test_join_in_send),
        TEST(test_gap_only_when_the_past_cannot_help),
        TEST(test_gap_says_what_was_missed),
        TEST(test_gap_without_any_past),
        TEST(test_expired_cursor),
        TEST(test_losses_elsewhere_are_no_gap),
        TEST(test_from_start_sees_no_gap),
        TEST(test_from_start_with_a_long_search),
        TEST(test_catching_up_beside_a_busy_feed),
        TEST(test_from_start_does_not_hide_later_losses),
        TEST(test_from_start_in_an_empty_hub),
        TEST(test_tells_once_that_all_is_sent),
        TEST(test_tells_at_once_when_nothing_is_owed),
        TEST(test_once_leaves_after_its_events),
        TEST(test_once_with_the_past),
        TEST(test_once_waits_through_other_words),
        TEST(test_once_finishes_what_it_began),
        TEST(test_heartbeat_only_between_events),
        TEST(test_says_aside),
        TEST(test_says_aside_between_events),
        TEST(test_last_words),
        TEST(test_no_heartbeat_among_items),
        TEST(test_lost_frames_come_from_the_past),
        TEST(test_past_refuses_for_a_while),
        TEST(test_past_that_fails_is_not_asked_at_once_again),
        TEST(test_a_crowd_reads_the_past_once),
        TEST(test_a_crowd_that_goes_away_while_it_is_served),
        TEST(test_cursor_ahead_of_this_hub),
        TEST(test_pinned_budget),
        TEST(test_heads_are_not_charged),
        TEST(test_lag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
