// Paths and queries, decoded and encoded; bad escapes; memory that runs out.
#include "support.h"

#include "base/error.h"
#include "http/url.h"

struct decode_case {
    const char *raw, *want; // want NULL: refused
};

static const struct decode_case paths[] = {
    {"", ""},         {"/a/b", "/a/b"}, {"a%20b", "a b"},
    {"a+b", "a+b"},   {"%2F%2f", "//"}, {"%C3%a9", "\xc3\xa9"},
    {"%25", "%"},     {"%ff", "\xff"},  {"%0a", "\n"},
    {"%", NULL},      {"%2", NULL},     {"a%", NULL},
    {"%zz", NULL},    {"%2g", NULL},    {"%g2", NULL},
    {"% 20", NULL},   {"%00", NULL},    {"a%00b", NULL},
    {"%u0041", NULL}, {"%+1", NULL},    {"%-1", NULL},
    {"%%20", NULL},   {"%2%30", NULL},
};

static void decodes_paths(void **state) {
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct test_mem test;
        struct buf out;
        test_mem_init(&test);
        buf_init(&out, &test.mem, 0);
        assert_int_equal(buf_append_text(&out, "x"), 0);
        int rc = http_path_decode(bytes_of(paths[i].raw), &out);
        assert_int_equal(rc, paths[i].want ? 0 : ERR_INVALID);
        assert_true(bytes_starts_with(buf_bytes(&out), "x"));
        struct bytes got = bytes_make(out.at + 1, out.len - 1);
        assert_true(bytes_is(got, paths[i].want ? paths[i].want : ""));
        buf_finish(&out);
        test_mem_finish(&test);
    }
}

struct parameter {
    const char *name, *value;
};

static void assert_query(const char *query, const struct parameter *want, size_t count, int end) {
    struct test_mem test;
    struct buf buf;
    struct http_query_iter iter;
    struct bytes names[8], values[8];
    size_t seen = 0;
    int rc;
    test_mem_init(&test);
    buf_init(&buf, &test.mem, 0);
    assert_int_equal(http_query_init(&iter, bytes_of(query), &buf), 0);
    while ((rc = http_query_next(&iter, &names[seen], &values[seen])) == 1) {
        seen++;
    }
    assert_int_equal(rc, end);
    assert_int_equal(seen, count);
    // Compared only now: what came first must still be valid.
    for (size_t i = 0; i < seen; i++) {
        assert_true(bytes_is(names[i], want[i].name));
        assert_true(bytes_is(values[i], want[i].value));
    }
    assert_in_range(test.calls, 0, 1);
    buf_finish(&buf);
    test_mem_finish(&test);
}

static void walks_queries(void **state) {
    static const struct parameter plain[] = {{"topic", "a b"}, {"topic", "c"}, {"last", "3"}};
    static const struct parameter odd[] = {{"a", ""}, {"b", ""}, {"", "c"}, {"d", "e=f"}, {"", ""}};
    static const struct parameter coded[] = {{"a&b", "c=d+ "}, {"\xc3\xa9", "\xff"}};
    assert_query("", NULL, 0, 0);
    assert_query("&&&", NULL, 0, 0);
    assert_query("topic=a+b&topic=c&last=3", plain, 3, 0);
    assert_query("&a&b=&&=c&d=e=f&=&", odd, 5, 0);
    assert_query("a%26b=c%3Dd%2B+&%c3%a9=%fF", coded, 2, 0);
    assert_query("a=%zz", NULL, 0, ERR_INVALID);
    assert_query("topic=a+b&%=c", plain, 1, ERR_INVALID);
    assert_query("topic=a+b&b=%00", plain, 1, ERR_INVALID);
    assert_query("a=1%2&b", NULL, 0, ERR_INVALID);
}

static void encodes(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(http_url_encode(bytes_of("/a b/\xc3\xa9?-._~+%"), "/", &out), 0);
    assert_true(bytes_is(buf_bytes(&out), "/a%20b/%C3%A9%3F-._~%2B%25"));
    buf_clear(&out);
    assert_int_equal(http_url_encode(bytes_make("/\0z", 3), "", &out), 0);
    assert_true(bytes_is(buf_bytes(&out), "%2F%00z"));
    buf_finish(&out);
}

static void encoding_comes_back(void **state) {
    struct buf out, back;
    char all[255];
    for (int i = 0; i < 255; i++) {
        all[i] = (char)(i + 1);
    }
    buf_init(&out, &mem_libc, 0);
    buf_init(&back, &mem_libc, 0);
    assert_int_equal(http_url_encode(bytes_make(all, 255), "", &out), 0);
    assert_int_equal(http_path_decode(buf_bytes(&out), &back), 0);
    assert_true(bytes_equal(buf_bytes(&back), bytes_make(all, 255)));
    buf_finish(&out);
    buf_finish(&back);
}

static void fails_without_a_trace(void **state) {
    struct test_mem test;
    struct buf out;
    struct http_query_iter iter;
    test_mem_init(&test);
    buf_init(&out, &test.mem, 4);
    assert_int_equal(http_url_encode(bytes_of("ab c"), "", &out), ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    assert_int_equal(http_path_decode(bytes_of("12345"), &out), ERR_TOO_LARGE);
    assert_int_equal(http_query_init(&iter, bytes_of("a=123"), &out), ERR_TOO_LARGE);
    buf_finish(&out);
    test.fail_at = test.calls + 1;
    assert_int_equal(http_path_decode(bytes_of("1"), &out), ERR_NOMEM);
    test.fail_at = test.calls + 1;
    assert_int_equal(http_query_init(&iter, bytes_of("a"), &out), ERR_NOMEM);
    test.fail_at = test.calls + 1;
    assert_int_equal(http_url_encode(bytes_of("a"), "", &out), ERR_NOMEM);
    assert_int_equal(out.len, 0);
    buf_finish(&out);
    test_mem_finish(&test);
}

static void knows_addresses(void **state) {
    static const char *const good[] = {"http://a", "https://a.example:8042/x?y", "http://[::1]/"};
    static const char *const bad[] = {"",           "a",          "http://",    "https://",
                                      "http:///x",  "ftp://a/b",  "//a",        "http:/a",
                                      "http://a b", "http://a\n", "http://a\r/"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(http_url_is_address(bytes_of(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(http_url_is_address(bytes_of(bad[i])));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_paths),       cmocka_unit_test(knows_addresses),
        cmocka_unit_test(walks_queries),       cmocka_unit_test(encodes),
        cmocka_unit_test(encoding_comes_back), cmocka_unit_test(fails_without_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
