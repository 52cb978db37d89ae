// Which lists of tags have a tag in them.
#include "support.h"

#include "http/etag.h"

static bool listed(const char *list) {
    return http_etag_listed(bytes_of(list), bytes_of("\"1-2-af\""));
}

static void finds_it(void **state) {
    static const char *const good[] = {"\"1-2-af\"",
                                       "W/\"1-2-af\"",
                                       "\"x\", \"1-2-af\"",
                                       "\"1-2-af\",\"x\"",
                                       ",, \"a,b\" ,W/\"1-2-af\" ",
                                       "*",
                                       " * "};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!listed(good[i])) {
            fail_msg("%s", good[i]);
        }
    }
}

static void finds_no_other(void **state) {
    static const char *const bad[] = {
        "",         "1-2-af",          "\"1-2-a\"", "\"1-2-af\"x", "w/\"1-2-af\"", "W/",
        "\"1-2-af", "\"x, \"1-2-af\"", "**",        "\"*\"",       "*, \"x\""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (listed(bad[i])) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_false(http_etag_listed((struct bytes){0}, bytes_of("\"a\"")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_it),
        cmocka_unit_test(finds_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
