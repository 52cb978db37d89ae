// Addresses as people write them, and back.
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "net/address.h"

static void assert_parses(const char *text, const char *back, bool loopback) {
    struct address address;
    char written[ADDRESS_TEXT_MAX];
    assert_null(address_parse(text, &address));
    address_format(&address, written);
    assert_string_equal(written, back);
    assert_int_equal(address_is_local(&address), loopback);
}

static void test_shapes(void **state) {
    assert_parses("127.0.0.1:8042", "127.0.0.1:8042", true);
    assert_parses("127.9.9.9:1", "127.9.9.9:1", true);
    assert_parses("192.168.1.20:65535", "192.168.1.20:65535", false);
    assert_parses("localhost:80", "127.0.0.1:80", true);
    assert_parses(":8042", "0.0.0.0:8042", false);
    assert_parses(":0", "0.0.0.0:0", false);
    assert_parses("[::1]:8042", "[::1]:8042", true);
    assert_parses("[::]:8042", "[::]:8042", false);
    assert_parses("[2001:DB8:0::1]:7", "[2001:db8::1]:7", false);
    assert_parses("[fe80:1111:2222:3333:4444:5555:6666:7777]:65535",
                  "[fe80:1111:2222:3333:4444:5555:6666:7777]:65535", false);
    // An IPv4 address in IPv6 clothes is not taken for loopback: the check must err on that side.
    assert_parses("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", false);
}

static const char *const nonsense[] = {
    "",
    ":",
    "8042",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "127.0.0.1:+1",
    "127.0.0.1: 80",
    "127.0.0.1:80 ",
    "127.0.0.1:0x50",
    "127.0.0.1:99999999999999999999",
    " 127.0.0.1:80",
    "127.0.0:80",
    "127.0.0.256:80",
    "127.0.0.1.1:80",
    "example.com:80",
    "LOCALHOST.:80",
    "http://127.0.0.1:80",
    "::1:80",
    "[::1]",
    "[::1:80",
    "::1]:80",
    "[]:80",
    "[:80",
    "]:80",
    "[127.0.0.1]:80",
    "[::1%lo]:80",
    "[[::1]]:80",
    "[::1]80",
    "*:80",
};

static void test_nonsense(void **state) {
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        struct address address;
        const char *problem = address_parse(nonsense[i], &address);
        if (!problem) {
            fail_msg("\"%s\" was taken for an address", nonsense[i]);
        }
        assert_non_null(strstr(problem, "127.0.0.1:8042"));
    }
}

// A host that would not fit the buffer it is copied into.
static void test_long_host(void **state) {
    char text[256];
    struct address address;
    for (size_t len = 60; len < 250; len++) {
        memset(text, '1', len);
        memcpy(text + len, ":80", sizeof(":80"));
        assert_non_null(address_parse(text, &address));
    }
}

static void test_every_port(void **state) {
    for (int port = 0; port <= 65535; port++) {
        char text[ADDRESS_TEXT_MAX], back[ADDRESS_TEXT_MAX];
        struct address address;
        snprintf(text, sizeof(text), port % 2 ? "10.0.0.1:%d" : "[2001:db8::2]:%d", port);
        assert_null(address_parse(text, &address));
        address_format(&address, back);
        assert_string_equal(back, text);
        assert_int_equal(peer_of(&address).port, port);
    }
}

static void assert_unix(const char *path) {
    struct address address;
    char written[ADDRESS_TEXT_MAX], expected[ADDRESS_TEXT_MAX + 8];
    assert_null(address_parse_unix(bytes_of(path), &address));
    address_format(&address, written);
    snprintf(expected, sizeof(expected), "unix:%s", path);
    assert_string_equal(written, expected);
    assert_true(address_is_local(&address));
}

static void test_unix(void **state) {
    char path[120];
    struct address address;
    assert_unix("/run/freshet.sock");
    assert_unix("/");
    for (size_t len = 100; len < sizeof(path) - 1; len++) {
        memset(path, '/', len);
        path[len] = '\0';
        if (len < sizeof(address.un.sun_path)) {
            assert_unix(path);
        } else {
            assert_non_null(strstr(address_parse_unix(bytes_of(path), &address), "too long"));
        }
    }
    assert_non_null(address_parse_unix(bytes_of(""), &address));
    assert_non_null(address_parse_unix(bytes_of("freshet.sock"), &address));
    assert_non_null(address_parse_unix(bytes_of("@name"), &address));
}

// As getsockname(2) tells of sockets without a path.
static void test_unix_without_a_path(void **state) {
    struct address address = {.un = {.sun_family = AF_UNIX, .sun_path = {0, 'a', 'b'}},
                              .len = offsetof(struct sockaddr_un, sun_path) + 3};
    char text[ADDRESS_TEXT_MAX];
    address_format(&address, text);
    assert_string_equal(text, "unix:@ab");
    address.len = offsetof(struct sockaddr_un, sun_path);
    address_format(&address, text);
    assert_string_equal(text, "unix:");
}

static void assert_peer(const char *text) {
    struct address address;
    char back[ADDRESS_TEXT_MAX];
    assert_null(address_parse(text, &address));
    struct peer peer = peer_of(&address);
    peer_format(&peer, back);
    assert_string_equal(back, text);
}

static void test_peer(void **state) {
    assert_peer("10.20.30.40:5060");
    assert_peer("[2001:db8::5]:443");
    assert_peer("[fe80:1111:2222:3333:4444:5555:6666:7777]:65535");
    assert_int_equal(sizeof(struct peer), 18);
}

static void test_peer_without_a_port(void **state) {
    struct address address;
    char text[ADDRESS_TEXT_MAX];
    assert_null(address_parse("192.0.2.7:0", &address));
    struct peer peer = peer_of(&address);
    peer_format(&peer, text);
    assert_string_equal(text, "192.0.2.7");
    assert_null(address_parse("[2001:db8::7]:0", &address));
    peer = peer_of(&address);
    peer_format(&peer, text);
    assert_string_equal(text, "2001:db8::7");
}

static void test_peer_of_a_unix_socket(void **state) {
    struct address address = {.any = {.sa_family = AF_UNIX}, .len = sizeof(address.any)};
    struct peer peer = peer_of(&address);
    char text[ADDRESS_TEXT_MAX];
    peer_format(&peer, text);
    assert_string_equal(text, "unix");
    assert_true(peer_is_unix(&peer));
    assert_false(peer_is_v4(&peer));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_long_host),
        cmocka_unit_test(test_every_port),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_unix_without_a_path),
        cmocka_unit_test(test_peer),
        cmocka_unit_test(test_peer_without_a_port),
        cmocka_unit_test(test_peer_of_a_unix_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
