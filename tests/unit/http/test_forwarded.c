// Back along the proxies: whom the headers name, who is believed, and what a liar achieves.
#include "support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "http/forwarded.h"

// The proxies of these tests are 10.0.0.0/8, fd00::/8 and whoever is on no network.
static bool is_proxy(void *ctx, const struct http_node *node) {
    static const uint8_t nothing[16];
    bool v4 = node->ip[10] == 0xff && node->ip[11] == 0xff;
    ++*(int *)ctx;
    return (v4 && node->ip[12] == 10) || node->ip[0] == 0xfd ||
           memcmp(node->ip, nothing, sizeof(nothing)) == 0;
}

static struct http_request req;
static int asked;

static void add(const char *name, const char *value) {
    req.headers[req.header_count++] = (struct http_header){bytes_of(name), bytes_of(value)};
}

static struct http_node node_at(const char *ip) {
    struct http_node node = {.port = 99};
    char mapped[INET6_ADDRSTRLEN + 8];
    snprintf(mapped, sizeof(mapped), strchr(ip, ':') ? "%s" : "::ffff:%s", ip);
    assert_int_equal(inet_pton(AF_INET6, mapped, node.ip), 1);
    return node;
}

static void assert_client(enum http_forwarded_kind kind, const char *peer, const char *ip,
                          int port) {
    struct http_node node = node_at(peer), expected = node_at(ip);
    asked = 0;
    assert_int_equal(http_forwarded_client(&req, kind, is_proxy, &asked, &node), 0);
    assert_memory_equal(node.ip, expected.ip, sizeof(node.ip));
    assert_int_equal(node.port, port);
}

static void assert_malformed(enum http_forwarded_kind kind) {
    struct http_node node = node_at("10.0.0.1"), before = node;
    assert_int_equal(http_forwarded_client(&req, kind, is_proxy, &asked, &node), ERR_INVALID);
    assert_memory_equal(&node, &before, sizeof(node));
}

static int clear(void **state) {
    req.header_count = 0;
    return 0;
}

static void only(const char *name, const char *value) {
    clear(NULL);
    add("Host", "h");
    add(name, value);
}

static void x(const char *value, const char *ip, int port) {
    only("X-Forwarded-For", value);
    assert_client(HTTP_X_FORWARDED_FOR, "10.0.0.1", ip, port);
}

static void rfc(const char *value, const char *ip, int port) {
    only("Forwarded", value);
    assert_client(HTTP_FORWARDED, "10.0.0.1", ip, port);
}

static void test_x_forms(void **state) {
    x("192.0.2.7", "192.0.2.7", 0);
    x("192.0.2.7:4711", "192.0.2.7", 4711);
    x("2001:db8::7", "2001:db8::7", 0);
    x("[2001:db8::7]", "2001:db8::7", 0);
    x("[2001:db8::7]:4711", "2001:db8::7", 4711);
    x("::ffff:192.0.2.7", "192.0.2.7", 0);
    x(" 192.0.2.7\t", "192.0.2.7", 0);
}

static void test_rfc_forms(void **state) {
    rfc("for=192.0.2.7", "192.0.2.7", 0);
    rfc("For=\"192.0.2.7\"", "192.0.2.7", 0);
    rfc("for=\"192.0.2.7:4711\"", "192.0.2.7", 4711);
    rfc("for=\"[2001:db8::7]:4711\"", "2001:db8::7", 4711);
    rfc("for=\"[2001:db8::7]\";proto=https;by=203.0.113.43", "2001:db8::7", 0);
    rfc("by=203.0.113.43;host=\"a,b;for=c\";for=192.0.2.7", "192.0.2.7", 0);
    rfc("for=\"192.0.2.7:_port\"", "192.0.2.7", 0);
}

// The client is the first from the right that is no proxy of ours; what is before it, it may have
// invented, and nobody reads it.
static void test_the_rightmost_stranger(void **state) {
    x("198.51.100.1, 192.0.2.7", "192.0.2.7", 0);
    x("198.51.100.1, 192.0.2.7, 10.0.0.3, fd00::2", "192.0.2.7", 0);
    x("10.9.9.9, 192.0.2.7", "192.0.2.7", 0);
    x("<script>, , \"\\, 192.0.2.7", "192.0.2.7", 0);
    rfc("for=198.51.100.1, for=192.0.2.7, for=10.0.0.3", "192.0.2.7", 0);
    rfc("for=, ;;=, for=192.0.2.7", "192.0.2.7", 0);
    rfc("for=\"open, for=192.0.2.7", "192.0.2.7", 0);
    rfc("for=\"open\\, for=\"[2001:db8::7]\"", "2001:db8::7", 0);
}

static void test_all_are_proxies(void **state) {
    x("10.0.0.3, 10.0.0.2", "10.0.0.3", 0);
    rfc("for=10.0.0.3, for=10.0.0.2", "10.0.0.3", 0);
}

static void test_several_headers_are_one_list(void **state) {
    add("x-forwarded-for", "198.51.100.1");
    add("X-Other", "1.1.1.1");
    add("X-FORWARDED-FOR", "192.0.2.7, 10.0.0.3");
    add("X-Forwarded-For", "");
    add("X-Forwarded-For", "10.0.0.2");
    add("Forwarded", "for=203.0.113.1");
    assert_client(HTTP_X_FORWARDED_FOR, "10.0.0.1", "192.0.2.7", 0);
    assert_client(HTTP_FORWARDED, "10.0.0.1", "203.0.113.1", 0);
}

static void test_nobody_says(void **state) {
    assert_client(HTTP_X_FORWARDED_FOR, "10.0.0.1", "10.0.0.1", 99);
    x(" , ,", "10.0.0.1", 99);
    rfc("proto=https;by=10.0.0.1", "10.0.0.1", 99);
}

// Who hides a client is the last that is known.
static void test_hidden(void **state) {
    x("192.0.2.7, unknown", "10.0.0.1", 99);
    rfc("for=192.0.2.7, for=unknown", "10.0.0.1", 99);
    rfc("for=192.0.2.7, for=Unknown, for=\"10.0.0.2:80\"", "10.0.0.2", 80);
    rfc("for=_hidden, for=10.0.0.2", "10.0.0.2", 0);
    rfc("for=\"_SEVKISEK:4711\"", "10.0.0.1", 99);
}

// A stranger is not even asked what it says.
static void test_a_stranger_says(void **state) {
    add("X-Forwarded-For", "198.51.100.1");
    add("Forwarded", "for=198.51.100.1");
    assert_client(HTTP_X_FORWARDED_FOR, "192.0.2.66", "192.0.2.66", 99);
    assert_client(HTTP_FORWARDED, "2001:db8::66", "2001:db8::66", 99);
    assert_int_equal(asked, 1);
}

static void test_from_a_unix_socket(void **state) {
    add("X-Forwarded-For", "192.0.2.7");
    assert_client(HTTP_X_FORWARDED_FOR, "::", "192.0.2.7", 0);
}

static const char *const bad_x[] = {
    "a",
    "192.0.2",
    "192.0.2.7:",
    "192.0.2.7:65536",
    "192.0.2.7:+1",
    "192.0.2.7 a",
    "for=192.0.2.7",
    "\"192.0.2.7\"",
    "::",
    "0.0.0.0",
    "[::]",
    "[2001:db8::7",
    "[2001:db8::7]x",
    "[192.0.2.7]",
    "2001:db8::7%eth0",
    "192.0.2.007",
    "[]",
    "[2001:db8::7]:",
    "192.0.2.7;",
    "192.0.2.7:000080",
};

static const char *const bad_rfc[] = {
    "192.0.2.7",
    "for",
    "for=",
    "for=\"",
    "for=\"\"",
    "for=\"192.0.2.7",
    "for=192.0.2.7\"",
    "for=192.0.2.7:80",
    "for=[2001:db8::7]",
    "for=2001:db8::7",
    "for=\"2001:db8::7\"",
    "for=\"192.0.2.\\7\"",
    "for=192.0.2.7;for=192.0.2.8",
    "for =192.0.2.7",
    "for= 192.0.2.7",
    "for=\"192.0.2.7\"x",
    "fo(r=192.0.2.7",
    "for=\"[::]\"",
    "for=0.0.0.0",
    "proto;for=192.0.2.7",
};

static void test_malformed(void **state) {
    for (size_t i = 0; i < sizeof(bad_x) / sizeof(bad_x[0]); i++) {
        only("X-Forwarded-For", bad_x[i]);
        assert_malformed(HTTP_X_FORWARDED_FOR);
    }
    for (size_t i = 0; i < sizeof(bad_rfc) / sizeof(bad_rfc[0]); i++) {
        only("Forwarded", bad_rfc[i]);
        assert_malformed(HTTP_FORWARDED);
    }
    // Also behind proxies that are believed: half a way is no way.
    only("X-Forwarded-For", "nonsense, 10.0.0.3, 10.0.0.2");
    assert_malformed(HTTP_X_FORWARDED_FOR);
}

static void test_long_words(void **state) {
    static char value[20000];
    memset(value, '1', sizeof(value) - 1);
    only("X-Forwarded-For", value);
    assert_malformed(HTTP_X_FORWARDED_FOR);
    memset(value, ',', sizeof(value) - 1);
    only("Forwarded", value);
    assert_client(HTTP_FORWARDED, "10.0.0.1", "10.0.0.1", 99);
}

#define TEST(name) cmocka_unit_test_setup(name, clear)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_x_forms),
        TEST(test_rfc_forms),
        TEST(test_the_rightmost_stranger),
        TEST(test_all_are_proxies),
        TEST(test_several_headers_are_one_list),
        TEST(test_nobody_says),
        TEST(test_hidden),
        TEST(test_a_stranger_says),
        TEST(test_from_a_unix_socket),
        TEST(test_malformed),
        TEST(test_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
