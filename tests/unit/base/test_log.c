// The log's lines: one each, with nothing in them that a peer could forge another with.
#include "support.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"

static char line[8192];

// What one call writes to standard error.
static const char *written(enum log_level level, const char *text) {
    int ends[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_write(level, "%s", text);
    dup2(saved, STDERR_FILENO); // closes the last end that writes
    close(saved);
    ssize_t len = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    assert_true(len >= 0);
    line[len] = '\0';
    return line;
}

static void assert_shape(const char *text, const char *shape) {
    regex_t regex;
    assert_int_equal(regcomp(&regex, shape, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&regex, text, 0, NULL, 0)) {
        fail_msg("%s", text);
    }
    regfree(&regex);
}

#define WHEN "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"

static void test_text(void **state) {
    log_setup(LOG_INFO, LOG_TEXT);
    assert_shape(written(LOG_INFO, "hello"), "^" WHEN " info  hello\n$");
    assert_shape(written(LOG_WARN, "a\nb\r\x7f"),
                 "^" WHEN " warn  a\\\\u000ab\\\\u000d\\\\u007f\n$");
    assert_string_equal(written(LOG_DEBUG, "unwanted"), "");
    assert_false(log_wants(LOG_DEBUG));
}

static void assert_json(const char *text) {
    struct bytes value, got = bytes_of(text);
    assert_true(got.len > 1 && got.at[got.len - 1] == '\n');
    assert_null(memchr(got.at, '\n', got.len - 1));
    assert_int_equal(json_validate(got, 4, &value), 0);
}

static void test_json(void **state) {
    log_setup(LOG_DEBUG, LOG_JSON);
    assert_json(written(LOG_DEBUG, "plain"));
    assert_json(written(LOG_ERROR, "\"quoted\" \\ and\n\tcontrols \x01\x1f"));
    assert_json(written(LOG_ERROR, "\xc3\xa9"));
    assert_json(written(LOG_ERROR, "\"},{\"level\":\"error\""));
}

static void test_json_of_bytes_that_are_no_text(void **state) {
    log_setup(LOG_DEBUG, LOG_JSON);
    assert_json(written(LOG_ERROR, "\xff\xc3"));
    assert_json(written(LOG_ERROR, "\xed\xa0\x80"));
    assert_json(written(LOG_ERROR, "\xf9\x90\x80\x80 \xf4\x90\x80\x80 \xf0\x9f\x98\x80 \xc0\x80"));
}

// Whatever the length, and wherever that cuts.
static void test_very_long(void **state) {
    char text[5000];
    for (size_t len = 1900; len < 2200; len++) {
        for (size_t i = 0; i + 1 < len; i += 2) {
            memcpy(text + i, len % 3 ? "\xc3\xa9" : "\n\"", 2);
        }
        text[len / 2 * 2] = '\0';
        memcpy(text, "xx", len % 2); // odd and even places
        log_setup(LOG_DEBUG, LOG_JSON);
        if (len % 2 == 0) {
            assert_json(written(LOG_ERROR, text));
        }
        assert_json(written(LOG_ERROR, text + 2));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_of_bytes_that_are_no_text),
        cmocka_unit_test(test_very_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
