// The forms in which events are printed, and what may reach a terminal.
#include "cli/cmd_sub_print.h"

#include <string.h>

#include "cli/output.h"
#include "support.h"

static struct freshet_text text(const char *at) {
    return (struct freshet_text){.at = at, .len = strlen(at)};
}

static void assert_prints(struct sub_style style, const char *id, const char *type,
                          const char *data, const char *wanted) {
    struct freshet_event event = {.id = text(id), .type = text(type), .data = text(data)};
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(sub_print(&out, &style, &event), 0);
    buf_append(&out, "", 1);
    assert_string_equal(out.at, wanted);
    buf_finish(&out);
}

static void plain_is_the_data(void **state) {
    struct sub_style style = {.form = SUB_PLAIN};
    assert_prints(style, "1-0", "tick", "a\nb", "a\nb\n");
    assert_prints(style, "", "", "", "\n");
    assert_prints(style, "", "", "\x1b[2J", "\x1b[2J\n");
}

static void a_screen_gets_a_prefix(void **state) {
    struct sub_style style = {.form = SUB_SCREEN, .terminal = true};
    assert_prints(style, "", "", "a", "a\n");
    assert_prints(style, "", "message", "a", "a\n");
    assert_prints(style, "1-0", "", "a", "1-0  a\n");
    assert_prints(style, "", "tick", "a", "tick  a\n");
    assert_prints(style, "1-0", "tick", "a\nb", "1-0 tick\na\nb\n");
    style.colours = true;
    assert_prints(style, "1-0", "tick", "a", "\x1b[2m1-0 tick\x1b[0m  a\n");
    assert_prints(style, "", "", "a", "a\n");
}

static void nothing_steers_the_screen(void **state) {
    struct sub_style style = {.form = SUB_SCREEN, .terminal = true};
    assert_prints(style, "\x1b]0;t\x07", "e\nv", "a\tb\r\x1b[2J\x7f",
                  "\\u001b]0;t\\u0007 e\\u000av  a\tb\\u000d\\u001b[2J\\u007f\n");
    assert_prints(style, "", "",
                  "\xc2\x9b"
                  "31m \xe2\x80\xae \xe2\x81\xa6 \xc3\xa9 \xf0\x9f\x98\x80",
                  "\\u009b31m \\u202e \\u2066 \xc3\xa9 \xf0\x9f\x98\x80\n");
}

static void json_has_three_keys(void **state) {
    struct sub_style style = {.form = SUB_JSON};
    assert_prints(style, "", "", "a\n\"b\"\x1b",
                  "{\"id\":\"\",\"event\":\"message\",\"data\":\"a\\n\\\"b\\\"\\u001b\"}\n");
    assert_prints(style, "1-0", "tick", "\x7f",
                  "{\"id\":\"1-0\",\"event\":\"tick\",\"data\":\"\x7f\"}\n");
    style.terminal = true;
    assert_prints(style, "1-0", "tick", "\x7f",
                  "{\"id\":\"1-0\",\"event\":\"tick\",\"data\":\"\\u007f\"}\n");
}

static void bytes_that_are_no_text_are_shown(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(output_escape(&out, bytes_make("a\x9b\xc3\n\0b\xe2\x82", 8), true), 0);
    buf_append(&out, "", 1);
    assert_string_equal(out.at, "a\\x9b\\xc3\n\\u0000b\\xe2\\x82");
    buf_finish(&out);
}

static void every_allocation_may_fail(void **state) {
    struct freshet_event event = {.id = text("1"), .type = text("t"), .data = text("d\x7f")};
    for (int form = SUB_PLAIN; form <= SUB_JSON; form++) {
        struct sub_style style = {.form = (enum sub_form)form, .terminal = true, .colours = true};
        int rc = -1;
        for (long fail_at = 1; rc; fail_at++) {
            struct test_mem mem;
            struct buf out;
            test_mem_init(&mem);
            mem.fail_at = fail_at;
            buf_init(&out, &mem.mem, 0);
            rc = sub_print(&out, &style, &event);
            buf_finish(&out);
            test_mem_finish(&mem);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_is_the_data),
        cmocka_unit_test(a_screen_gets_a_prefix),
        cmocka_unit_test(nothing_steers_the_screen),
        cmocka_unit_test(json_has_three_keys),
        cmocka_unit_test(bytes_that_are_no_text_are_shown),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
