// Names and patterns.
#include "support.h"

#include "hub/topic.h"

static bool matches(const char *pattern, const char *topic) {
    return topic_matches(bytes_of(pattern), bytes_of(topic));
}

static void test_matching(void **state) {
    assert_true(matches("a", "a"));
    assert_false(matches("a", "b"));
    assert_false(matches("a", "a/b"));
    assert_false(matches("a/b", "a"));
    assert_true(matches("*", "a"));
    assert_false(matches("*", "a/b"));
    assert_true(matches("a/*", "a/b"));
    assert_false(matches("a/*", "a"));
    assert_false(matches("a/*", "a/"));
    assert_false(matches("a/*", "a/b/c"));
    assert_true(matches("*/b/*", "a/b/c"));
    assert_true(matches("**", "a"));
    assert_true(matches("**", "a/b/c"));
    assert_true(matches("a/**", "a/b/c"));
    assert_true(matches("a/**", "a/"));
    assert_false(matches("a/**", "a"));
    assert_false(matches("a/**", "ab/c"));
    assert_true(matches("*/**", "a/b"));
    assert_false(matches("*/**", "a"));
    assert_true(matches("a//b", "a//b"));
    assert_false(matches("a/*/b", "a//b"));
    assert_false(matches("a*", "ab")); // a star is one only when it is the whole segment
    assert_true(matches("a*", "a*"));
}

static void test_patterns(void **state) {
    static const char *const yes[] = {"*", "**", "a/*", "a/**", "*/a", "a/*/b", "/*"};
    static const char *const no[] = {"a", "a*", "*a", "a/b*", "***", "a/***/b", "", "/", "a**/b"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        assert_true(topic_is_pattern(bytes_of(yes[i])));
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        assert_false(topic_is_pattern(bytes_of(no[i])));
    }
}

static void test_names(void **state) {
    static const char *const good[] = {"a", "a/b", "/", "//", "*", "a/**", "\xc3\xa9", " ", "a*"};
    static const char *const bad[] = {"",     "a\nb", "\x7f",   "\x01", "\xff",
                                      "\xc3", "**/a", "a/**/b", "**/"};
    char long_name[TOPIC_NAME_MAX + 1];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_null(topic_problem(bytes_of(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(topic_problem(bytes_of(bad[i])));
    }
    memset(long_name, 'x', sizeof(long_name));
    assert_null(topic_problem(bytes_make(long_name, TOPIC_NAME_MAX)));
    assert_non_null(topic_problem(bytes_make(long_name, TOPIC_NAME_MAX + 1)));
    assert_non_null(topic_problem(bytes_make("a\0b", 3)));
}

static void test_walk(void **state) {
    static const char *const want[] = {"", "a", "", "b", ""};
    struct topic_walk walk = topic_walk(bytes_of("/a//b/"));
    struct bytes segment;
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_true(topic_walk_next(&walk, &segment));
        assert_true(bytes_is(segment, want[i]));
    }
    assert_false(topic_walk_next(&walk, &segment));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
