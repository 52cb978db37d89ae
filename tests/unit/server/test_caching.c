// What caches may do with an answer.
#include "support.h"

#include "server/caching.h"

static void assert_control(struct caching caching, const char *control) {
    char out[CACHING_TEXT_MAX];
    assert_string_equal(caching_control(&caching, out), control);
}

static void what_has_a_place_is_kept(void **state) {
    assert_control((struct caching){.placed = true, .age_ms = 10000}, "public, max-age=10");
    assert_control((struct caching){.placed = true, .age_ms = 1}, "public, max-age=1");
    assert_control((struct caching){.placed = true, .age_ms = 86400000}, "public, max-age=86400");
}

static void nothing_yet_is_kept_for_a_moment(void **state) {
    assert_control((struct caching){.placed = true, .empty = true, .age_ms = 10000},
                   "public, max-age=1, stale-while-revalidate=0");
}

static void what_moves_is_asked_for_again(void **state) {
    assert_control((struct caching){.age_ms = 10000}, "no-cache");
    assert_control((struct caching){.empty = true, .age_ms = 10000}, "no-cache");
    assert_control((struct caching){.placed = true, .gap = true, .age_ms = 10000}, "no-cache");
}

static void what_is_somebodys_stays_with_them(void **state) {
    for (int bits = 0; bits < 8; bits++) {
        struct caching caching = {.placed = bits & 1, .gap = bits & 2, .empty = bits & 4};
        assert_control(caching, "private, no-cache"); // switched off
        caching.age_ms = 10000;
        caching.personal = true;
        assert_control(caching, "private, no-cache");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_a_place_is_kept),
        cmocka_unit_test(nothing_yet_is_kept_for_a_moment),
        cmocka_unit_test(what_moves_is_asked_for_again),
        cmocka_unit_test(what_is_somebodys_stays_with_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
