// URLs built, taken apart and compared.
#include "client/url.h"

#include "base/error.h"
#include "support.h"

static void assert_is(struct buf *out, const char *wanted) {
    assert_string_equal(out->at, wanted);
    assert_int_equal(out->len, strlen(wanted));
    buf_clear(out);
}

static void a_base_and_a_path_are_joined(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(url_join(&out, "http://127.0.0.1:8042", "/events"), 0);
    assert_is(&out, "http://127.0.0.1:8042/events");
    assert_int_equal(url_join(&out, "https://h/hub//", "/events"), 0);
    assert_is(&out, "https://h/hub/events");
    static const char *const bad[] = {"",           "127.0.0.1:8042", "ftp://h",    "file:///etc/x",
                                      "http://",    "http://h?a=b",   "http://h#a", "h",
                                      "http://a b", "javascript:x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(url_join(&out, bad[i], "/events"), ERR_INVALID);
        assert_int_equal(out.len, 0);
    }
    buf_finish(&out);
}

static void parameters_are_encoded(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    buf_append_text(&out, "http://h/events");
    assert_int_equal(url_add_parameter(&out, "topic", bytes_of("a/b c&d=e#f?%+")), 0);
    assert_int_equal(url_add_parameter(&out, "topic", bytes_of("prices/*")), 0);
    assert_int_equal(url_add_parameter(&out, "x", bytes_of("\xc3\xa9\x01")), 0);
    assert_int_equal(url_add_parameter(&out, "y", bytes_of("")), 0);
    assert_is(&out, "http://h/events?topic=a/b%20c%26d%3De%23f%3F%25%2B&topic=prices/*"
                    "&x=%C3%A9%01&y=");
    assert_int_equal(url_encode(&out, bytes_of("a/b?*"), "/"), 0);
    assert_is(&out, "a/b%3F%2A");
    buf_finish(&out);
}

static void credentials_are_taken_out(void **state) {
    struct buf url, user, password;
    buf_init(&url, &mem_libc, 0);
    buf_init(&user, &mem_libc, 0);
    buf_init(&password, &mem_libc, 0);
    assert_int_equal(
        url_take_credentials("http://anna:p%40ss@h:1/a/../b?c#d", &url, &user, &password), 0);
    assert_is(&url, "http://h:1/a/../b?c");
    assert_is(&user, "anna");
    assert_is(&password, "p@ss");
    assert_int_equal(url_take_credentials("https://h/", &url, &user, &password), 0);
    assert_is(&url, "https://h/");
    assert_is(&user, "");
    assert_is(&password, "");
    assert_int_equal(url_take_credentials("http://", &url, &user, &password), ERR_INVALID);
    buf_finish(&url);
    buf_finish(&user);
    buf_finish(&password);
}

static void origins_compare(void **state) {
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"http://h/a", "http://h/b?c", true},        {"http://h", "http://H:80/", true},
        {"https://h", "https://h:443", true},        {"http://h", "https://h", false},
        {"http://h", "http://h:8080", false},        {"http://h", "http://h.example", false},
        {"http://h@evil", "http://h", false},        {"http://a:b@h", "http://h", true},
        {"http://[::1]:80/", "http://[::1]/", true}, {"nonsense::", "nonsense::", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(url_same_origin(cases[i].a, cases[i].b), cases[i].same);
        assert_int_equal(url_same_origin(cases[i].b, cases[i].a), cases[i].same);
    }
}

static void every_allocation_may_fail(void **state) {
    int rc = ERR_NOMEM;
    for (long fail_at = 1; rc; fail_at++) {
        struct test_mem mem;
        struct buf out;
        test_mem_init(&mem);
        mem.fail_at = fail_at;
        buf_init(&out, &mem.mem, 0);
        rc = url_join(&out, "http://h", "/events");
        rc = rc ? rc : url_add_parameter(&out, "topic", bytes_make("\1\2\3\4\5", 5));
        assert_true(rc == 0 || rc == ERR_NOMEM);
        buf_finish(&out);
        test_mem_finish(&mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_and_a_path_are_joined), cmocka_unit_test(parameters_are_encoded),
        cmocka_unit_test(credentials_are_taken_out),    cmocka_unit_test(origins_compare),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
