// The two forms of the header, and what is neither.
#include "support.h"

#include "base/error.h"
#include "http/idempotency_key.h"

static void assert_key(const char *value, const char *want) {
    char key[HTTP_KEY_MAX];
    int len = http_idempotency_key(bytes_of(value), key);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(key, want, strlen(want));
}

static void assert_refused(const char *value, size_t len) {
    char key[HTTP_KEY_MAX];
    assert_int_equal(http_idempotency_key(bytes_make(value, len), key), ERR_INVALID);
}

static void test_quoted(void **state) {
    assert_key("\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", "8e03978e-40d5-43e8-bc93-6894a57f9324");
    assert_key("\" a, b; c \"", " a, b; c ");
    assert_key("\"say \\\"hi\\\" \\\\\"", "say \"hi\" \\");
    assert_key("\"\\\"\"", "\"");
}

static void test_bare(void **state) {
    assert_key("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324");
    assert_key("order:17/b+c=@~!", "order:17/b+c=@~!");
    assert_key("x", "x");
}

static void test_refused(void **state) {
    static const char *const bad[] = {
        "",     "\"\"",   "\"",       "\"a",       "a\"",     "a b",          "a,b",
        "a;b",  "a\\",    "\"a\"b\"", "\"a\";p=1", "\"a\\\"", "\"a\\b\"",     "\"caf\xc3\xa9\"",
        "\xff", "\"\\\"", "\"a\tb\"", "\"a\x7f\"", "a\x7f",   "\"a\", \"b\"", "a, b",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(bad[i], strlen(bad[i]));
    }
    assert_refused("a\0b", 3);
    assert_refused("\"a\0b\"", 5);
    assert_refused("\"a\\\0\"", 5);
}

static void test_length(void **state) {
    char value[2 * HTTP_KEY_MAX + 4], key[HTTP_KEY_MAX];
    memset(value, 'k', sizeof(value));
    assert_int_equal(http_idempotency_key(bytes_make(value, HTTP_KEY_MAX), key), HTTP_KEY_MAX);
    assert_int_equal(http_idempotency_key(bytes_make(value, HTTP_KEY_MAX + 1), key), ERR_TOO_LARGE);
    value[0] = value[HTTP_KEY_MAX + 1] = '"';
    assert_int_equal(http_idempotency_key(bytes_make(value, HTTP_KEY_MAX + 2), key), HTTP_KEY_MAX);
    value[HTTP_KEY_MAX + 1] = 'k';
    value[HTTP_KEY_MAX + 2] = '"';
    assert_int_equal(http_idempotency_key(bytes_make(value, HTTP_KEY_MAX + 3), key), ERR_TOO_LARGE);
    // What counts is the key, not what quotes it.
    memset(value, '\\', sizeof(value));
    value[0] = value[2 * HTTP_KEY_MAX + 1] = '"';
    assert_int_equal(http_idempotency_key(bytes_make(value, 2 * HTTP_KEY_MAX + 2), key),
                     HTTP_KEY_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoted),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
