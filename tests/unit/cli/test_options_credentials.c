// Credentials of the service manager in the place of names of files.
#include "sample.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static int load(struct sample_options *sample, const char *directory, const char *first,
                const char *second) {
    const char *argv[] = {first, second};
    char variable[64];
    const char *environment[] = {variable, NULL};
    snprintf(variable, sizeof(variable), "%s", directory);
    return options_load(&sample->options, second ? 2 : 1, argv, environment);
}

static void a_name_becomes_a_file(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(load(&sample, "CREDENTIALS_DIRECTORY=/run/credentials/f.service",
                          "--name=credential:secret", "--cors-origin=/a,credential:b,credential"),
                     0);
    assert_string_equal(sample.settings.name, "/run/credentials/f.service/secret");
    assert_string_equal(sample.settings.origins.items[0], "/a");
    assert_string_equal(sample.settings.origins.items[1], "/run/credentials/f.service/b");
    assert_string_equal(sample.settings.origins.items[2], "credential");
    sample_finish(&sample);
}

static void only_where_a_file_is_named(void **state) {
    struct sample_options sample;
    sample_init(&sample);
    assert_int_equal(load(&sample, "CREDENTIALS_DIRECTORY=/c", "--once=credential:x", NULL), 0);
    assert_string_equal(sample.settings.once, "credential:x");
    sample_finish(&sample);
}

static void what_is_refused(void **state) {
    static const char *const bad[][2] = {
        {"CREDENTIALS_DIRECTORY=/c", "--name=credential:"},
        {"CREDENTIALS_DIRECTORY=/c", "--name=credential:../x"},
        {"CREDENTIALS_DIRECTORY=/c", "--name=credential:a/b"},
        {"CREDENTIALS_DIRECTORY=/c", "--name=credential:.."},
        {"CREDENTIALS_DIRECTORY=", "--name=credential:x"},
        {"OTHER=/c", "--name=credential:x"},
        {"OTHER=/c", "--cors-origin=a,credential:x"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sample_options sample;
        sample_init(&sample);
        assert_int_equal(load(&sample, bad[i][0], bad[i][1], NULL), ERR_INVALID);
        assert_non_null(strstr(sample.options.error, "credential:"));
        sample_finish(&sample);
    }
}

static void any_allocation_may_fail(void **state) {
    struct sample_options sample;
    int rc = ERR_NOMEM;
    for (long fail = 1; rc == ERR_NOMEM; fail++) {
        sample_init(&sample);
        sample.mem.fail_at = sample.mem.calls + fail;
        rc = load(&sample, "CREDENTIALS_DIRECTORY=/c", "--name=credential:x", NULL);
        sample_finish(&sample);
    }
    assert_int_equal(rc, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_becomes_a_file),
        cmocka_unit_test(only_where_a_file_is_named),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
