// Settings that were read again, beside those in force.
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/options_merge.h"

static char path[] = "/tmp/freshet-merge-XXXXXX";

static int setup(void **state) {
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state) {
    return unlink(path);
}

// What was told: "name: from > to; " and "name waits; ".
struct heard {
    char text[2048];
    size_t len;
};

static int changed(void *ctx, const char *name, const char *from, const char *to) {
    struct heard *heard = ctx;
    heard->len += (size_t)snprintf(heard->text + heard->len, sizeof(heard->text) - heard->len,
                                   "%s: %s > %s; ", name, from ? from : "-", to ? to : "-");
    return 0;
}

static int needs_restart(void *ctx, const char *name) {
    struct heard *heard = ctx;
    heard->len += (size_t)snprintf(heard->text + heard->len, sizeof(heard->text) - heard->len,
                                   "%s waits; ", name);
    return 0;
}

static void load(struct sample_options *sample, const char *text) {
    static const char *const environment[] = {NULL};
    const char *argv[] = {"--config", path, "--once=o"};
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    sample_init(sample);
    assert_int_equal(options_load(&sample->options, 3, argv, environment), 0);
}

// What is told when the file changes from one text to another.
static void assert_told(const char *before, const char *after, const char *told) {
    struct sample_options running, fresh;
    struct heard heard = {.len = 0};
    const struct options_differences differences = {
        .changed = changed, .needs_restart = needs_restart, .ctx = &heard};
    load(&running, before);
    load(&fresh, after);
    assert_int_equal(options_merge(&fresh.options, &running.settings, &differences), 0);
    assert_string_equal(heard.text, told);
    // What waits is as it was, so that it is told again the next time, and no more.
    heard = (struct heard){.len = 0};
    assert_int_equal(options_merge(&running.options, &fresh.settings, &differences), 0);
    assert_null(strstr(heard.text, "waits"));
    sample_finish(&running);
    sample_finish(&fresh);
}

static void nothing_is_nothing(void **state) {
    assert_told("", "", "");
    assert_told("wait = 1m\n[room \"a\"]\nloud\n", "wait = 60s\n[room \"a\"]\nloud = yes\n", "");
    assert_told("", "wait = 15s\n", ""); // its default
}

static void values_are_told(void **state) {
    assert_told("", "wait = 1m\nmax-connections = 7\nmax-body = 64k\nloud\n",
                "loud: false > true; max-connections: 100 > 7; max-body: 2m > 64k; "
                "wait: 15s > 1m; ");
    assert_told("cors-origin = a\n", "cors-origin = a, c\n", "cors-origin: a > a, c; ");
    assert_told("cors-origin = a, b\n", "cors-origin = b, a\n", "cors-origin: a, b > b, a; ");
}

static void a_secret_is_not_told(void **state) {
    assert_told("name = one\n", "name = two\n", "name: - > -; ");
}

static void what_cannot_change_stays(void **state) {
    struct sample_options running, fresh;
    struct heard heard = {.len = 0};
    const struct options_differences differences = {
        .changed = changed, .needs_restart = needs_restart, .ctx = &heard};
    load(&running, "listen-on = a:1\nheader = X\n");
    load(&fresh, "listen-on = b:2\nformat = json\nreconnect = no\nwait = 1s\nheader = Y\n");
    assert_int_equal(options_merge(&fresh.options, &running.settings, &differences), 0);
    assert_string_equal(heard.text, "reconnect waits; listen-on waits; header waits; "
                                    "wait: 15s > 1s; format waits; ");
    assert_string_equal(fresh.settings.listen, "a:1");
    assert_string_equal(fresh.settings.headers.items[0], "X");
    assert_true(fresh.settings.reconnect);
    assert_int_equal(fresh.settings.format, 0);
    assert_int_equal(fresh.settings.wait, 1000);
    sample_finish(&running);
    sample_finish(&fresh);
}

static void sections_are_told(void **state) {
    assert_told("[room \"a\"]\nwait = 1s\n", "[room \"a\"]\nwait = 2s\nloud\n",
                "[room \"a\"] wait: 1s > 2s; [room \"a\"] loud: false > true; ");
    assert_told("[room \"a\"]\n", "[room \"b\"]\n",
                "[room \"a\"]: there > gone; [room \"b\"]: not there > there; ");
    assert_told("[room \"a\"]\n[room \"b\"]\n", "[room \"b\"]\n[room \"a\"]\n",
                "[room]: in order > in another order; ");
    // What a section does not say it has from the rest of the file.
    assert_told("[room \"a\"]\n", "wait = 1s\n[room \"a\"]\n",
                "wait: 15s > 1s; [room \"a\"] wait: 15s > 1s; ");
}

static void sections_that_cannot_change_stay(void **state) {
    assert_told("[door \"a\"]\nwait = 1s\n", "[door \"b\"]\nwait = 2s\n", "[door] waits; ");
    assert_told("", "[door \"b\"]\nwait = 2s\n", "[door] waits; ");
    assert_told("[door \"a\"]\n", "", "[door] waits; ");
}

static void any_allocation_may_fail(void **state) {
    struct sample_options running, fresh;
    int rc = ERR_NOMEM;
    for (long fail = 1; rc == ERR_NOMEM; fail++) {
        struct heard heard = {.len = 0};
        const struct options_differences differences = {
            .changed = changed, .needs_restart = needs_restart, .ctx = &heard};
        load(&running, "listen-on = a:1\nheader = X, Y\n[door \"a\"]\nwait = 1s\n");
        load(&fresh, "listen-on = b:1\n[door \"b\"]\nwait = 1s\n");
        fresh.mem.fail_at = fresh.mem.calls + fail;
        rc = options_merge(&fresh.options, &running.settings, &differences);
        sample_finish(&running);
        sample_finish(&fresh);
    }
    assert_int_equal(rc, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_nothing),
        cmocka_unit_test(values_are_told),
        cmocka_unit_test(a_secret_is_not_told),
        cmocka_unit_test(what_cannot_change_stays),
        cmocka_unit_test(sections_are_told),
        cmocka_unit_test(sections_that_cannot_change_stay),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
