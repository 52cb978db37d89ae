// The tree of patterns against the naive way, through many changes of the set.
#include "support.h"

#include <stdio.h>

#include "base/random.h"
#include "hub/fake.h"
#include "hub/patterns.h"

enum { MANY = 1000 };

static struct test_mem mem;
static struct patterns patterns;
static struct random dice = {.state = 7};

struct held {
    struct list link;
    struct pattern *pattern; // NULL: not in the set
    char text[64];
};

static struct held held[MANY];

static int setup(void **state) {
    test_mem_init(&mem);
    patterns_init(&patterns, &mem.mem, &fake_key);
    return 0;
}

static int teardown(void **state) {
    patterns_finish(&patterns);
    test_mem_finish(&mem);
    return 0;
}

static void random_text(char *out, size_t cap, bool pattern) {
    size_t len = 0;
    int64_t depth = random_between(&dice, 1, 5);
    for (int64_t i = 0; i < depth; i++) {
        int64_t kind = random_between(&dice, 0, pattern ? 3 : 1);
        const char *slash = i ? "/" : "";
        if (kind == 2) {
            len += (size_t)snprintf(out + len, cap - len, "%s*", slash);
        } else if (kind == 3 && i + 1 == depth) {
            len += (size_t)snprintf(out + len, cap - len, "%s**", slash);
        } else {
            len += (size_t)snprintf(out + len, cap - len, "%s%.*s", slash,
                                    (int)random_between(&dice, i ? 0 : 1, 1), "abc" + kind);
        }
    }
}

static void enter(struct held *h, const char *text) {
    snprintf(h->text, sizeof(h->text), "%s", text);
    h->pattern = patterns_enter(&patterns, bytes_of(h->text));
    if (h->pattern) {
        patterns_subscribe(&patterns, h->pattern, &h->link);
    }
}

static void leave(struct held *h) {
    patterns_unsubscribe(&patterns, h->pattern, &h->link);
    h->pattern = NULL;
}

struct counting {
    size_t count;
    struct bytes topic;
};

static int count_found(void *ctx, struct pattern *pattern) {
    struct counting *c = ctx;
    struct list *end = &pattern->subscriptions;
    for (struct list *at = end->next; at != end; at = at->next) {
        struct held *h = container_of(at, struct held, link);
        assert_true(topic_matches(bytes_of(h->text), c->topic));
        c->count++;
    }
    return 0;
}

static void assert_matches(const char *topic) {
    struct counting c = {.topic = bytes_of(topic)};
    size_t naive = 0;
    for (int i = 0; i < MANY; i++) {
        naive += held[i].pattern && topic_matches(bytes_of(held[i].text), c.topic);
    }
    assert_int_equal(patterns_match(&patterns, c.topic, count_found, &c), 0);
    assert_int_equal(c.count, naive);
}

static void leave_all(void) {
    for (int i = 0; i < MANY; i++) {
        if (held[i].pattern) {
            leave(&held[i]);
        }
    }
    assert_int_equal(patterns.count, 0);
    assert_int_equal(patterns.edges.count, 0);
}

static void test_as_the_naive_way(void **state) {
    char text[64];
    for (int step = 0; step < 20000; step++) {
        struct held *h = &held[random_between(&dice, 0, MANY - 1)];
        random_text(text, sizeof(text), true);
        if (h->pattern) {
            leave(h);
        } else if (text[0]) {
            enter(h, text);
        }
        if (step % 20 == 0) {
            random_text(text, sizeof(text), false);
            assert_matches(text);
        }
    }
    leave_all();
}

static void test_set_changes_show(void **state) {
    uint32_t before = patterns.generation;
    enter(&held[0], "a/*");
    assert_int_not_equal(patterns.generation, before);
    before = patterns.generation;
    enter(&held[1], "a/*"); // the set is the same
    assert_int_equal(patterns.generation, before);
    assert_int_equal(patterns.count, 1);
    leave(&held[0]);
    assert_int_equal(patterns.generation, before);
    leave(&held[1]);
    assert_int_not_equal(patterns.generation, before);
}

static int stop(void *ctx, struct pattern *pattern) {
    *(int *)ctx += 1;
    return -7;
}

static void test_stops_when_told(void **state) {
    int calls = 0;
    enter(&held[0], "a/*");
    enter(&held[1], "a/**");
    enter(&held[2], "*/b");
    assert_int_equal(patterns_match(&patterns, bytes_of("a/b"), stop, &calls), -7);
    assert_int_equal(calls, 1);
    leave_all();
}

static void test_no_memory(void **state) {
    for (long n = 1; n < 12; n++) {
        mem.calls = 0;
        mem.fail_at = n;
        enter(&held[0], "a/b/c/*");
        enter(&held[1], "a/b/d/**");
        mem.fail_at = 0;
        assert_matches("a/b/c/x");
        assert_matches("a/b/d/x/y");
        leave_all();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_as_the_naive_way),
        TEST(test_set_changes_show),
        TEST(test_stops_when_told),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
