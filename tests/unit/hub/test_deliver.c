// Every length of a partial send, in every state and every encoding: what a connection gets in the
// end must not depend on where it was interrupted.
#include "hub/verify.h"

#include "hub/control.h"

// One way to stand before some events. Prepares a subscriber that is owed something.
typedef void set_scene(struct fake_sub *sub, struct hub_start start);

static enum encoding encoding; // of the scene at hand
static bool gzip;

static void join(struct fake_sub *sub, struct hub_start start) {
    assert_int_equal(fake_join_at(sub, "a b", encoding, &start), 0);
}

static void publish_some(struct fake_hub *fake) {
    fake_publish(fake, "a", "one");
    fake_publish(fake, "b", "two\nlines");
    fake_publish(fake, "c", "for nobody");
    fake_publish(fake, "b a", "\"three\" \\ \x01");
}

static void scene_live(struct fake_sub *sub, struct hub_start start) {
    start.after = sub->fake->hub.heard;
    join(sub, start);
    publish_some(sub->fake);
}

static void scene_past(struct fake_sub *sub, struct hub_start start) {
    publish_some(sub->fake);
    join(sub, start);
}

static void scene_gap(struct fake_sub *sub, struct hub_start start) {
    publish_some(sub->fake);
    sub->fake->past.dropped = 1;
    join(sub, start);
}

// The past can say nothing but that all is lost; what follows is in the window.
static void scene_gap_then_live(struct fake_sub *sub, struct hub_start start) {
    publish_some(sub->fake);
    sub->fake->past.dropped = sub->fake->past.count;
    join(sub, start);
    publish_some(sub->fake);
}

static void scene_small_batches(struct fake_sub *sub, struct hub_start start) {
    sub->fake->past.most = 1;
    sub->fake->past.look_at = 1;
    scene_past(sub, start);
}

static void scene_heartbeat(struct fake_sub *sub, struct hub_start start) {
    start.after = sub->fake->hub.heard;
    join(sub, start);
    fake_flush(sub->fake);
    hub_heartbeat(&sub->s);
    publish_some(sub->fake);
}

static void scene_caught_up(struct fake_sub *sub, struct hub_start start) {
    start.flags = SUBSCRIBER_TELL;
    scene_past(sub, start);
}

static void scene_first(struct fake_sub *sub, struct hub_start start) {
    const struct mem *mem = &sub->fake->frame_mem.mem;
    assert_int_equal(control_caught_up(&start.first, mem, 7), 0);
    scene_past(sub, start);
}

// Another subscriber keeps the feed's window, and this one comes into the middle of it.
static struct fake_sub keeper;

static void scene_window(struct fake_sub *sub, struct hub_start start) {
    fake_sub_init(&keeper, sub->fake);
    keeper.gzip = gzip;
    struct hub_start now = {.after = sub->fake->hub.heard};
    assert_int_equal(fake_join_at(&keeper, "b a", encoding, &now), 0);
    start.after = fake_publish(sub->fake, "a", "before");
    publish_some(sub->fake);
    join(sub, start);
}

struct cut {
    size_t first, then; // bytes accepted at first, and at each turn after that
    bool news;          // more is published while it is stalled
};

static void drain(struct fake_sub *sub, const struct cut *cut) {
    fake_drain(sub, cut->first);
    fake_flush(sub->fake);
    if (cut->news) {
        publish_some(sub->fake);
        fake_flush(sub->fake);
    }
    for (int turns = 0; sub->s.state == SUBSCRIBER_STALLED; turns++) {
        assert_true(turns < 10000);
        fake_drain(sub, cut->then);
        fake_flush(sub->fake);
    }
}

static struct verdict play(set_scene *scene, const struct cut *cut, struct buf *got) {
    struct fake_hub fake;
    struct fake_sub sub;
    struct hub_start start = {.after = 500};
    fake_hub_init(&fake);
    fake.settings.run_bytes = 120;
    fake_hub_open(&fake);
    fake_sub_init(&sub, &fake);
    sub.gzip = gzip;
    sub.room = cut->first;
    keeper = (struct fake_sub){0};
    scene(&sub, start);
    drain(&sub, cut);
    struct verdict verdict = verify_all(&sub);
    buf_clear(got);
    assert_int_equal(buf_append(got, sub.got.at, sub.got.len), 0);
    if (keeper.fake) {
        fake_sub_finish(&keeper);
    }
    fake_sub_finish(&sub);
    fake_hub_finish(&fake);
    return verdict;
}

static void same(set_scene *scene, struct cut cut, const struct buf *whole, struct verdict *want) {
    struct buf got;
    buf_init(&got, &mem_libc, 0);
    struct verdict verdict = play(scene, &cut, &got);
    assert_int_equal(got.len, whole->len);
    assert_memory_equal(got.at, whole->at, got.len);
    assert_memory_equal(&verdict, want, sizeof(verdict));
    buf_finish(&got);
}

// More bytes than it takes to send so many: a short text is longer when it is compressed.
static size_t sent_size(const struct buf *whole) {
    return gzip ? 2 * whole->len + 100 : whole->len;
}

static void cut_everywhere(set_scene *scene, bool news) {
    struct buf whole, with_news;
    buf_init(&whole, &mem_libc, 0);
    buf_init(&with_news, &mem_libc, 0);
    struct verdict verdict = play(scene, &(struct cut){SIZE_MAX, SIZE_MAX, false}, &whole);
    assert_true(verdict.events >= 2);
    for (size_t n = 0; n < sent_size(&whole) && !news; n++) {
        same(scene, (struct cut){n, SIZE_MAX, false}, &whole, &verdict);
        if (n) {
            same(scene, (struct cut){n, n, false}, &whole, &verdict);
        }
    }
    struct cut all = {sent_size(&whole), SIZE_MAX, true};
    struct verdict more = play(scene, &all, &with_news);
    for (size_t n = 0; n < sent_size(&whole) && news; n++) {
        same(scene, (struct cut){n, SIZE_MAX, true}, &with_news, &more);
    }
    buf_finish(&with_news);
    buf_finish(&whole);
}

static void in_every_encoding(set_scene *scene) {
    for (int i = 0; i < ENCODING_COUNT * (gzip_available() ? 2 : 1); i++) {
        encoding = (enum encoding)(i % ENCODING_COUNT);
        gzip = i >= ENCODING_COUNT;
        cut_everywhere(scene, false);
        cut_everywhere(scene, true);
    }
    gzip = false;
}

static void test_live(void **state) {
    in_every_encoding(scene_live);
}

static void test_window(void **state) {
    in_every_encoding(scene_window);
}

static void test_past(void **state) {
    in_every_encoding(scene_past);
    in_every_encoding(scene_small_batches);
}

static void test_gap(void **state) {
    in_every_encoding(scene_gap);
    in_every_encoding(scene_gap_then_live);
}

static void test_heartbeat(void **state) {
    in_every_encoding(scene_heartbeat);
}

static void test_caught_up(void **state) {
    for (int i = 0; i < ENCODING_COUNT; i++) {
        encoding = (enum encoding)i;
        cut_everywhere(scene_caught_up, false);
    }
}

static void test_first(void **state) {
    in_every_encoding(scene_first);
}

// Leaves after so many events, however they were cut on their way, and from wherever they came.
static void take_two(bool live, size_t per_send) {
    struct fake_hub fake;
    struct fake_sub sub;
    struct subscriber_bound bound = {.events = 2, .bytes = SIZE_MAX};
    fake_hub_init(&fake);
    fake_hub_open(&fake);
    fake_sub_init(&sub, &fake);
    sub.s.bound = &bound;
    sub.room = per_send;
    if (!live) {
        publish_some(&fake);
    }
    fake_join_after(&sub, "a b", live ? fake.hub.heard : 0);
    if (live) {
        publish_some(&fake);
    }
    fake_flush(&fake);
    for (int i = 0; !sub.finished; i++) {
        assert_true(i < 1000);
        fake_drain(&sub, per_send);
        fake_flush(&fake);
    }
    fake_assert_got(&sub, "id: 0-1001\ndata: one\n\nid: 0-1002\ndata: two\ndata: lines\n\n");
    assert_int_equal(bound.events, 0);
    assert_true(bound.begun && bound.more && !bound.cramped);
    fake_sub_finish(&sub);
    fake_hub_finish(&fake);
}

static void test_bound(void **state) {
    for (size_t per_send = 1; per_send < 100; per_send++) {
        take_two(false, per_send);
        take_two(true, per_send);
    }
}

// With ALL it takes batch after batch; what does not fit ends it, and says so.
static void take_bytes(size_t bytes, uint64_t events, bool cramped) {
    struct fake_hub fake;
    struct fake_sub sub;
    struct subscriber_bound bound = {.events = 100, .bytes = bytes};
    struct hub_start start = {.flags = SUBSCRIBER_ONCE | SUBSCRIBER_ALL | SUBSCRIBER_NO_WAIT};
    fake_hub_init(&fake);
    fake.past.most = 1;
    fake_hub_open(&fake);
    publish_some(&fake);
    fake_sub_init(&sub, &fake);
    sub.s.bound = &bound;
    assert_int_equal(fake_join_at(&sub, "a b", ENCODING_ITEMS, &start), 0);
    fake_flush(&fake);
    assert_true(sub.finished);
    assert_int_equal(bound.cramped, cramped);
    assert_int_equal(bound.more, cramped);
    assert_int_equal(atomic_load(&fake.hub.stats.deliveries), events);
    fake_sub_finish(&sub);
    fake_hub_finish(&fake);
}

static void test_bound_in_bytes(void **state) {
    take_bytes(SIZE_MAX, 3, false);
    take_bytes(10, 1, true); // one fits always; the owner did not lower it: the next does not
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live),      cmocka_unit_test(test_window),
        cmocka_unit_test(test_past),      cmocka_unit_test(test_gap),
        cmocka_unit_test(test_bound),     cmocka_unit_test(test_bound_in_bytes),
        cmocka_unit_test(test_heartbeat), cmocka_unit_test(test_caught_up),
        cmocka_unit_test(test_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
