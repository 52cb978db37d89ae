// The line that tells how far it is.
#include "cli/progress.h"

#include <string.h>

#include "support.h"

static void assert_line(struct progress_state state, int64_t elapsed, const char *wanted) {
    char line[PROGRESS_LINE_MAX];
    progress_line(&state, elapsed, line);
    assert_string_equal(line, wanted);
}

static void it_tells_what_is_known(void **state) {
    assert_line((struct progress_state){.events = 1200, .bytes = 3 << 20, .done = 2, .all = 5},
                2000, "1200 events, 3.0 MiB, 600 events/s, 40 %");
    assert_line((struct progress_state){.events = 7, .what = "entries"}, 1000,
                "7 entries, 7 entries/s");
    assert_line((struct progress_state){.bytes = 5 << 20, .done = 1, .all = 1}, 2000,
                "5.0 MiB, 2.5 MiB/s, 100 %");
    assert_line((struct progress_state){.what = NULL}, 0, "0 events, 0 events/s");
}

// Retention or a growing file can make more of it than there was at first.
static void it_never_tells_more_than_all(void **state) {
    assert_line((struct progress_state){.events = 9, .done = 9, .all = 3}, 1000,
                "9 events, 9 events/s, 100 %");
}

static void large_numbers_fit(void **state) {
    struct progress_state large = {"entries", UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    char line[PROGRESS_LINE_MAX];
    progress_line(&large, 1, line);
    assert_true(strlen(line) < PROGRESS_LINE_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_what_is_known),
        cmocka_unit_test(it_never_tells_more_than_all),
        cmocka_unit_test(large_numbers_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
