// Who is there is told at once, who has gone only when the time has come.
#include "support.h"

#include <stdio.h>

#include "base/error.h"
#include "server/presence.h"

static const struct hash_key key = {1, 2};

static void assert_gone(struct presence *presence, int64_t now, const char *expected) {
    struct buf name;
    buf_init(&name, &mem_libc, 0);
    assert_int_equal(presence_gone(presence, now, &name), expected != NULL);
    assert_true(bytes_is(buf_bytes(&name), expected ? expected : ""));
    buf_finish(&name);
}

static void the_first_and_the_last(void **state) {
    struct presence presence;
    struct bytes a = bytes_of("a"), b = bytes_of("b");
    presence_init(&presence, &mem_libc, &key, 100);
    assert_int_equal(presence_enter(&presence, a), 1);
    assert_int_equal(presence_enter(&presence, a), 0);
    assert_int_equal(presence_enter(&presence, b), 1);
    assert_int_equal(presence_next(&presence), INT64_MAX);
    presence_leave(&presence, a, 1000);
    assert_int_equal(presence_next(&presence), INT64_MAX);
    presence_leave(&presence, a, 1010);
    presence_leave(&presence, b, 1020);
    assert_int_equal(presence_next(&presence), 1110);
    assert_gone(&presence, 1109, NULL);
    assert_gone(&presence, 1110, "a");
    assert_gone(&presence, 1110, NULL);
    assert_gone(&presence, 2000, "b");
    assert_int_equal(presence.topics.count, 0);
    assert_int_equal(presence_enter(&presence, a), 1);
    presence_finish(&presence);
}

static void who_comes_back_in_time_was_never_away(void **state) {
    struct presence presence;
    struct bytes a = bytes_of("a");
    presence_init(&presence, &mem_libc, &key, 100);
    assert_int_equal(presence_enter(&presence, a), 1);
    presence_leave(&presence, a, 0);
    assert_int_equal(presence_enter(&presence, a), 0);
    assert_gone(&presence, 1000, NULL);
    presence_leave(&presence, a, 1000);
    assert_gone(&presence, 1099, NULL);
    assert_gone(&presence, 1100, "a");
    presence_leave(&presence, a, 1100); // nobody is there
    presence_leave(&presence, bytes_of("other"), 1100);
    assert_int_equal(presence_next(&presence), INT64_MAX);
    presence_finish(&presence);
}

static void too_many_that_are_leaving_are_not_waited_for(void **state) {
    struct presence presence;
    char text[16];
    presence_init(&presence, &mem_libc, &key, 100);
    for (int i = 0; i <= PRESENCE_LEAVING_MAX; i++) {
        assert_gone(&presence, 0, NULL);
        struct bytes name = bytes_make(text, (size_t)snprintf(text, sizeof(text), "%d", i));
        assert_int_equal(presence_enter(&presence, name), 1);
        presence_leave(&presence, name, 0);
    }
    assert_gone(&presence, 0, "0");
    assert_gone(&presence, 0, NULL);
    assert_int_equal(presence_enter(&presence, bytes_of("1")), 0);
    assert_int_equal(presence.leaving_count, PRESENCE_LEAVING_MAX - 1);
    presence_finish(&presence);
}

static void without_memory_nobody_has_come(void **state) {
    struct test_mem test;
    struct presence presence;
    struct bytes a = bytes_of("a");
    test_mem_init(&test);
    presence_init(&presence, &test.mem, &key, 0);
    for (test.fail_at = 1; presence_enter(&presence, a) == ERR_NOMEM; test.fail_at++) {
        test.calls = 0;
        assert_int_equal(presence.topics.count, 0);
        presence_leave(&presence, a, 0);
    }
    assert_true(test.fail_at > 1);
    presence_leave(&presence, a, 0);
    struct buf name;
    buf_init(&name, &test.mem, 0);
    test.calls = 0;
    test.fail_at = 1;
    assert_int_equal(presence_gone(&presence, 0, &name), ERR_NOMEM);
    assert_int_equal(presence_gone(&presence, 0, &name), 1); // it was kept
    buf_finish(&name);
    assert_int_equal(presence_enter(&presence, a), 1);
    presence_finish(&presence); // with somebody there
    test_mem_finish(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_and_the_last),
        cmocka_unit_test(who_comes_back_in_time_was_never_away),
        cmocka_unit_test(too_many_that_are_leaving_are_not_waited_for),
        cmocka_unit_test(without_memory_nobody_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
