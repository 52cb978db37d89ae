// Every type of value, read and refused, through the arguments; and what the sentences say.
#include "sample.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void assert_refused(const char *argument, const char *sentence) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(sample_args(&sample, argument, NULL), ERR_INVALID);
    assert_string_equal(sample.options.error, sentence);
    sample_finish(&sample);
}

static void defaults_are_read_from_text(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_false(sample.settings.loud);
    assert_true(sample.settings.reconnect);
    assert_string_equal(sample.settings.name, "anna");
    assert_null(sample.settings.config);
    assert_int_equal(sample.settings.origins.count, 2);
    assert_string_equal(sample.settings.origins.items[1], "b");
    assert_int_equal(sample.settings.headers.count, 0);
    assert_int_equal(sample.settings.max, 100);
    assert_int_equal(sample.settings.size, 1 << 20);
    assert_int_equal(sample.settings.wait, 15000);
    assert_int_equal(sample.settings.format, 0);
    assert_int_equal(options_source(&sample.options, "name"), OPTION_DEFAULT);
    assert_int_equal(options_source(&sample.options, "config"), OPTION_UNSET);
    assert_int_equal(options_source(&sample.options, "nonsense"), OPTION_UNSET);
    sample_finish(&sample);
}

static void flags_take_every_spelling(void **state) {
    static const struct {
        const char *argument;
        bool loud;
    } cases[] = {{"--loud", true},      {"-l", true},         {"--loud=on", true},
                 {"--loud=YES", true},  {"--loud=1", true},   {"--no-loud", false},
                 {"--loud=off", false}, {"--loud=no", false}, {"--loud=false", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample_options sample;
        sample_init(&sample);
        assert_int_equal(sample_args(&sample, "--no-reconnect", cases[i].argument, NULL), 0);
        assert_int_equal(sample.settings.loud, cases[i].loud);
        assert_false(sample.settings.reconnect);
        sample_finish(&sample);
    }
}

static void durations_have_units(void **state) {
    static const struct {
        const char *argument;
        int64_t ms;
    } cases[] = {{"--wait=250ms", 250}, {"--wait=3", 3000},        {"--wait=3s", 3000},
                 {"--wait=5m", 300000}, {"--wait=2H", 7200000},    {"--wait=1d", 86400000},
                 {"--wait=100ms", 100}, {"--wait=86400", 86400000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample_options sample;
        sample_init(&sample);
        assert_int_equal(sample_args(&sample, cases[i].argument, NULL), 0);
        assert_int_equal(sample.settings.wait, cases[i].ms);
        sample_finish(&sample);
    }
}

static void sizes_have_units(void **state) {
    static const struct {
        const char *argument;
        uint64_t bytes;
    } cases[] = {{"--max-body=1024", 1024},
                 {"--max-body=64k", 65536},
                 {"--max-body=10M", 10 << 20},
                 {"--max-body=17179869183g", UINT64_C(17179869183) << 30}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample_options sample;
        sample_init(&sample);
        assert_int_equal(sample_args(&sample, cases[i].argument, NULL), 0);
        assert_int_equal(sample.settings.size, cases[i].bytes);
        sample_finish(&sample);
    }
}

static void numbers_are_refused_whole(void **state) {
    static const char duration[] =
        "--wait must be a duration such as 250ms, 15s, 5m, 2h or 1d, from "
        "100ms to 1d, not \"%s\"";
    static const char *const durations[] = {"",
                                            "s",
                                            "1.5s",
                                            "-1",
                                            "+1",
                                            " 1",
                                            "1 s",
                                            "0x10",
                                            "99ms",
                                            "25h",
                                            "86401",
                                            "1w",
                                            "3ss",
                                            "99999999999999999999",
                                            "9223372036854775807d"};
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        char argument[64], sentence[200];
        snprintf(argument, sizeof(argument), "--wait=%s", durations[i]);
        snprintf(sentence, sizeof(sentence), duration, durations[i]);
        assert_refused(argument, sentence);
    }
    assert_refused("--max-connections=0",
                   "--max-connections must be a whole number, from 1 to 1000, not \"0\"");
    assert_refused("--max-connections=1001",
                   "--max-connections must be a whole number, from 1 to 1000, not \"1001\"");
    assert_refused("--max-connections=1k",
                   "--max-connections must be a whole number, from 1 to 1000, not \"1k\"");
    assert_refused("--max-body=1023", "--max-body must be a size such as 512, 64k, 10m or 1g, at "
                                      "least 1k, not \"1023\"");
    assert_refused("--max-body=17179869184g", "--max-body must be a size such as 512, 64k, 10m or "
                                              "1g, at least 1k, not \"17179869184g\"");
}

static void choices_and_flags_say_what_they_accept(void **state) {
    assert_refused("--format=xml", "--format must be text, json or raw, not \"xml\"");
    assert_refused("--loud=maybe", "--loud must be true or false, not \"maybe\"");
    assert_refused("--loud=", "--loud must be true or false, not \"\"");
    assert_refused("--no-loud=true", "--no-loud takes no value; leave out \"=true\"");
}

static void addresses_have_a_host_and_a_port(void **state) {
    static const char *const good[] = {"127.0.0.1:0", "localhost:8042", "[::1]:8042",      ":8042",
                                       "*:80",        "[::]:65535",     "unix:/run/f.sock"};
    static const char *const bad[] = {
        "",         "8042",   "localhost", "localhost:", "host:65536", "host:http",
        "::1:8042", "a b:80", "unix:",     "[]:80",      "http://h:80"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct sample_options sample;
        sample_init(&sample);
        assert_int_equal(sample_args(&sample, "--listen-on", good[i], NULL), 0);
        assert_string_equal(sample.settings.listen, good[i]);
        sample_finish(&sample);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char argument[64], sentence[200];
        snprintf(argument, sizeof(argument), "--listen-on=%s", bad[i]);
        snprintf(sentence, sizeof(sentence),
                 "--listen-on must be an address such as 127.0.0.1:8042, [::1]:8042 or "
                 "unix:/run/f.sock, not \"%s\"",
                 bad[i]);
        assert_refused(argument, sentence);
    }
}

static void lists_gather_and_split(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(sample_args(&sample, "--cors-origin", "x, y,,", "--cors-origin=z", "-H",
                                 "A: b, c", "-HD: e", "--header", "X: 1\nY: 2", NULL),
                     0);
    assert_int_equal(sample.settings.origins.count, 3);
    assert_string_equal(sample.settings.origins.items[0], "x");
    assert_string_equal(sample.settings.origins.items[1], "y");
    assert_string_equal(sample.settings.origins.items[2], "z");
    assert_int_equal(sample.settings.headers.count, 4);
    assert_string_equal(sample.settings.headers.items[0], "A: b, c");
    assert_string_equal(sample.settings.headers.items[1], "D: e");
    assert_string_equal(sample.settings.headers.items[3], "Y: 2");
    sample_finish(&sample);
}

static void the_last_of_one_source_wins(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(sample_args(&sample, "--name=a", "-n", "b", "--loud", "--no-loud", NULL), 0);
    assert_string_equal(sample.settings.name, "b");
    assert_false(sample.settings.loud);
    sample_finish(&sample);
}

static void unknown_names_get_the_nearest(void **state) {
    assert_refused("--max-conections=5",
                   "there is no option --max-conections; did you mean --max-connections?");
    assert_refused("--fromat", "there is no option --fromat; did you mean --format?");
    assert_refused("--nothing-like-it",
                   "there is no option --nothing-like-it; freshet sample --help lists them all");
    assert_refused("-x", "there is no option -x; freshet sample --help lists them all");
    assert_refused("-lx", "there is no option -x; freshet sample --help lists them all");
    assert_refused("--no-name",
                   "there is no option --no-name; freshet sample --help lists them all");
    assert_refused("--\x1b[2J",
                   "there is no option --\\x1b[2J; freshet sample --help lists them all");
}

static void a_value_that_is_missing_is_explained(void **state) {
    assert_refused("--name", "--name needs a value: some text");
    assert_refused("-m", "-m needs a value: a whole number, from 1 to 1000");
    assert_refused("--format", "--format needs a value: text, json or raw");
}

static void long_and_odd_values_are_shown_safely(void **state) {
    assert_refused("--format=\x1b]0;\x07",
                   "--format must be text, json or raw, not \"\\x1b]0;\\x07\"");
    assert_refused("--format=0123456789012345678901234567890123456789zzzz",
                   "--format must be text, json or raw, not "
                   "\"0123456789012345678901234567890123456789\"…");
}

static void positional_arguments_mix_with_options(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(
        sample_args(&sample, "one", "-l", "-", "--name", "--loud", "--", "--name", "-x", NULL), 0);
    assert_int_equal(sample.options.rest.count, 4);
    assert_string_equal(sample.options.rest.items[0], "one");
    assert_string_equal(sample.options.rest.items[1], "-");
    assert_string_equal(sample.options.rest.items[2], "--name");
    assert_string_equal(sample.options.rest.items[3], "-x");
    assert_string_equal(sample.settings.name, "--loud");
    sample_finish(&sample);
}

static void letters_bundle(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(sample_args(&sample, "-lm5", "-lw", "2s", NULL), 0);
    assert_true(sample.settings.loud);
    assert_int_equal(sample.settings.max, 5);
    assert_int_equal(sample.settings.wait, 2000);
    sample_finish(&sample);
}

static void help_is_a_request_unless_it_is_an_argument(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(sample_args(&sample, "a", "--help", "--nonsense", NULL), OPTIONS_HELP);
    assert_int_equal(sample_args(&sample, "-h", NULL), OPTIONS_HELP);
    assert_int_equal(sample_args(&sample, "--help-markdown", NULL), OPTIONS_HELP_MARKDOWN);
    assert_int_equal(sample_args(&sample, "--help-man", NULL), OPTIONS_HELP_MAN);
    assert_int_equal(sample_args(&sample, "--", "--help", NULL), 0);
    assert_int_equal(sample_args(&sample, "--name", "--help", NULL), 0);
    sample_finish(&sample);
}

static int read_all_once(struct sample_options *sample) {
    int rc = options_defaults(&sample->options);
    return rc ? rc
              : sample_args(sample, "--name=x", "--cors-origin=a,b,c", "--header=A: b", "one",
                            "two", NULL);
}

static void every_allocation_may_fail(void **state) {
    int rc = ERR_NOMEM;
    for (long fail_at = 1; rc; fail_at++) {
        struct sample_options sample;
        memset(&sample, 0, sizeof(sample));
        test_mem_init(&sample.mem);
        sample.mem.fail_at = fail_at;
        options_init(&sample.options, &sample.mem.mem, sample_table, &sample.settings, "freshet x");
        rc = read_all_once(&sample);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        if (rc) {
            assert_non_null(strstr(sample.options.error, "not enough memory"));
        }
        assert_true(fail_at < 100);
        sample_finish(&sample);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_read_from_text),
        cmocka_unit_test(flags_take_every_spelling),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(numbers_are_refused_whole),
        cmocka_unit_test(choices_and_flags_say_what_they_accept),
        cmocka_unit_test(addresses_have_a_host_and_a_port),
        cmocka_unit_test(lists_gather_and_split),
        cmocka_unit_test(the_last_of_one_source_wins),
        cmocka_unit_test(unknown_names_get_the_nearest),
        cmocka_unit_test(a_value_that_is_missing_is_explained),
        cmocka_unit_test(long_and_odd_values_are_shown_safely),
        cmocka_unit_test(positional_arguments_mix_with_options),
        cmocka_unit_test(letters_bundle),
        cmocka_unit_test(help_is_a_request_unless_it_is_an_argument),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
