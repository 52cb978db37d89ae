// What a reload says it did.
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "failing_malloc.h"
#include "server/reload_notes.h"

static void assert_json(const struct reload_notes *notes, const char *expected) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(reload_notes_json(notes, &out), 0);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.at, expected, out.len);
    buf_finish(&out);
}

static void test_json(void **state) {
    (void)state;
    struct reload_notes notes;
    reload_notes_init(&notes);
    assert_json(&notes, "{\"changed\":[],\"restart\":[]}");
    assert_int_equal(reload_notes_restart(&notes, "listen"), 0);
    assert_int_equal(reload_notes_change(&notes, "[topics \"a\"] history-count", "1", "2"), 0);
    assert_int_equal(reload_notes_change(&notes, "jwt-secret", NULL, NULL), 0);
    assert_int_equal(reload_notes_restart(&notes, "workers"), 0);
    assert_json(&notes, "{\"changed\":[{\"setting\":\"[topics \\\"a\\\"] history-count\",\"from\":"
                        "\"1\",\"to\":\"2\"},{\"setting\":\"jwt-secret\"}],"
                        "\"restart\":[\"listen\",\"workers\"]}");
    reload_notes_finish(&notes);
}

static void test_without_memory(void **state) {
    (void)state;
    struct reload_notes notes;
    int rc = ERR_NOMEM;
    for (long nth = 1; rc; nth++) {
        reload_notes_init(&notes);
        failing_malloc_begin(nth);
        rc = reload_notes_change(&notes, "a", "b", "c");
        failing_malloc_end();
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_int_equal(notes.count, rc == 0);
        reload_notes_finish(&notes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
