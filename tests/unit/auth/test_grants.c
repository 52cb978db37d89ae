// What one name covers of another, against every topic of a small world.
#include "support.h"

#include "auth/grants.h"
#include "base/error.h"
#include "hub/topic.h"

static bool covers(const char *granted, const char *wanted) {
    struct grants grants;
    grants_init(&grants);
    assert_int_equal(grants_add(&grants, bytes_of(granted), RIGHT_SUBSCRIBE), 0);
    bool result = grants_cover(&grants, bytes_of(wanted), RIGHT_SUBSCRIBE);
    grants_finish(&grants);
    return result;
}

static void test_by_example(void **state) {
    (void)state;
    assert_true(covers("a", "a"));
    assert_false(covers("a", "b"));
    assert_false(covers("a", "a/b"));
    assert_false(covers("a/b", "a"));
    assert_true(covers("a/*", "a/b"));
    assert_true(covers("a/*", "a/*"));
    assert_false(covers("a/*", "a/**"));
    assert_false(covers("a/*", "a/b/c"));
    assert_false(covers("a/*", "a/"));
    assert_true(covers("a/**", "a/*/c"));
    assert_true(covers("a/**", "a/**"));
    assert_false(covers("a/**", "a"));
    assert_false(covers("a/b", "a/*"));
    assert_true(covers("**", "**"));
    assert_false(covers("*", "**"));
    assert_false(covers("users/1/*", "users/*/1"));
}

enum { WORDS = 4, SEGMENTS = 3, NAMES = WORDS + WORDS * WORDS + WORDS * WORDS * WORDS };

// All names of up to three segments.
static size_t make_names(char names[][16]) {
    static const char *const words[WORDS] = {"a", "b", "*", "**"};
    size_t count = 0;
    for (int depth = 1; depth <= SEGMENTS; depth++) {
        int all = depth == 1 ? WORDS : depth == 2 ? WORDS * WORDS : WORDS * WORDS * WORDS;
        for (int number = 0; number < all; number++) {
            char *name = names[count];
            name[0] = '\0';
            for (int left = depth, rest = number; left; left--, rest /= WORDS) {
                strcat(name, words[rest % WORDS]);
                strcat(name, left > 1 ? "/" : "");
            }
            count += topic_problem(bytes_of(name)) == NULL;
        }
    }
    return count;
}

// Whatever is covered is a subset, and in this world also the other way round. `c` and a fourth
// segment stand for what no name spells out.
static bool is_subset(const char *granted, const char *wanted) {
    static const char *const words[] = {"a", "b", "c"};
    for (int depth = 1; depth <= 5; depth++) {
        int all = 1;
        for (int i = 0; i < depth; i++) {
            all *= 3;
        }
        for (int number = 0; number < all; number++) {
            char topic[32] = "";
            for (int left = depth, rest = number; left; left--, rest /= 3) {
                strcat(topic, words[rest % 3]);
                strcat(topic, left > 1 ? "/" : "");
            }
            if (topic_matches(bytes_of(wanted), bytes_of(topic)) &&
                !topic_matches(bytes_of(granted), bytes_of(topic))) {
                return false;
            }
        }
    }
    return true;
}

static void test_against_every_topic(void **state) {
    (void)state;
    static char names[NAMES][16];
    size_t count = make_names(names);
    assert_true(count > 40);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            assert_int_equal(covers(names[i], names[j]), is_subset(names[i], names[j]));
        }
    }
}

static void test_rights_are_apart(void **state) {
    (void)state;
    struct grants grants;
    grants_init(&grants);
    assert_int_equal(grants_add(&grants, bytes_of("in"), RIGHT_PUBLISH), 0);
    assert_int_equal(grants_add(&grants, bytes_of("out"), RIGHT_SUBSCRIBE), 0);
    assert_int_equal(grants_add(&grants, bytes_of("both"), RIGHT_SUBSCRIBE | RIGHT_PUBLISH), 0);
    assert_true(grants_cover(&grants, bytes_of("in"), RIGHT_PUBLISH));
    assert_false(grants_cover(&grants, bytes_of("in"), RIGHT_SUBSCRIBE));
    assert_true(grants_cover(&grants, bytes_of("out"), RIGHT_SUBSCRIBE));
    assert_false(grants_cover(&grants, bytes_of("out"), RIGHT_PUBLISH));
    assert_true(grants_cover(&grants, bytes_of("both"), RIGHT_PUBLISH));
    grants_finish(&grants);
}

static void test_has_a_limit(void **state) {
    (void)state;
    struct grants grants;
    grants_init(&grants);
    for (int i = 0; i < GRANTS_MAX; i++) {
        assert_int_equal(grants_add(&grants, bytes_of("a"), RIGHT_PUBLISH), 0);
    }
    assert_int_equal(grants_add(&grants, bytes_of("a"), RIGHT_PUBLISH), ERR_TOO_LARGE);
    grants_finish(&grants);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_example),
        cmocka_unit_test(test_against_every_topic),
        cmocka_unit_test(test_rights_are_apart),
        cmocka_unit_test(test_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
