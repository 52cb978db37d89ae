// From settings to limits.
#include "support.h"

#include <stdlib.h>

#include "server/retention.h"

static void sections_become_rules(void **state) {
    char first[] = "a/*", second[] = "a/**";
    struct topic_settings topics[] = {
        {.pattern = first, .history_count = 1, .history_topic_bytes = 2, .history_age_ms = 3},
        {.pattern = second, .history_count = 4, .history_topic_bytes = 5, .history_age_ms = 6},
    };
    struct settings settings = {
        .history_count = 7, .history_topic_bytes = 8, .history_age_ms = 9, .history_bytes = 10};
    struct history_limits limits;
    struct history_rule *rules;
    settings.topics = (struct records){.items = topics, .count = 2};
    assert_int_equal(retention_limits(&settings, &limits, &rules), 0);
    assert_int_equal(limits.bytes, 10);
    assert_int_equal(history_limits_of(&limits, bytes_of("a/b"))->count, 1);
    assert_int_equal(history_limits_of(&limits, bytes_of("a/b"))->bytes, 2);
    assert_int_equal(history_limits_of(&limits, bytes_of("a/b"))->age_ms, 3);
    assert_int_equal(history_limits_of(&limits, bytes_of("a/b/c"))->age_ms, 6);
    assert_int_equal(history_limits_of(&limits, bytes_of("b"))->count, 7);
    assert_int_equal(history_limits_of(&limits, bytes_of("b"))->bytes, 8);
    assert_int_equal(history_limits_of(&limits, bytes_of("b"))->age_ms, 9);
    free(rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sections_become_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
