// One cookie among many, in one header or in several.
#include "support.h"

#include "http/cookie.h"

static struct http_request req;

static struct bytes find(const char *first, const char *second, const char *name) {
    req.header_count = 0;
    req.headers[req.header_count++] = (struct http_header){bytes_of("Host"), bytes_of("token=no")};
    req.headers[req.header_count++] = (struct http_header){bytes_of("Cookie"), bytes_of(first)};
    req.headers[req.header_count++] = (struct http_header){bytes_of("cookie"), bytes_of(second)};
    return http_cookie(&req, bytes_of(name));
}

static void finds(const char *first, const char *second, const char *expected) {
    struct bytes value = find(first, second, "token");
    assert_non_null(value.at);
    assert_true(bytes_is(value, expected));
}

static void test_finds(void **state) {
    (void)state;
    finds("token=a", "", "a");
    finds("x=1; token=a; y=2", "", "a");
    finds("x=1;token=a;y=2", "", "a");
    finds("  token=a  ", "", "a");
    finds("token=\"a\"", "", "a");
    finds("token=\"", "", "\"");
    finds("token=a=b==", "", "a=b==");
    finds("token=", "", "");
    finds("x=1", "token=b", "b");
    finds("token=a; token=b", "token=c", "a");
    finds(";;; ;token=a", "", "a");
}

static void test_finds_nothing(void **state) {
    (void)state;
    static const char *const headers[] = {"",          "token",     "Token=a",        "xtoken=a",
                                          "token =a",  "x=token=a", "x=\"; y=a\"; z", "tokens=a",
                                          "toke=n=a;", ";"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (find(headers[i], "", "token").at) {
            fail_msg("%s", headers[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
