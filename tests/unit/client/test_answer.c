// What is read out of a server's JSON, and that nothing odd is.
#include "client/answer.h"

#include "base/buf.h"
#include "base/error.h"
#include "support.h"

static void assert_detail(const char *body, const char *wanted) {
    char detail[40];
    assert_int_equal(answer_detail(&mem_libc, bytes_of(body), detail, sizeof(detail)),
                     *wanted != 0);
    assert_string_equal(detail, wanted);
}

static void a_problem_has_a_sentence(void **state) {
    assert_detail("{\"type\":\"about:blank\",\"title\":\"T\",\"detail\":\"Do this.\"}", "Do this.");
    assert_detail("{\"title\":\"T\"}", "T");
    assert_detail("{\"title\":\"T\",\"detail\":5}", "T");
    assert_detail("{\"detail\":\"a\\u001b[2J\\nb\"}", "a [2J b");
    assert_detail("{\"detail\":\"0123456789012345678901234567890123456789\"}",
                  "012345678901234567890123456789012345678");
    assert_detail("", "");
    assert_detail("[]", "");
    assert_detail("<html>", "");
    assert_detail("{\"detail\":\"cut", "");
    assert_detail("{\"a\":{\"detail\":\"inner\"}}", "");
}

struct seen {
    struct buf text;
};

static void on_item(void *user_data, struct bytes id, const char *detail) {
    struct seen *seen = user_data;
    buf_printf(&seen->text, "[%.*s|%s]", (int)id.len, id.len ? id.at : "", detail);
}

static void assert_items(const char *body, int rc, const char *wanted) {
    struct seen seen;
    buf_init(&seen.text, &mem_libc, 0);
    buf_append_text(&seen.text, "=");
    assert_int_equal(answer_items(&mem_libc, bytes_of(body), on_item, &seen), rc);
    buf_append(&seen.text, "", 1);
    assert_string_equal(seen.text.at + 1, wanted);
    buf_finish(&seen.text);
}

static void items_come_in_order(void **state) {
    assert_items("{\"id\":\"1-0\"}", 0, "[1-0|]");
    assert_items("[{\"id\":\"1-0\"},{\"status\":400,\"detail\":\"No topic.\"},{\"id\":\"2-0\"}]", 0,
                 "[1-0|][|No topic.][2-0|]");
    assert_items("[]", 0, "");
    assert_items("{}", 0, "[|]");
    assert_items("[{\"id\":\"1\"},5]", ERR_INVALID, "[1|]");
    assert_items("", ERR_INVALID, "");
    assert_items("\"x\"", ERR_INVALID, "");
    assert_items("[{\"id\":\"1\"}", ERR_INVALID, "");
}

static void every_allocation_may_fail(void **state) {
    int rc = ERR_NOMEM;
    for (long fail_at = 1; rc; fail_at++) {
        struct test_mem mem;
        struct seen seen;
        test_mem_init(&mem);
        mem.fail_at = fail_at;
        buf_init(&seen.text, &mem_libc, 0);
        rc =
            answer_items(&mem.mem, bytes_of("[{\"id\":\"1-0\"},{\"id\":\"2-0\"}]"), on_item, &seen);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        buf_finish(&seen.text);
        test_mem_finish(&mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_has_a_sentence),
        cmocka_unit_test(items_come_in_order),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
