// Selections: equal when they mean the same, and what they hear.
#include "hub/fake.h"

static struct fake_hub fake;

static int setup(void **state) {
    fake_hub_init(&fake);
    fake_hub_open(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_hub_finish(&fake);
    return 0;
}

static struct selection *make(const char *topics) {
    struct selection *selection = fake_selection(&fake.mem.mem, topics);
    assert_non_null(selection);
    return selection;
}

static bool same(const char *left, const char *right) {
    struct selection *a = make(left), *b = make(right);
    bool equal = selection_equal(a, b);
    assert_true(!equal || a->hash == b->hash);
    selection_destroy(&a);
    selection_destroy(&b);
    assert_null(a);
    return equal;
}

static void test_order_and_repetition_do_not_matter(void **state) {
    assert_true(same("a", "a"));
    assert_true(same("a b c", "c a b"));
    assert_true(same("a b a b", "b a"));
    assert_true(same("* a", "a *"));
    assert_false(same("a", "b"));
    assert_false(same("a b", "a"));
    assert_false(same("a b", "ab"));
    assert_false(same("a*", "*"));
}

static bool hears(const char *topics, const char *published) {
    struct selection *selection = make(topics);
    struct frame *frame = fake_frame(&fake, published, "x");
    bool heard = selection_hears(selection, frame);
    frame_unref(frame);
    selection_destroy(&selection);
    return heard;
}

static void test_hears(void **state) {
    assert_true(hears("a", "a"));
    assert_true(hears("a b", "c b"));
    assert_false(hears("a b", "c d"));
    assert_true(hears("x/*", "c x/y"));
    assert_false(hears("x/*", "c x/y/z"));
    assert_true(hears("a x/**", "x/y/z"));
}

static void test_says_what_is_a_pattern(void **state) {
    struct selection *selection = make("b */a a");
    assert_int_equal(selection->count, 3);
    assert_true(selection->has_pattern);
    assert_true(selection->items[0].pattern);
    assert_false(selection->items[1].pattern);
    selection_destroy(&selection);
    selection = make("a b");
    assert_false(selection->has_pattern);
    selection_destroy(&selection);
}

static void test_no_memory(void **state) {
    fake.mem.fail_at = fake.mem.calls + 1;
    assert_null(fake_selection(&fake.mem.mem, "a b"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_order_and_repetition_do_not_matter),
        TEST(test_hears),
        TEST(test_says_what_is_a_pattern),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
