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
    return http_origin_match(bytes_of(origin), list, 2) != HTTP_ORIGIN_UNKNOWN;
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
    assert_int_equal(http_origin_match(bytes_of("https://a"), NULL, 0), HTTP_ORIGIN_UNKNOWN);
    assert_false(allowed("https://a.example:", "https://a.example"));
}

static void knows_patterns(void **state) {
    static const char label[] = "https://*.example.com", port[] = "http://localhost:*";
    assert_true(allowed("https://a.example.com", label));
    assert_true(allowed("HTTPS://A-b.Example.com", label));
    assert_true(allowed("https://xn--a-1ga.example.com", label));
    static const char *const others[] = {
        "https://example.com",
        "https://.example.com",
        "https://a.b.example.com",
        "http://a.example.com",
        "https://a.example.com:444",
        "https://a.example.com.evil",
        "https://a.example.com@evil",
        "https://evil/.example.com",
        "https://evil:80.example.com",
        "https://aexample.com",
        "https://a.example.com/",
        "https://a.example.com.",
        "https://[::1].example.com",
        "https://evil?.example.com",
        "https://evil#.example.com",
        "https://a\xc3\xa9.example.com",
        "a.example.com",
        "https:/a.example.com",
        "https://evil\\.example.com",
        "https://user@.example.com",
        "https://%2e.example.com",
        "//a.example.com",
        "https://a.example.com:",
        "https://*.example.comx",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (allowed(others[i], label)) {
            fail_msg("%s", others[i]);
        }
    }
    assert_true(allowed("http://localhost", port));
    assert_true(allowed("http://localhost:3000", port));
    assert_true(allowed("http://[::1]:3000", "http://[::1]:*"));
    assert_true(allowed("https://a.example.com:3000", "https://*.example.com:*"));
    assert_true(allowed("https://a.example.com:444", "https://*.example.com:444"));
    assert_false(allowed("https://localhost", port));
    assert_false(allowed("http://localhost:", port));
    assert_false(allowed("http://localhost:65536", port));
    assert_false(allowed("http://localhost:x", port));
    assert_false(allowed("http://localhost:80:80", port));
    assert_false(allowed("http://localhost.evil:80", port));
    assert_false(allowed("http://127.0.0.1:3000", port));
    assert_false(allowed("http://a.localhost:3000", port));
    assert_false(allowed("null", port));
}

static void tells_who_is_named(void **state) {
    struct bytes list[] = {bytes_of("*"), bytes_of("https://*.example.com"), bytes_of("null")};
    assert_int_equal(http_origin_match(bytes_of("https://evil"), list, 3), HTTP_ORIGIN_ANY);
    assert_int_equal(http_origin_match(bytes_of("https://a.example.com"), list, 3),
                     HTTP_ORIGIN_NAMED);
    assert_int_equal(http_origin_match(bytes_of("null"), list, 2), HTTP_ORIGIN_ANY);
    assert_int_equal(http_origin_match(bytes_of("null"), list, 3), HTTP_ORIGIN_NAMED);
    assert_true(http_origin_has_owner("https://a.example.com"));
    assert_false(http_origin_has_owner("*"));
    assert_false(http_origin_has_owner("null"));
}

static bool matches(const char *host, const char *entry) {
    return http_host_matches(http_host_name(bytes_of(host)), bytes_of(entry));
}

static void knows_names(void **state) {
    assert_true(matches("A.example:8042", "a.Example"));
    assert_true(matches("a.example.", "a.example"));
    assert_true(matches("[::1]:80", "[::1]"));
    assert_true(matches("x.a.example", "*.a.example"));
    assert_false(matches("a.example", "*.a.example"));
    assert_false(matches("y.x.a.example", "*.a.example"));
    assert_false(matches("a.example.evil", "a.example"));
    assert_false(matches("evil-a.example", "a.example"));
    assert_true(http_host_is_address(bytes_of("127.0.0.1")));
    assert_true(http_host_is_address(bytes_of("[::1]")));
    assert_false(http_host_is_address(bytes_of("127.0.0.1.evil")));
    assert_false(http_host_is_address(bytes_of("127.1")));
    assert_false(http_host_is_address(bytes_of("[::1]x")));
    assert_false(http_host_is_address(bytes_of("1")));
    assert_true(http_host_is_localhost(bytes_of("LocalHost")));
    assert_true(http_host_is_localhost(bytes_of("a.localhost")));
    assert_false(http_host_is_localhost(bytes_of("alocalhost")));
    assert_false(http_host_is_localhost(bytes_of("localhost.evil")));
    assert_false(http_host_is_localhost(bytes_of(".localhost")));
    assert_false(http_host_is_localhost((struct bytes){0}));
}

static void checks_names(void **state) {
    static const char *const good[] = {"a", "a.example", "*.a.example", "[::1]", "*.localhost"};
    static const char *const bad[] = {"",       "*",         "*.",      "*.com",     "a:80",
                                      "a*.b.c", "a.*.b",     "*.*.a.b", "*.1.2.3.4", "*..a",
                                      "**.a.b", "https://a", "a b",     "*.[::1]",   "*.a."};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!http_host_entry_valid(bytes_of(good[i]))) {
            fail_msg("%s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (http_host_entry_valid(bytes_of(bad[i]))) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void checks_entries(void **state) {
    static const char *const good[] = {"*",
                                       "null",
                                       "https://a.example",
                                       "http://[::1]:80",
                                       "app+x.y-z://a",
                                       "https://*.a.example",
                                       "http://localhost:*",
                                       "http://*.localhost:*",
                                       "https://*.a.example:8443"};
    static const char *const bad[] = {"",
                                      "a.example",
                                      "://a",
                                      "https://",
                                      "https:/a",
                                      "https://a/",
                                      "https://*.a",
                                      "https://a b",
                                      "https//a",
                                      "**",
                                      "*://a",
                                      "https://*",
                                      "https://*.com",
                                      "https://a.*",
                                      "https://*a.example.com",
                                      "https://*.*.example.com",
                                      "http*://a.example",
                                      "https://a:8*",
                                      "https://a:**",
                                      "https://*.1.2.3",
                                      "https://**.a.example",
                                      "https://a:"};
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
        cmocka_unit_test(knows_hosts),    cmocka_unit_test(compares_origins_as_wholes),
        cmocka_unit_test(knows_patterns), cmocka_unit_test(tells_who_is_named),
        cmocka_unit_test(knows_names),    cmocka_unit_test(checks_names),
        cmocka_unit_test(checks_entries), cmocka_unit_test(knows_its_own_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
