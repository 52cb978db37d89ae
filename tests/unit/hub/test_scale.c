// The numbers that the design promises, with fake connections: a hundred thousand listeners of one
// topic, a million topics with one listener each. What is counted is calls and bytes, never time.
#include "hub/fake.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"

enum { CROWD = 100000, MILLION = 1000000 };

static struct fake_hub fake;
static struct fake_sub *subs;

static int setup(void **state) {
    fake_hub_init(&fake);
    fake.remembers = false;
    fake.settings.past = NULL;
    fake.settings.window_bytes = 8 << 20;
    return 0;
}

static void crowd(size_t count) {
    fake_hub_open(&fake);
    subs = calloc(count, sizeof(*subs));
    assert_non_null(subs);
    for (size_t i = 0; i < count; i++) {
        fake_sub_init(&subs[i], &fake);
        subs[i].light = true;
        fake_join(&subs[i], "t");
    }
}

static int teardown(void **state) {
    fake_hub_finish(&fake);
    free(subs);
    subs = NULL;
    return 0;
}

static void leave_all(size_t count) {
    for (size_t i = 0; i < count; i++) {
        fake_sub_finish(&subs[i]);
    }
    assert_int_equal(fake.hub.feeds.count, 0);
    assert_int_equal(fake.hub.topics.map.count, 0);
}

static void assert_all_the_same(size_t count) {
    for (size_t i = 1; i < count; i++) {
        assert_true(subs[i].received == subs[0].received && subs[i].sum == subs[0].sum);
    }
}

static void test_everyone_gets_everything_with_one_send(void **state) {
    uint64_t sum = 0;
    crowd(CROWD);
    for (int i = 0; i < 50; i++) {
        char wanted[64], data[16];
        snprintf(data, sizeof(data), "%d", i);
        event_id id = fake_publish(&fake, "t", data);
        snprintf(wanted, sizeof(wanted), "id: 0-%d\ndata: %s\n\n", (int)id, data);
        sum = fake_sum(sum, bytes_of(wanted));
    }
    fake_flush(&fake);
    assert_int_equal(fake.sends, CROWD);
    assert_true(subs[0].sum == sum);
    assert_all_the_same(CROWD);
    leave_all(CROWD);
}

static void test_slices(void **state) {
    crowd(CROWD);
    fake_publish(&fake, "t", "one");
    for (size_t done = 0; done < CROWD / 2; done += 100) {
        assert_int_equal(fake.sends, done);
        assert_true(hub_flush(&fake.hub, 100));
    }
    assert_int_equal(fake.sends, CROWD / 2);
    fake_publish(&fake, "t", "two"); // the second half gets both at once
    fake_publish(&fake, "t", "three");
    fake_flush(&fake);
    assert_int_equal(fake.sends, CROWD + CROWD / 2);
    assert_all_the_same(CROWD);
    leave_all(CROWD);
}

static void test_budget_of_one(void **state) {
    crowd(10);
    for (size_t i = 0; i < 20; i++) {
        fake_publish(&fake, "t", "x");
        hub_flush(&fake.hub, 1);
        assert_int_equal(fake.sends, i + 1);
    }
    assert_true(hub_flush(&fake.hub, 0));
    assert_int_equal(fake.sends, 20);
    fake_flush(&fake);
    assert_false(hub_flush(&fake.hub, 1));
    assert_all_the_same(10);
    leave_all(10);
}

static void test_random_accepts_in_a_crowd(void **state) {
    struct random dice = {.state = 3};
    crowd(10000);
    for (int round = 0; round < 30; round++) {
        for (size_t i = 0; i < 10000; i++) {
            fake_drain(&subs[i], (size_t)random_between(&dice, 0, 60));
        }
        fake_publish(&fake, "t", "some data");
        fake_flush(&fake);
    }
    for (size_t i = 0; i < 10000; i++) {
        fake_drain(&subs[i], SIZE_MAX);
    }
    fake_flush(&fake);
    assert_all_the_same(10000);
    leave_all(10000);
}

static char *topic_of(size_t i) {
    static char name[32];
    snprintf(name, sizeof(name), "user/%07zu", i);
    return name;
}

// Bare subscribers: the recording ones would be most of what is measured.
static struct subscriber *bare;
static size_t bare_sends;

static ptrdiff_t bare_send(struct subscriber *s, const struct bytes *pieces, int count) {
    bare_sends++;
    return (ptrdiff_t)(pieces[0].len + (count > 1 ? pieces[1].len : 0));
}

static const struct hub_ops bare_ops = {.send = bare_send};

// No insertion or removal may move more of a map than a few buckets.
static void assert_little_moved(const struct map *map, size_t moved_before,
                                const void *old_before) {
    if (map->old.buckets == old_before) {
        assert_true(map->moved - moved_before <= 8);
    }
}

static void join_million(void) {
    const struct map *map = &fake.hub.topics.map;
    for (size_t i = 0; i < MILLION; i++) {
        struct hub_start start = {.after = fake.hub.heard};
        struct selection *selection = fake_selection(&fake.mem.mem, topic_of(i));
        size_t moved = map->moved;
        const void *old = map->old.buckets;
        assert_int_equal(hub_join(&fake.hub, selection, ENCODING_EVENT_STREAM, &bare[i], &start),
                         0);
        assert_little_moved(map, moved, old);
    }
}

static void leave_million(void) {
    const struct map *map = &fake.hub.topics.map;
    for (size_t i = 0; i < MILLION; i++) {
        size_t moved = map->moved;
        const void *old = map->old.buckets;
        hub_leave(&bare[i]);
        assert_little_moved(map, moved, old);
    }
}

static void test_a_million_topics(void **state) {
    fake.settings.ops = &bare_ops;
    fake_hub_open(&fake);
    bare = calloc(MILLION, sizeof(*bare));
    assert_non_null(bare);
    long before = fake.mem.bytes, allocations = fake.mem.alive;
    join_million();
    long each = (fake.mem.bytes - before) / MILLION;
    print_message("%ld bytes in %ld allocations for topic and feed, and %zu for the subscriber\n",
                  each, (fake.mem.alive - allocations) / MILLION, sizeof(*bare));
    assert_true(each <= 512);
    for (size_t i = 0; i < MILLION; i++) {
        fake_publish(&fake, topic_of(i), "x");
        if (i % 1000 == 999) {
            fake_flush(&fake);
        }
        assert_true(fake.hub.window_held <= fake.settings.window_bytes);
    }
    assert_int_equal(bare_sends, MILLION);
    leave_million();
    assert_int_equal(fake.hub.topics.map.count, 0);
    assert_int_equal(fake.hub.feeds.count, 0);
    // The tables shrink with what they hold.
    assert_true(fake.mem.bytes - before < 64 * 1024);
    free(bare);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_everyone_gets_everything_with_one_send),
        TEST(test_slices),
        TEST(test_budget_of_one),
        TEST(test_random_accepts_in_a_crowd),
        TEST(test_a_million_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
