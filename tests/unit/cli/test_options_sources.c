// The config file line by line, the environment, and which source wins.
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static char path[64];

static void write_file(const char *text, size_t len) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static int read_file(struct sample_options *sample, const char *text) {
    write_file(text, strlen(text));
    return options_from_file(&sample->options, path);
}

// The sentence without the path that it begins with.
static void assert_file_refused(const char *text, const char *sentence) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(read_file(&sample, text), ERR_INVALID);
    assert_int_equal(strncmp(sample.options.error, path, strlen(path)), 0);
    assert_string_equal(sample.options.error + strlen(path), sentence);
    sample_finish(&sample);
}

static void a_file_has_names_and_values(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(read_file(&sample, "\xef\xbb\xbf# a comment\n"
                                        "\n"
                                        "name = anna lena   # of course\r\n"
                                        "  listen-on\tlocalhost:1\n"
                                        "max-connections=7\n"
                                        "cors-origin = https://a, https://b#top\n"
                                        "cors-origin = https://c\n"
                                        "header \"X: # 1 \"  # quoted\n"
                                        "header = 'Y: \"2\"'\n"
                                        "loud\n"
                                        "reconnect = no\n"
                                        "wait = 1m"),
                     0);
    assert_string_equal(sample.settings.name, "anna lena");
    assert_string_equal(sample.settings.listen, "localhost:1");
    assert_int_equal(sample.settings.max, 7);
    assert_int_equal(sample.settings.origins.count, 3);
    assert_string_equal(sample.settings.origins.items[1], "https://b#top");
    assert_string_equal(sample.settings.headers.items[0], "X: # 1");
    assert_string_equal(sample.settings.headers.items[1], "Y: \"2\"");
    assert_true(sample.settings.loud);
    assert_false(sample.settings.reconnect);
    assert_int_equal(sample.settings.wait, 60000);
    assert_int_equal(options_source(&sample.options, "wait"), OPTION_FILE);
    sample_finish(&sample);
}

static void an_empty_value_needs_quotes(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(read_file(&sample, "name = \"\"\ncors-origin ''\n"), 0);
    assert_string_equal(sample.settings.name, "");
    assert_int_equal(sample.settings.origins.count, 0);
    sample_finish(&sample);
    assert_file_refused("name =\n", ":1: name needs a value: some text");
    assert_file_refused("name\n", ":1: name needs a value: some text");
    assert_file_refused("name = # none\n", ":1: name needs a value: some text");
}

static void errors_name_the_place(void **state) {
    assert_file_refused("\n\nmax-conections 5\n",
                        ":3: there is no setting max-conections; did you mean max-connections?");
    assert_file_refused("wait 1\nmax-connections = lots\n",
                        ":2: max-connections must be a whole number, from 1 to 1000, not \"lots\"");
    assert_file_refused("config = other\n",
                        ":1: config cannot be set in a config file; use the flag --config");
    assert_file_refused("once = x\n",
                        ":1: once cannot be set in a config file; use the flag --once");
    assert_file_refused("name = \"anna\n",
                        ":1: name has a quote that does not close, or text after the closing one");
    assert_file_refused("name = 'anna'lena\n",
                        ":1: name has a quote that does not close, or text after the closing one");
    assert_file_refused("name = 'anna' lena\n",
                        ":1: name has a quote that does not close, or text after the closing one");
    assert_file_refused("= 5\n", ":1: there is no setting ; freshet sample --help lists them all");
}

static const struct sample_room *room(const struct sample_options *sample, size_t place) {
    return (const struct sample_room *)sample->settings.rooms.items + place;
}

static void sections_have_settings_of_their_own(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(read_file(&sample, "wait = 9s\n"
                                        "[room \"big # blue ]\"] # of course\r\n"
                                        "max-connections = 7 # all of them\n"
                                        "wait = 1s\n"
                                        "\n"
                                        "  [room  green  ]\n"
                                        "[ room 'x']\n"),
                     ERR_INVALID);
    sample_finish(&sample);
    sample_init(&sample);
    assert_int_equal(read_file(&sample, "wait = 9s\n"
                                        "[room \"big # blue ]\"] # of course\r\n"
                                        "max-connections = 7 # all of them\n"
                                        "wait = 1s\n"
                                        "wait = 2s\n"
                                        "\n"
                                        "  [room  light green  ]\n"
                                        "[room 'say \"x\"']\n"
                                        "max-connections 8"),
                     0);
    assert_int_equal(sample.settings.rooms.count, 3);
    assert_string_equal(room(&sample, 0)->name, "big # blue ]");
    assert_int_equal(room(&sample, 0)->max, 7);
    assert_int_equal(room(&sample, 0)->wait, 2000);
    assert_string_equal(room(&sample, 1)->name, "light green");
    assert_int_equal(room(&sample, 1)->max, 100); // as for all
    assert_int_equal(room(&sample, 1)->wait, 9000);
    assert_string_equal(room(&sample, 2)->name, "say \"x\"");
    assert_int_equal(room(&sample, 2)->max, 8);
    assert_int_equal(sample.settings.max, 100);
    assert_int_equal(sample.settings.wait, 9000);
    sample_finish(&sample);
}

// A default that hangs on another option hangs on it in a section too, wherever that was set.
static void sections_begin_with_settled_defaults(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(read_file(&sample, "[room a]\nwait = 1s\n"), 0);
    assert_int_equal(room(&sample, 0)->size, 1 << 20);
    sample_finish(&sample);
    sample_init(&sample);
    const char *argv[] = {"--once", "x"};
    assert_int_equal(options_from_args(&sample.options, 2, argv), 0);
    assert_int_equal(read_file(&sample, "[room a]\nwait = 1s\n"), 0);
    assert_int_equal(room(&sample, 0)->size, 2 << 20);
    sample_finish(&sample);
}

static void sections_are_checked(void **state) {
    static const char *const malformed[] = {
        "[",         "[]",          "[room",          "[room]",     "[room \"a]",
        "[room a",   "[room \"a\"", "[room \"a\" b]", "[room a] b", "[room \"a\"]]",
        "[ room a]", "[\"room\" a]"};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct sample_options sample;
        sample_init(&sample);
        assert_int_equal(read_file(&sample, malformed[i]), ERR_INVALID);
        assert_int_equal(sample.settings.rooms.count, 0);
        sample_finish(&sample);
    }
    assert_file_refused("\n[room \"a\n", ":2: a section is written [room \"NAME\"]");
    assert_file_refused("[window \"a\"]\n", ":1: there is no section \"window\"; there is [room "
                                            "\"NAME\"] and [door \"PLACE\"]");
    assert_file_refused("[door a]\nloud\n",
                        ":2: \"loud\" cannot be set in a section [door]; wait can");
    assert_file_refused("[room a]\nloud perhaps\n",
                        ":2: loud must be true or false, not \"perhaps\"");
    assert_file_refused("[room \"\"]\n", ":1: [room \"\"]: it names nothing");
    assert_file_refused("[room nobody]\n", ":1: [room \"nobody\"]: no room has such a name");
    assert_file_refused("[room a]\n[room b]\nwait = 1\n[room 'a']\n",
                        ":4: [room \"a\"]: there is this section already; put all of its settings "
                        "there");
    assert_file_refused("[room a]\n[room b]\n[room c]\n[room d]\n",
                        ":4: there are more than 3 sections [room \"NAME\"]");
    assert_file_refused("[room a]\nheader = x\n",
                        ":2: \"header\" cannot be set in a section [room]; "
                        "max-connections, max-body, wait, loud, format, name and cors-origin can");
    assert_file_refused(
        "[room a]\nwaits = x\n",
        ":2: \"waits\" cannot be set in a section "
        "[room]; max-connections, max-body, wait, loud, format, name and cors-origin can");
    assert_file_refused("[room a]\nmax-connections = 0\n",
                        ":2: max-connections must be a whole number, from 1 to 1000, not \"0\"");
    assert_file_refused("[room a]\nwait\n",
                        ":2: wait needs a value: a duration such as 250ms, 15s, 5m, 2h or 1d, from "
                        "100ms to 1d");
}

// Texts and lists start empty, and are the section's own; what else there is starts as it is for all.
static void sections_hold_every_type(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(read_file(&sample, "loud\nformat = json\nname = berta\n"
                                        "[room a]\n"
                                        "[room b]\nloud = no\nformat = raw\nname = carla\n"
                                        "name = dora\ncors-origin = x, y\ncors-origin = z\n"
                                        "[door a]\nwait = 2s\n"),
                     0);
    assert_true(room(&sample, 0)->loud);
    assert_int_equal(room(&sample, 0)->format, 1);
    assert_null(room(&sample, 0)->speaker);
    assert_int_equal(room(&sample, 0)->origins.count, 0);
    assert_false(room(&sample, 1)->loud);
    assert_int_equal(room(&sample, 1)->format, 2);
    assert_string_equal(room(&sample, 1)->speaker, "dora");
    assert_int_equal(room(&sample, 1)->origins.count, 3);
    assert_string_equal(room(&sample, 1)->origins.items[2], "z");
    assert_string_equal(sample.settings.name, "berta");
    assert_int_equal(sample.settings.origins.count, 2);
    assert_int_equal(((struct sample_door *)sample.settings.doors.items)->wait, 2000);
    sample_finish(&sample);
}

static void a_program_may_have_no_sections(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    sample.options.sections = NULL;
    assert_int_equal(read_file(&sample, "[room a]\n"), ERR_INVALID);
    assert_non_null(strstr(sample.options.error, ":1: this file has no sections"));
    sample_finish(&sample);
}

static void sections_may_find_no_memory(void **state) {
    int rc = ERR_NOMEM;
    for (long more = 1; rc; more++) {
        struct sample_options sample;
        sample_init(&sample);
        sample.mem.fail_at = sample.mem.calls + more;
        rc = read_file(&sample, "[room a]\n[room b]\nwait = 1\nname = x\ncors-origin = y\n");
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_true(more < 20);
        sample_finish(&sample);
    }
}

static void files_are_bounded(void **state) {
    struct sample_options sample;
    char *text = malloc(OPTIONS_FILE_MAX + 1);
    assert_non_null(text);
    memset(text, '#', OPTIONS_FILE_MAX + 1);
    for (size_t i = 1000; i <= OPTIONS_FILE_MAX; i += 1000) {
        text[i] = '\n';
    }
    sample_init(&sample);
    write_file(text, OPTIONS_FILE_MAX);
    assert_int_equal(options_from_file(&sample.options, path), 0);
    write_file(text, OPTIONS_FILE_MAX + 1);
    assert_int_equal(options_from_file(&sample.options, path), ERR_TOO_LARGE);
    assert_non_null(strstr(sample.options.error, "larger than 1 MiB"));
    memset(text, '#', OPTIONS_LINE_MAX + 1);
    write_file(text, OPTIONS_LINE_MAX);
    assert_int_equal(options_from_file(&sample.options, path), 0);
    write_file(text, OPTIONS_LINE_MAX + 1);
    assert_int_equal(options_from_file(&sample.options, path), ERR_INVALID);
    assert_non_null(strstr(sample.options.error, ":1: the line is longer than 8192 bytes"));
    write_file("name a\0b\n", 9);
    assert_int_equal(options_from_file(&sample.options, path), ERR_INVALID);
    assert_non_null(strstr(sample.options.error, ":1: the line has a NUL byte"));
    sample_finish(&sample);
    free(text);
}

static void a_file_that_cannot_be_read_is_named(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(options_from_file(&sample.options, "/nonexistent/f.conf"), ERR_SYSTEM);
    assert_string_equal(
        sample.options.error,
        "cannot read the config file /nonexistent/f.conf: No such file or directory");
    assert_int_equal(options_from_file(&sample.options, "/"), ERR_SYSTEM);
    assert_string_equal(sample.options.error, "cannot read the config file /: Is a directory");
    sample_finish(&sample);
}

static void the_environment_uses_capitals(void **state) {
    static const char *const environment[] = {"PATH=/bin",
                                              "FRESHET_MAX_CONNECTIONS=9",
                                              "FRESHET_NAME=env=1",
                                              "FRESHET_NAMES=other",
                                              "FRESHET_CORS_ORIGIN=p,q,r",
                                              "FRESHET_LOUD=1",
                                              "FRESHET_ONCE=ignored",
                                              "FRESHET_PORT=tcp://10.0.0.1:80",
                                              NULL};
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(options_from_env(&sample.options, environment), 0);
    assert_int_equal(sample.settings.max, 9);
    assert_string_equal(sample.settings.name, "env=1");
    assert_int_equal(sample.settings.origins.count, 3);
    assert_true(sample.settings.loud);
    assert_null(sample.settings.once);
    sample_finish(&sample);
}

static void a_bad_variable_is_named(void **state) {
    static const char *const environment[] = {"FRESHET_WAIT=soon", NULL};
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(options_from_env(&sample.options, environment), ERR_INVALID);
    assert_string_equal(sample.options.error,
                        "FRESHET_WAIT must be a duration such as 250ms, 15s, 5m, 2h or 1d, from "
                        "100ms to 1d, not \"soon\"");
    sample_finish(&sample);
}

static void load(struct sample_options *sample, int expected) {
    const char *argv[] = {"--config", path, "--max-connections=3", "--cors-origin=flag", "topic"};
    static const char *const environment[] = {"FRESHET_MAX_CONNECTIONS=2", "FRESHET_NAME=env",
                                              "FRESHET_CORS_ORIGIN=env1,env2", NULL};
    memset(sample, 0, sizeof(*sample));
    test_mem_init(&sample->mem);
    options_init(&sample->options, &sample->mem.mem, sample_table, &sample->settings, "freshet x");
    assert_int_equal(options_load(&sample->options, 5, argv, environment), expected);
}

static void stronger_sources_win(void **state) {
    struct sample_options sample;
    const char *text = "max-connections 1\nname file\nwait 2s\ncors-origin file\nheader H: file\n";
    write_file(text, strlen(text));
    load(&sample, 0);
    assert_int_equal(sample.settings.max, 3);
    assert_string_equal(sample.settings.name, "env");
    assert_int_equal(sample.settings.wait, 2000);
    assert_int_equal(sample.settings.size, 1 << 20);
    assert_int_equal(sample.settings.origins.count, 1);
    assert_string_equal(sample.settings.origins.items[0], "flag");
    assert_int_equal(sample.settings.headers.count, 1);
    assert_int_equal(sample.options.rest.count, 1);
    assert_int_equal(options_source(&sample.options, "max-connections"), OPTION_ARGS);
    assert_int_equal(options_source(&sample.options, "name"), OPTION_ENV);
    assert_int_equal(options_source(&sample.options, "wait"), OPTION_FILE);
    assert_int_equal(options_source(&sample.options, "max-body"), OPTION_DEFAULT);
    sample_finish(&sample);
}

static uint64_t size_after(const char *flag, const char *other, const char *const *environment) {
    const char *argv[] = {flag, other};
    int argc = flag ? other ? 2 : 1 : 0;
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(options_load(&sample.options, argc, argv, environment), OPTIONS_RUN);
    uint64_t size = sample.settings.size;
    sample_finish(&sample);
    return size;
}

static void a_default_may_hang_on_another_option(void **state) {
    const char *const none[] = {NULL};
    const char *const environment[] = {"FRESHET_MAX_BODY=3m", NULL};
    assert_int_equal(size_after(NULL, NULL, none), 1 << 20);
    assert_int_equal(size_after("--once=x", NULL, none), 2 << 20);
    assert_int_equal(size_after("--once=x", "--max-body=1m", none), 1 << 20);
    assert_int_equal(size_after("--once=x", NULL, environment), 3 << 20);
}

static void a_bad_line_is_an_error_even_when_a_flag_wins(void **state) {
    struct sample_options sample;
    const char *text = "max-connections none\n";
    write_file(text, strlen(text));
    load(&sample, ERR_INVALID);
    assert_non_null(strstr(sample.options.error, ":1: max-connections must be"));
    sample_finish(&sample);
}

static void the_environment_may_name_the_file(void **state) {
    char variable[128];
    const char *environment[] = {variable, NULL};
    struct sample_options sample;
    snprintf(variable, sizeof(variable), "FRESHET_CONFIG=%s", path);
    write_file("name file\n", 10);
    sample_init(&sample);
    assert_int_equal(options_load(&sample.options, 0, NULL, environment), 0);
    assert_string_equal(sample.settings.name, "file");
    sample_finish(&sample);
}

static int make_path(void **state) {
    strcpy(path, "/tmp/freshet-options-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state) {
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_names_and_values),
        cmocka_unit_test(an_empty_value_needs_quotes),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(sections_have_settings_of_their_own),
        cmocka_unit_test(sections_begin_with_settled_defaults),
        cmocka_unit_test(sections_are_checked),
        cmocka_unit_test(sections_hold_every_type),
        cmocka_unit_test(a_program_may_have_no_sections),
        cmocka_unit_test(sections_may_find_no_memory),
        cmocka_unit_test(files_are_bounded),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(the_environment_uses_capitals),
        cmocka_unit_test(a_bad_variable_is_named),
        cmocka_unit_test(stronger_sources_win),
        cmocka_unit_test(a_default_may_hang_on_another_option),
        cmocka_unit_test(a_bad_line_is_an_error_even_when_a_flag_wins),
        cmocka_unit_test(the_environment_may_name_the_file),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
