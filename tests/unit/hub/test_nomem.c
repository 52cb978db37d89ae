// Every allocation of a whole life of a hub fails in turn. Nothing may crash, leak or get lost
// without a word: what could not be delivered comes later, or a gap stands for it.
#include "hub/verify.h"

#include "base/error.h"
#include "hub/control.h"

enum { LISTENERS = 4 };

struct play {
    struct fake_hub fake;
    struct fake_sub subs[LISTENERS];
    enum encoding encoding;
    bool gzip;
    bool open;
};

static bool is_out(const struct fake_sub *sub) {
    return !sub->s.feed;
}

static void join(struct play *play, int i, const char *topics, event_id after, uint8_t flags) {
    struct hub_start start = {.after = after, .flags = flags};
    // Something to be said first, which the hub has to give back when it cannot take the listener
    // in.
    assert_int_equal(control_caught_up(&start.first, &play->fake.frame_mem.mem, after), 0);
    play->subs[i].gzip = play->gzip;
    int rc = fake_join_at(&play->subs[i], topics, play->encoding, &start);
    assert_true(rc == 0 || rc == ERR_NOMEM);
    assert_true(rc == 0 || !play->subs[i].s.feed);
}

static void turns(struct play *play) {
    for (int i = 0; i < 20; i++) {
        hub_flush(&play->fake.hub, 100);
        hub_retry(&play->fake.hub);
    }
}

static const char long_line[] =
    "a long line: 0123456789012345678901234567890123456789\n"
    "0123456789012345678901234567890123456789012345678901234567890"
    "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"";

static void publish_some(struct play *play) {
    fake_publish(&play->fake, "a", "one");
    fake_publish(&play->fake, "b/c x", "two");
    fake_publish(&play->fake, "a b/d", long_line);
    fake_publish(&play->fake, "x/y", long_line);
}

static void live(struct play *play) {
    event_id now = play->fake.hub.heard;
    publish_some(play);
    join(play, 0, "a x", now, SUBSCRIBER_TELL);
    join(play, 1, "a x", play->fake.hub.heard, 0);
    join(play, 2, "b/* **", now, 0);
    turns(play);
    publish_some(play);
    turns(play);
    if (!is_out(&play->subs[1])) {
        hub_heartbeat(&play->subs[1].s);
    }
}

static void live_unless_out(struct play *play) {
    live(play);
    for (int i = 0; i < LISTENERS; i++) {
        play->subs[i].room = 30;
    }
    publish_some(play);
    turns(play);
}

static void fall_behind(struct play *play) {
    for (int i = 0; i < 12; i++) {
        publish_some(play);
        turns(play);
    }
    play->fake.past.dropped = play->fake.past.count - 10;
    join(play, 3, "a b/c q/**", 1001, 0);
    for (int i = 0; i < LISTENERS; i++) {
        fake_drain(&play->subs[i], SIZE_MAX);
    }
    turns(play);
    fake_publish(&play->fake, "seen/once", "x"); // a topic that nobody asks about again
    hub_lose(&play->fake.hub, play->fake.newest);
    publish_some(play);
}

static void finish(struct fake_sub *sub) {
    if (!is_out(sub)) {
        assert_true(verify_all(sub).events > 0);
    }
    fake_sub_finish(sub);
}

static long run(enum encoding encoding, bool gzip, long fail_at) {
    struct play play = {.encoding = encoding, .gzip = gzip};
    fake_hub_init(&play.fake);
    play.fake.settings.window_bytes = 3000;
    play.fake.settings.run_bytes = 500;
    play.fake.settings.idle_topics = 2;
    play.fake.mem.fail_at = fail_at;
    int rc = hub_init(&play.fake.hub, &play.fake.settings, play.fake.newest);
    assert_true(rc == 0 || rc == ERR_NOMEM);
    for (int i = 0; i < LISTENERS; i++) {
        fake_sub_init(&play.subs[i], &play.fake);
    }
    if (rc == 0) {
        live_unless_out(&play);
        fall_behind(&play);
        fake_flush(&play.fake);
    }
    for (int i = 0; i < LISTENERS; i++) {
        finish(&play.subs[i]);
    }
    long calls = play.fake.mem.calls;
    if (rc == 0) {
        fake_hub_finish(&play.fake);
    } else {
        fake_past_finish(&play.fake.past);
        test_mem_finish(&play.fake.mem);
    }
    return calls;
}

static void fail_each(enum encoding encoding) {
    for (int gzip = 0; gzip <= gzip_available(); gzip++) {
        long calls = run(encoding, gzip, 0);
        assert_true(calls > 50);
        for (long n = 1; n <= calls; n++) {
            run(encoding, gzip, n);
        }
    }
}

static void test_event_stream(void **state) {
    fail_each(ENCODING_EVENT_STREAM);
}

static void test_ndjson(void **state) {
    fail_each(ENCODING_NDJSON);
}

static void test_items(void **state) {
    fail_each(ENCODING_ITEMS);
}

static void test_ws(void **state) {
    fail_each(ENCODING_WS_JSON);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_stream),
        cmocka_unit_test(test_ndjson),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_ws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
