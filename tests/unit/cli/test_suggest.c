// The edit distance and when a suggestion is made.
#include "cli/suggest.h"

#include "support.h"

static size_t distance(const char *a, const char *b) {
    size_t there = suggest_distance(bytes_of(a), bytes_of(b));
    assert_int_equal(there, suggest_distance(bytes_of(b), bytes_of(a)));
    return there;
}

static void distances_count_slips(void **state) {
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("serve", "serve"), 0);
    assert_int_equal(distance("serve", "sever"), 2);
    assert_int_equal(distance("sub", "sbu"), 1);
    assert_int_equal(distance("sub", "pub"), 1);
    assert_int_equal(distance("heartbeat", "hartbeet"), 2);
    assert_int_equal(distance("kitten", "sitting"), 3);
}

static void long_names_are_far(void **state) {
    char name[65 + 1];
    memset(name, 'a', 65);
    name[65] = '\0';
    assert_true(suggest_distance(bytes_make(name, 65), bytes_make(name, 65)) == SIZE_MAX);
    assert_int_equal(suggest_distance(bytes_make(name, 64), bytes_make(name, 64)), 0);
}

static const char *nearest(const char *wanted) {
    static const char *const names[] = {"serve", "sub", "pub", "max-connections"};
    struct suggest suggest;
    suggest_init(&suggest, bytes_of(wanted));
    for (size_t i = 0; i < 4; i++) {
        suggest_consider(&suggest, names[i]);
    }
    return suggest.best;
}

static void only_slips_are_suggested(void **state) {
    assert_string_equal(nearest("serv"), "serve");
    assert_string_equal(nearest("pubb"), "pub");
    assert_string_equal(nearest("maxconections"), "max-connections");
    assert_null(nearest("x"));
    assert_null(nearest("frobnicate"));
    assert_null(nearest(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_count_slips),
        cmocka_unit_test(long_names_are_far),
        cmocka_unit_test(only_slips_are_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
