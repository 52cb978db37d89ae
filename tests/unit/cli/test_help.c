// Help in its three forms: everything is in it, and nothing is wider than the terminal.
#include "base/error.h"
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "sample.h"

static const struct command *const sample_commands[] = {&sample_command, NULL};

static void assert_has(const struct buf *text, const char *wanted) {
    if (!memmem(text->at, text->len, wanted, strlen(wanted))) {
        fail_msg("not in the help: %s\n%.*s", wanted, (int)text->len, text->at);
    }
}

static void assert_fits(const struct buf *text, size_t width) {
    struct bytes rest = buf_bytes(text);
    while (rest.len) {
        const char *end = memchr(rest.at, '\n', rest.len);
        assert_non_null(end);
        size_t len = (size_t)(end - rest.at);
        if (len == strlen("Examples") && memcmp(rest.at, "Examples", len) == 0) {
            return; // they are shown as they are
        }
        if (len > width || (len && end[-1] == ' ')) {
            fail_msg("%zu wide at %zu: \"%.*s\"", len, width, (int)len, rest.at);
        }
        rest = bytes_make(end + 1, rest.len - len - 1);
    }
}

static void every_option_is_in_the_help(void **state) {
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(help_command(&text, &sample_command, 80), 0);
    for (const struct option *option = sample_table; option->name; option++) {
        char spelling[80];
        bool starts_true = strcmp(option->name, "reconnect") == 0;
        snprintf(spelling, sizeof(spelling), " --%s%s%s%s", starts_true ? "[no-]" : "",
                 option->name, option->value_name ? " " : "",
                 option->value_name ? option->value_name : "");
        assert_has(&text, spelling);
    }
    buf_finish(&text);
}

static void the_help_has_this_shape(void **state) {
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(help_command(&text, &sample_command, 80), 0);
    assert_has(&text,
               "freshet sample: shows an option of every type\n\n"
               "Usage: freshet sample [OPTION]... THING...\n\n"
               "It does nothing, at some length: this paragraph is broken into lines that fit."
               "\n\n.Its second");
    assert_has(&text, "\nSpeech\n  -l, --loud                  Say more. [reloadable]\n"
                      "      --[no-]reconnect        Connect again when the connection breaks.\n"
                      "                              [default: true]\n"
                      "  -n, --name NAME             Who speaks. [default: anna] [reloadable]\n");
    assert_has(&text,
               "  -m, --max-connections N     How many at once. (from 1 to 1000) [default: 100]\n"
               "                              [reloadable]\n");
    assert_has(&text,
               "      --max-body SIZE         How large. (at least 1k) [default: 1m; 2m with\n"
               "                              --once] [reloadable]\n");
    assert_has(&text, "How it looks. (text, json or raw) [default: text]\n");
    assert_has(&text, "Every option but --once may also be");
    assert_has(&text, "the environment over the file.");
    assert_has(&text, "\nExamples\n  freshet sample --loud thing\n");
    buf_finish(&text);
}

static void lines_fit_any_terminal(void **state) {
    for (size_t width = HELP_WIDTH_MIN; width <= HELP_WIDTH_MAX; width++) {
        struct buf text;
        buf_init(&text, &mem_libc, 0);
        assert_int_equal(help_command(&text, &sample_command, width), 0);
        assert_fits(&text, width);
        buf_clear(&text);
        assert_int_equal(help_program(&text, sample_commands, width), 0);
        assert_fits(&text, width);
        for (size_t i = 0; commands_all[i]; i++) {
            buf_clear(&text);
            assert_int_equal(help_command(&text, commands_all[i], width), 0);
            assert_fits(&text, width);
        }
        buf_finish(&text);
    }
}

static void the_program_lists_its_commands(void **state) {
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(help_program(&text, sample_commands, 80), 0);
    assert_has(&text, "\nCommands\n  sample                      Shows an option of every type.\n");
    buf_finish(&text);
}

static void markdown_has_a_row_for_each_setting(void **state) {
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(help_markdown(&text, sample_commands), 0);
    assert_has(&text, "## freshet sample\n");
    assert_has(&text, "### Limits\n");
    assert_has(&text,
               "| `-m, --max-connections N` | `FRESHET_MAX_CONNECTIONS` | `100` | How many at "
               "once. *a whole number, from 1 to 1000*; reloadable |\n");
    assert_has(&text, "| `--once TEXT` | – | – | About this call only. *some text* |\n");
    assert_has(&text, "Who may \\| read.");
    buf_finish(&text);
}

static void the_man_page_is_escaped(void **state) {
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(help_man(&text, sample_commands), 0);
    assert_has(&text, ".TH FRESHET\\-SAMPLE 1 ");
    assert_has(&text, "\n.PP\n\\&.Its second paragraph starts with a dot and has a \\e in it.\n");
    assert_has(&text, ".TP\n\\fB\\-m, \\-\\-max\\-connections N\\fR\nHow many at once.");
    assert_has(&text, "\n.SH SYNOPSIS\n.B freshet sample\n[OPTION]... THING...\n.SH DESCRIPTION\n");
    assert_has(&text, ".SH OPTIONS\n.SS Speech\n");
    assert_has(&text, ".SS Limits\n");
    assert_has(&text, ".SH ENVIRONMENT\nEvery option but \\-\\-once may also be");
    assert_has(&text, ".nf\nfreshet sample \\-\\-loud thing\n");
    buf_finish(&text);
}

static void the_man_page_of_the_program_lists_the_commands(void **state) {
    static const struct command *const two[] = {&sample_command, &sample_command, NULL};
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(help_man(&text, two), 0);
    assert_has(&text, ".TH FRESHET 1 ");
    assert_has(&text, ".TP\n\\fBfreshet sample\\fR\nShows an option of every type.\n");
    assert_has(&text, "\\fBfreshet\\-sample\\fR(1),\n\\fBfreshet.conf\\fR(5)\n");
    assert_null(memmem(text.at, text.len, "max\\-connections", 16));
    buf_finish(&text);
}

static const struct option no_options[] = {{.name = NULL}};
static const struct command sample_first = {.name = "sample first",
                                            .summary = "does the first thing",
                                            .usage = "THING",
                                            .about = "About the first.",
                                            .examples = "freshet sample first\n",
                                            .options = sample_table};
static const struct command sample_second = {.name = "sample second",
                                             .summary = "does the second thing",
                                             .usage = "",
                                             .about = "About the second.",
                                             .examples = "freshet sample second\n",
                                             .options = no_options};
static const struct command *const sample_actions[] = {&sample_first, &sample_second, NULL};
static const struct command sample_of_actions = {.name = "sample",
                                                 .summary = "does things",
                                                 .usage = "first|second [OPTION]...",
                                                 .about = "About both.",
                                                 .examples = "freshet sample first\n",
                                                 .options = no_options,
                                                 .actions = sample_actions};

static void the_config_file_has_a_man_page(void **state) {
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(help_man_file(&text, &sample_command), 0);
    assert_has(&text, ".TH FRESHET.CONF 5 ");
    assert_has(&text, "\n.TP\n.B max\\-connections = N\nHow many at once.");
    assert_has(&text, ".SS Limits\n");
    assert_null(memmem(text.at, text.len, ".B once", 7));
    assert_null(memmem(text.at, text.len, ".B config", 9));
    assert_int_equal(help_man_file(&text, &sample_of_actions), ERR_INVALID);
    buf_finish(&text);
}

static void actions_are_found_by_their_word(void **state) {
    assert_ptr_equal(commands_find_action(&sample_of_actions, "second"), &sample_second);
    assert_null(commands_find_action(&sample_of_actions, "sample second"));
    assert_null(commands_find_action(&sample_of_actions, "third"));
    assert_null(commands_find_action(&sample_command, "first"));
    assert_string_equal(commands_last_word(&sample_second), "second");
    assert_string_equal(commands_last_word(&sample_command), "sample");
}

static void a_command_of_actions_lists_them(void **state) {
    static const struct command *const one[] = {&sample_of_actions, NULL};
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(help_command(&text, &sample_of_actions, 80), 0);
    assert_has(&text, "Usage: freshet sample first|second [OPTION]...\n");
    assert_has(&text, "  second                      Does the second thing.\n");
    assert_null(memmem(text.at, text.len, "--loud", 6));
    buf_clear(&text);
    assert_int_equal(help_man(&text, one), 0);
    assert_has(&text, ".SH SYNOPSIS\n.B freshet sample first\n[OPTION]... THING\n.br\n");
    assert_has(&text, ".B freshet sample second\n[OPTION]...\n.SH DESCRIPTION\nAbout both.\n");
    assert_has(&text, ".SH FRESHET SAMPLE FIRST\nAbout the first.\n.SS Speech\n");
    buf_clear(&text);
    assert_int_equal(help_markdown(&text, one), 0);
    assert_has(&text, "\n## freshet sample\n");
    assert_has(&text, "\n## freshet sample second\n");
    buf_clear(&text);
    const struct command *const first[] = {&sample_first, NULL};
    assert_int_equal(help_man(&text, first), 0);
    assert_has(&text, ".TH FRESHET\\-SAMPLE\\-FIRST 1 ");
    buf_finish(&text);
}

static void every_allocation_may_fail(void **state) {
    int rc = -1;
    for (long fail_at = 1; rc; fail_at++) {
        struct test_mem mem;
        struct buf text;
        test_mem_init(&mem);
        mem.fail_at = fail_at;
        buf_init(&text, &mem.mem, 0);
        rc = help_command(&text, &sample_command, 80);
        rc = rc ? rc : help_man(&text, sample_commands);
        rc = rc ? rc : help_man_file(&text, &sample_command);
        rc = rc ? rc : help_markdown(&text, sample_commands);
        buf_finish(&text);
        test_mem_finish(&mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_in_the_help),
        cmocka_unit_test(the_help_has_this_shape),
        cmocka_unit_test(lines_fit_any_terminal),
        cmocka_unit_test(the_program_lists_its_commands),
        cmocka_unit_test(markdown_has_a_row_for_each_setting),
        cmocka_unit_test(the_man_page_is_escaped),
        cmocka_unit_test(the_config_file_has_a_man_page),
        cmocka_unit_test(the_man_page_of_the_program_lists_the_commands),
        cmocka_unit_test(actions_are_found_by_their_word),
        cmocka_unit_test(a_command_of_actions_lists_them),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
