// Who shares a pack, and who has one of its own; what it costs; how a compressed body ends. That the
// bytes are right, wherever they are cut, is tested in test_deliver and test_model.
#include "hub/fake.h"
#include "hub/verify.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 1000 };

static struct fake_hub fake;
static struct fake_sub subs[MANY];

static const char event_text[] =
    "{\"symbol\":\"ABCD\",\"price\":10.25,\"currency\":\"USD\",\"volume\":100}";

static void open_with(int count) {
    fake_hub_init(&fake);
    fake.settings.run_bytes = 128 * 1024;
    fake_hub_open(&fake);
    for (int i = 0; i < count; i++) {
        fake_sub_init(&subs[i], &fake);
        subs[i].gzip = true;
    }
}

static void close_with(int count) {
    for (int i = 0; i < count; i++) {
        fake_sub_finish(&subs[i]);
    }
    fake_hub_finish(&fake);
}

static unsigned long long packs_made(void) {
    return atomic_load(&fake.hub.stats.packs);
}

static size_t publish(const char *topics, int count) {
    size_t before = subs[0].received;
    for (int i = 0; i < count; i++) {
        fake_publish(&fake, topics, event_text);
    }
    fake_flush(&fake);
    return subs[0].received - before;
}

// Everyone at one cursor: deflated once, and sent once to each.
static void test_shared(void **state) {
    open_with(MANY);
    for (int i = 0; i < MANY; i++) {
        fake_join(&subs[i], "a");
    }
    publish("a", 1);
    assert_int_equal(packs_made(), 1);
    publish("a", 16);
    assert_int_equal(packs_made(), 2);
    assert_int_equal(fake.sends, 2 * MANY);
    assert_int_equal(atomic_load(&fake.hub.stats.deliveries), 17 * MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(verify_all(&subs[i]).events, 17);
    }
    close_with(MANY);
}

// An event like the one before is short; after something else was said it begins anew.
static void test_before(void **state) {
    open_with(1);
    fake_join(&subs[0], "a");
    size_t first = publish("a", 1), second = publish("a", 1);
    assert_true(second < first / 2);
    hub_heartbeat(&subs[0].s);
    fake_flush(&fake);
    assert_true(publish("a", 1) > second);
    assert_int_equal(publish("a", 1), second);
    assert_int_equal(verify_all(&subs[0]).events, 4);
    close_with(1);
}

// One who came later, and one who is sent plain bytes, beside those who were there.
static void test_side_by_side(void **state) {
    open_with(4);
    subs[3].gzip = false;
    fake_join(&subs[0], "a");
    fake_join(&subs[1], "a");
    fake_join(&subs[3], "a");
    publish("a", 2);
    assert_int_equal(packs_made(), 1);
    fake_join(&subs[2], "a");
    publish("a", 1);
    assert_int_equal(packs_made(), 3);
    publish("a", 1);
    assert_int_equal(packs_made(), 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(verify_all(&subs[i]).events, i == 2 ? 2 : 4);
    }
    assert_int_equal(subs[3].got.len, subs[0].got.len);
    assert_memory_equal(subs[3].got.at, subs[0].got.at, subs[0].got.len);
    close_with(4);
}

// The only event there is: one pack for all feeds that hear it.
static void test_lone(void **state) {
    open_with(3);
    fake_join(&subs[0], "a");
    fake_join(&subs[1], "a b");
    fake_join(&subs[2], "**");
    publish("a", 1);
    assert_int_equal(packs_made(), 1);
    publish("a", 2);
    assert_int_equal(packs_made(), 4);
    publish("b", 1);
    assert_int_equal(packs_made(), 5);
    close_with(3);
}

// A feed whose pack is in hand ends while it is being sent to somebody of another.
static void let_other_go(struct fake_sub *sub) {
    hub_leave(&sub->other->s);
}

static void test_lender_leaves(void **state) {
    open_with(2);
    fake_join(&subs[0], "a");
    fake_join(&subs[1], "a b");
    subs[1].other = &subs[0];
    subs[1].on_send = let_other_go;
    publish("a", 1);
    assert_int_equal(packs_made(), 1);
    assert_int_equal(verify_all(&subs[1]).events, 1);
    close_with(2);
}

// A bound is exact, and the pack that it cuts is for nobody else.
static void test_bound(void **state) {
    struct subscriber_bound bound = {.events = 3, .bytes = SIZE_MAX};
    open_with(2);
    subs[0].s.bound = &bound;
    subs[0].per_send = 7;
    fake_join_after(&subs[0], "a", 1000);
    fake_join_after(&subs[1], "a", 1000);
    publish("a", 10);
    for (int i = 0; i < 1000 && !subs[0].finished; i++) {
        hub_writable(&subs[0].s);
        fake_flush(&fake);
    }
    assert_true(subs[0].finished);
    assert_true(subs[0].inflated.ended);
    assert_int_equal(verify(&subs[0]).events, 3);
    assert_int_equal(verify_all(&subs[1]).events, 10);
    assert_int_equal(subs[1].sends, 1);
    close_with(2);
}

// What ends by itself ends as gzip does, also when there was nothing in it.
static void test_no_wait(void **state) {
    struct hub_start start = {.after = 1000, .flags = SUBSCRIBER_NO_WAIT};
    open_with(2);
    assert_int_equal(fake_join_at(&subs[0], "a", ENCODING_NDJSON, &start), 0);
    fake_flush(&fake);
    assert_true(subs[0].finished && subs[0].inflated.ended);
    publish("a", 5);
    assert_int_equal(fake_join_at(&subs[1], "a", ENCODING_NDJSON, &start), 0);
    fake_flush(&fake);
    assert_true(subs[1].finished && subs[1].inflated.ended);
    assert_int_equal(verify(&subs[1]).events, 5);
    close_with(2);
}

// A very large event is not deflated, because everyone on the worker would wait for that.
static void test_large(void **state) {
    size_t len = PACK_DEFLATE_MAX + 1;
    char *data = malloc(len + 1);
    open_with(2);
    fake.settings.window_bytes = fake.hub.settings.window_bytes = 16 << 20;
    fake_join(&subs[0], "a");
    fake_join(&subs[1], "a");
    memset(data, 'x', len);
    data[len] = '\0';
    fake_publish(&fake, "a", data + 100);
    fake_flush(&fake);
    assert_true(subs[0].received < len / 100);
    fake_publish(&fake, "a", data);
    fake_flush(&fake);
    assert_true(subs[0].received > len);
    publish("a", 1);
    assert_int_equal(verify_all(&subs[0]).events, 3);
    assert_int_equal(verify_all(&subs[1]).events, 3);
    close_with(2);
    free(data);
}

// What a listener has of its own, beside its place in the feed.
static void test_memory(void **state) {
    open_with(MANY);
    fake_join(&subs[0], "a");
    publish("a", 1);
    long bytes = fake.mem.bytes, alive = fake.mem.alive;
    for (int i = 1; i < MANY; i++) {
        fake_join(&subs[i], "a");
    }
    publish("a", 1);
    assert_int_equal(fake.mem.alive - alive, MANY - 1);
    assert_int_equal((fake.mem.bytes - bytes) / (MANY - 1), sizeof(struct pack_body));
    assert_true(sizeof(struct pack_body) <= 24);
    close_with(MANY);
}

// Packs are held while somebody is being served, and by who has a part of one.
static void test_given_back(void **state) {
    open_with(2);
    fake_join(&subs[0], "a");
    fake_join(&subs[1], "a");
    publish("a", 2);
    long alive = fake.mem.alive;
    subs[0].room = 10;
    publish("a", 3);
    assert_int_equal(fake.mem.alive, alive + 1);
    assert_true(atomic_load(&fake.pinned) > 0);
    assert_int_equal(atomic_load(&fake.hub.stats.deliveries), 2 * 2 + 3);
    fake_drain(&subs[0], SIZE_MAX);
    fake_flush(&fake);
    assert_int_equal(fake.mem.alive, alive);
    assert_int_equal(atomic_load(&fake.hub.stats.deliveries), 2 * 5);
    close_with(2);
}

// Everyone at a cursor of their own, far back: a turn must not take as long as all of them.
static void test_effort(void **state) {
    enum { BEHIND = 50, EVENTS = 1000 };
    open_with(BEHIND);
    fake.hub.settings.window_bytes = 0;
    for (int i = 0; i < EVENTS; i++) {
        fake_publish(&fake, "a", event_text);
    }
    for (int i = 0; i < BEHIND; i++) {
        fake_join_after(&subs[i], "a", 1000 + (event_id)i);
    }
    hub_flush(&fake.hub, 100);
    assert_in_range(fake.sends, 1, 3);
    fake_flush(&fake);
    for (int i = 0; i < BEHIND; i++) {
        assert_int_equal(verify_all(&subs[i]).events, EVENTS - i);
    }
    close_with(BEHIND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),        cmocka_unit_test(test_before),
        cmocka_unit_test(test_side_by_side),  cmocka_unit_test(test_lone),
        cmocka_unit_test(test_lender_leaves), cmocka_unit_test(test_bound),
        cmocka_unit_test(test_no_wait),       cmocka_unit_test(test_memory),
        cmocka_unit_test(test_given_back),    cmocka_unit_test(test_effort),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
