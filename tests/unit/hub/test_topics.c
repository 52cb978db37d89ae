// The table of topics: what it remembers, for how long, and how often it asks the patterns.
#include "hub/verify.h"

#include <stdio.h>

enum { PATTERNS = 1000 };

static struct fake_hub fake;
static struct fake_sub subs[PATTERNS];

static int setup(void **state) {
    fake_hub_init(&fake);
    fake.remembers = false;
    return 0;
}

static int teardown(void **state) {
    for (int i = 0; i < PATTERNS; i++) {
        if (subs[i].fake) {
            fake_sub_finish(&subs[i]);
            subs[i].fake = NULL;
        }
    }
    assert_int_equal(fake.hub.topics.map.count, 0);
    fake_hub_finish(&fake);
    return 0;
}

static void join(int i, const char *topics) {
    if (!subs[i].fake) {
        fake_sub_init(&subs[i], &fake);
    }
    fake_join(&subs[i], topics);
}

static struct topic *hear(const char *name) {
    bool failed = false;
    struct topic_name topic = fake_name(name);
    struct topic *heard = topics_hear(&fake.hub.topics, &topic, &failed);
    assert_false(failed);
    return heard;
}

static void test_nobody_listens(void **state) {
    fake_hub_open(&fake);
    long calls = fake.mem.calls;
    join(0, "a");
    hub_leave(&subs[0].s);
    calls = fake.mem.calls;
    fake_publish(&fake, "a", "x");
    fake_publish(&fake, "b", "x");
    assert_int_equal(fake.mem.calls, calls); // nothing is remembered of it
    assert_null(hear("a"));
}

// The mark on the answer that a topic keeps: it is gone when the patterns are asked again.
static void test_a_pattern_is_matched_once_a_topic(void **state) {
    fake_hub_open(&fake);
    join(0, "a/*");
    struct topic *topic = hear("a/b");
    assert_int_equal(topic->match_count, 1);
    struct pattern **answer = topic->matches;
    long calls = fake.mem.calls;
    for (int i = 0; i < 1000; i++) {
        assert_ptr_equal(hear("a/b"), topic);
    }
    assert_ptr_equal(topic->matches, answer);
    assert_int_equal(fake.mem.calls, calls);
}

static void test_no_match_is_an_answer_too(void **state) {
    fake_hub_open(&fake);
    join(0, "a/*");
    struct topic *topic = hear("other");
    assert_int_equal(topic->match_count, 0);

    long calls = fake.mem.calls;
    hear("other");
    assert_int_equal(fake.mem.calls, calls);
    assert_int_equal(topic->generation, fake.hub.topics.patterns.generation);
}

static void test_the_set_changes(void **state) {
    fake_hub_open(&fake);
    join(0, "a/*");
    join(1, "a/b");
    assert_int_equal(hear("a/b")->match_count, 1);
    join(2, "**");
    assert_int_equal(hear("a/b")->match_count, 2);
    hub_leave(&subs[0].s);
    assert_int_equal(hear("a/b")->match_count, 1);
    hub_leave(&subs[2].s);
    assert_int_equal(hear("a/b")->match_count, 0);
    hub_leave(&subs[1].s);
    assert_null(hear("a/b"));
}

static void test_idle_topics_are_bounded(void **state) {
    fake.settings.idle_topics = 10;
    fake_hub_open(&fake);
    join(0, "**");
    join(1, "named");
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "topic/%d", i);
        hear(name);
        hear("often");
        assert_true(fake.hub.topics.map.count <= 11);
        assert_true(fake.hub.topics.idle_count <= 10);
    }
    long calls = fake.mem.calls;
    hear("often"); // lately used, so still there
    hear("topic/999");
    assert_int_equal(fake.mem.calls, calls);
    hub_leave(&subs[0].s);
    assert_int_equal(fake.hub.topics.map.count, 1); // without patterns there is nothing to know
}

static void test_idle_becomes_named_and_idle_again(void **state) {
    fake.settings.idle_topics = 1;
    fake_hub_open(&fake);
    join(0, "**");
    struct topic *topic = hear("t");
    assert_int_equal(fake.hub.topics.idle_count, 1);
    join(1, "t");
    assert_ptr_equal(hear("t"), topic);
    assert_int_equal(fake.hub.topics.idle_count, 0);
    hub_leave(&subs[1].s);
    assert_int_equal(fake.hub.topics.idle_count, 1);
    assert_ptr_equal(hear("t"), topic);
    hear("u");
    assert_int_equal(fake.hub.topics.idle_count, 1);
}

static void test_no_idle_topics_allowed(void **state) {
    fake.settings.idle_topics = 0;
    fake.remembers = true;
    fake_hub_open(&fake);
    join(0, "**");
    fake_publish(&fake, "t u", "x");
    fake_publish(&fake, "u v", "x");
    fake_flush(&fake);
    assert_int_equal(verify_all(&subs[0]).events, 2);
}

static void test_a_thousand_patterns(void **state) {
    fake.remembers = true;
    fake_hub_open(&fake);
    for (int i = 0; i < PATTERNS; i++) {
        char pattern[64];
        snprintf(pattern, sizeof(pattern), i % 2 ? "room/%d/*" : "room/%d/**", i / 2);
        join(i, pattern);
    }
    assert_int_equal(hear("room/7/x")->match_count, 2);
    assert_int_equal(hear("room/7/x/y")->match_count, 1);
    assert_int_equal(hear("hall/7/x")->match_count, 0);
    fake_publish(&fake, "room/7/x", "hello");
    fake_flush(&fake);
    assert_int_equal(fake.sends, 2);
    assert_int_equal(verify_all(&subs[14]).events, 1);
    assert_int_equal(verify_all(&subs[15]).events, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_listens),
        TEST(test_a_pattern_is_matched_once_a_topic),
        TEST(test_no_match_is_an_answer_too),
        TEST(test_the_set_changes),
        TEST(test_idle_topics_are_bounded),
        TEST(test_idle_becomes_named_and_idle_again),
        TEST(test_no_idle_topics_allowed),
        TEST(test_a_thousand_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
