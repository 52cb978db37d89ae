// Hosts and origins: their form, and the list.
#include "support.h"

#include "http/host.h"
#include "http/origin.h"

static void knows_hosts(void **state) {
    static const char *const good[] = {"a",     "A-b_c.d~",   "127.0.0.1:8042", "a:0",
                                       "a.:80", "a:65535",    "[::1]",          "[2001:db8::1]:443",
                                       "a:080", "[::1.2.3.4]"};
    static const char *const bad[] = {
        "",       ":80",   "a:",       "a:65536",   "a:-1", "a:+1", "a:x", "a b",   "a,b",
        "a/b",    "a@b",   "a%20b",    "[::1",      "::1",  "[]",   "[:]", "[::g]", "[::1]a",
        "[::1]:", "a:1:2", "a:000080", "a\xc3\xa9", "a?",   "a#",   "a\\b"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!http_host_valid(bytes_of(good[i]))) {
            fail_msg("%s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (http_host_valid(bytes_of(bad[i]))) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_false(http_host_valid((struct bytes){0}));
}

static bool allowed(const char *origin, const char *entry) {
    struct bytes list[2] = {bytes_of("https://first.example"), bytes_of(entry)};
    return http_origin_allowed(bytes_of(origin), list, 2);
}

static void compares_origins_as_wholes(void **state) {
    assert_true(allowed("https://a.example", "https://a.example"));
    assert_true(allowed("https://first.example", "https://a.example"));
    assert_true(allowed("https://A.example", "HTTPS://a.Example"));
    assert_true(allowed("http://localhost:3000", "http://localhost:3000"));
    assert_true(allowed("https://anything", "*"));
    assert_true(allowed("null", "*"));
    assert_true(allowed("null", "null"));
    assert_false(allowed("null", "https://a.example"));
    assert_false(allowed("https://a.example.evil", "https://a.example"));
    assert_false(allowed("https://evil-a.example", "https://a.example"));
    assert_false(allowed("https://a.example:444", "https://a.example"));
    assert_false(allowed("http://a.example", "https://a.example"));
    assert_false(allowed("https://a.exampl", "https://a.example"));
    assert_false(allowed("", "*"));
    assert_false(http_origin_allowed(bytes_of("https://a"), NULL, 0));
}

static void checks_entries(void **state) {
    static const char *const good[] = {"*", "null", "https://a.example", "http://[::1]:80",
                                       "app+x.y-z://a"};
    static const char *const bad[] = {"",         "a.example",  "://a",        "https://",
                                      "https:/a", "https://a/", "https://*.a", "https://a b",
                                      "https//a", "**"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(http_origin_valid(bytes_of(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(http_origin_valid(bytes_of(bad[i])));
    }
    assert_false(http_origin_valid((struct bytes){0}));
}

static bool own(const char *origin, const char *site, const char *authority) {
    static struct http_request req;
    req.header_count = 0;
    req.authority = bytes_of(authority);
    if (origin) {
        req.headers[req.header_count++] =
            (struct http_header){bytes_of("Origin"), bytes_of(origin)};
    }
    if (site) {
        req.headers[req.header_count++] =
            (struct http_header){bytes_of("Sec-Fetch-Site"), bytes_of(site)};
    }
    return http_origin_is_own(&req);
}

static void knows_its_own_pages(void **state) {
    assert_true(own(NULL, NULL, "a.example"));
    assert_true(own("http://a.example:8042", NULL, "A.example:8042"));
    assert_true(own("https://a.example", NULL, "a.example"));
    assert_false(own("https://a.example", NULL, "a.example:8042"));
    assert_false(own("https://a.example.evil", NULL, "a.example"));
    assert_false(own("https://evil-a.example", NULL, "a.example"));
    assert_false(own("null", NULL, "null"));
    assert_false(own("", NULL, ""));
    assert_false(own("http://", NULL, ""));
    // What the browser knows counts, not what a proxy made of the host.
    assert_true(own("https://a.example", "same-origin", "127.0.0.1:8042"));
    assert_true(own(NULL, "none", "a.example"));
    assert_false(own("https://a.example", "cross-site", "a.example"));
    assert_false(own(NULL, "same-site", "a.example"));
    assert_false(own(NULL, "", "a.example"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_hosts),
        cmocka_unit_test(compares_origins_as_wholes),
        cmocka_unit_test(checks_entries),
        cmocka_unit_test(knows_its_own_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
