// The file of the administrators' token, and what is it and what is not.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/admin_token.h"
#include "base/error.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

static char path[] = "/tmp/freshet-admin-XXXXXX";

static int setup(void **state) {
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state) {
    (void)state;
    return unlink(path);
}

static int read_text(struct admin_token *token, const char *text, const char **why) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return admin_token_read(token, path, why);
}

static void test_what_it_is(void **state) {
    (void)state;
    struct admin_token token;
    const char *why;
    assert_int_equal(read_text(&token, TOKEN "\r\n", &why), 0);
    assert_true(admin_token_is(&token, bytes_of(TOKEN)));
    static const char *const others[] = {
        "",
        "0",
        TOKEN "\n",
        TOKEN "0",
        "0123456789abcdef0123456789abcdeF",
        "1123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcde",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(admin_token_is(&token, bytes_of(others[i])));
    }
    static char huge[2 * ADMIN_TOKEN_MAX];
    assert_false(admin_token_is(&token, bytes_make(huge, sizeof(huge))));
    // What is kept is not the token.
    assert_null(memmem(&token, sizeof(token), TOKEN, 8));
}

static void test_none(void **state) {
    (void)state;
    struct admin_token none = {.on = false};
    assert_false(admin_token_is(&none, bytes_of("")));
    assert_false(admin_token_is(&none, bytes_of(TOKEN)));
}

static void test_what_cannot_be_one(void **state) {
    (void)state;
    struct admin_token token;
    const char *why;
    char huge[2 * ADMIN_TOKEN_MAX];
    memset(huge, 'a', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    static const char *const bad[] = {"",
                                      "short",
                                      "0123456789abcdef0123456789abcde\n",
                                      TOKEN " " TOKEN,
                                      TOKEN "\n" TOKEN,
                                      TOKEN "\xc3\xa9"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_text(&token, bad[i], &why), ERR_INVALID);
        assert_non_null(why);
    }
    assert_int_equal(read_text(&token, huge, &why), ERR_INVALID);
    assert_int_equal(admin_token_read(&token, "/nonexistent/token", &why), ERR_INVALID);
    assert_string_equal(why, "No such file or directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_is),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_what_cannot_be_one),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
