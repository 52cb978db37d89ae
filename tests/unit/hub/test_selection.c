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

static struct selection *make_filtered(const char *topic, const struct bytes *types, size_t count) {
    struct selection *selection;
    struct bytes name = bytes_of(topic);
    struct selection_filter filter = {.types = types, .type_count = count};
    assert_int_equal(
        selection_create_filtered(&selection, &fake.mem.mem, &fake_key, &name, 1, &filter), 0);
    return selection;
}

static void test_a_filter_is_part_of_it(void **state) {
    const struct bytes types[] = {bytes_of("x"), bytes_of("message"), bytes_of("x"), bytes_of("y")};
    const struct bytes others[] = {bytes_of("y"), bytes_of("message"), bytes_of("x")};
    struct selection *a = make_filtered("a", types, 4), *b = make_filtered("a", others, 3),
                     *c = make_filtered("a", types, 3), *all = make("a");
    assert_int_equal(a->type_count, 3);
    assert_true(selection_equal(a, b) && a->hash == b->hash);
    assert_false(selection_equal(a, c));
    assert_false(selection_equal(a, all));
    assert_true(selection_passes(all, bytes_of("z")));
    assert_true(selection_passes(c, bytes_of("x")));
    assert_true(selection_passes(c, bytes_of("")));
    assert_false(selection_passes(c, bytes_of("y")));
    assert_false(selection_passes(c, bytes_of("messages")));
    struct selection *both[] = {a, b, c, all};
    for (int i = 0; i < 4; i++) {
        selection_destroy(&both[i]);
    }
}

static void test_another_with_the_same_filter(void **state) {
    const struct bytes types[] = {bytes_of("x"), bytes_of("y")}, name = bytes_of("b");
    struct selection_filter filter = {.types = types, .type_count = 2, .latest = true};
    struct selection *latest, *like, *again, *a = make_filtered("b", types, 2);
    assert_int_equal(
        selection_create_filtered(&latest, &fake.mem.mem, &fake_key, &name, 1, &filter), 0);
    assert_int_equal(selection_create_like(&like, &fake.mem.mem, &fake_key, &name, 1, latest), 0);
    assert_int_equal(selection_create_like(&again, &fake.mem.mem, &fake_key, &name, 1, a), 0);
    assert_true(selection_equal(like, latest));
    assert_true(selection_equal(again, a));
    assert_false(selection_equal(like, a)); // latest is part of it
    selection_destroy(&latest);
    selection_destroy(&like);
    selection_destroy(&again);
    selection_destroy(&a);
}

static void test_hears_what_passes(void **state) {
    const struct bytes type = bytes_of("x"), message = bytes_of("message");
    struct selection *typed = make_filtered("a", &type, 1),
                     *plain = make_filtered("a", &message, 1);
    struct frame *frame = fake_frame(&fake, "a", "data");
    assert_true(selection_hears(plain, frame));
    assert_false(selection_hears(typed, frame));
    assert_true(selection_concerns(typed, frame));
    frame_unref(frame);
    selection_destroy(&typed);
    selection_destroy(&plain);
}

static void test_who_is_privy(void **state) {
    assert_true(same("!a b", "b !a"));
    assert_true(same("!a !b", "!b !a !b"));
    assert_false(same("!a b", "a !b"));
    assert_false(same("!a", "a"));
    assert_true(hears("!a", "a"));
    assert_true(hears("!a", "!a"));
    assert_false(hears("a", "!a"));
    assert_true(hears("b !a", "!a b"));
    assert_false(hears("b !a", "c !b")); // by the name that is not privy
    assert_false(hears("!x/* **", "!y"));
    assert_true(hears("!x/* **", "!x/y"));
    struct selection *part = make("!a b"), *all = make("!a !b");
    assert_true(selection_hides(part));
    assert_false(selection_hides(all));
    selection_destroy(&part);
    selection_destroy(&all);
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
        TEST(test_a_filter_is_part_of_it),
        TEST(test_another_with_the_same_filter),
        TEST(test_hears_what_passes),
        TEST(test_who_is_privy),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
