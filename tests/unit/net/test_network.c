// Who is in which network. Taking in one too many would let a stranger be believed.
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "net/network.h"

static struct peer peer_at(const char *host) {
    char text[ADDRESS_TEXT_MAX];
    struct address address;
    if (strcmp(host, "unix") == 0) {
        return (struct peer){0};
    }
    snprintf(text, sizeof(text), strchr(host, ':') ? "[%s]:1" : "%s:1", host);
    assert_null(address_parse(text, &address));
    return peer_of(&address);
}

static bool has(const char *network, const char *host) {
    struct network net;
    struct peer peer = peer_at(host);
    assert_null(network_parse(network, &net));
    return network_has(&net, &peer);
}

static void test_v4(void **state) {
    assert_true(has("10.0.0.0/8", "10.0.0.0"));
    assert_true(has("10.0.0.0/8", "10.255.255.255"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_false(has("10.0.0.0/8", "9.255.255.255"));
    assert_true(has("192.0.2.128/25", "192.0.2.128"));
    assert_false(has("192.0.2.128/25", "192.0.2.127"));
    assert_true(has("192.0.2.1", "192.0.2.1"));
    assert_true(has("192.0.2.1/32", "192.0.2.1"));
    assert_false(has("192.0.2.1", "192.0.2.2"));
    assert_true(has("0.0.0.0/0", "203.0.113.1"));
    assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3")); // the same address in other clothes
}

static void test_v6(void **state) {
    assert_true(has("2001:db8::/32", "2001:db8:ffff::1"));
    assert_false(has("2001:db8::/32", "2001:db9::"));
    assert_true(has("2001:db8::8/125", "2001:db8::f"));
    assert_false(has("2001:db8::8/125", "2001:db8::10"));
    assert_true(has("::1", "::1"));
    assert_false(has("::1", "::2"));
    assert_true(has("::/0", "2001:db8::1"));
}

// Each kind keeps to itself, also where everybody is meant.
static void test_kinds_do_not_mix(void **state) {
    assert_false(has("::/0", "192.0.2.1"));
    assert_false(has("::/0", "unix"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_false(has("0.0.0.0/0", "unix"));
    assert_true(has("unix", "unix"));
    assert_false(has("unix", "192.0.2.1"));
    assert_false(has("unix", "::1"));
}

static void test_any_of_several(void **state) {
    struct network nets[2];
    struct peer inside = peer_at("::1"), outside = peer_at("::2");
    assert_null(network_parse("127.0.0.0/8", &nets[0]));
    assert_null(network_parse("::1", &nets[1]));
    assert_true(networks_have(nets, 2, &inside));
    assert_false(networks_have(nets, 2, &outside));
    assert_false(networks_have(nets, 0, &inside));
}

static const char *const nonsense[] = {
    "",
    "/",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0/8",
    "10.0.0.0/8/",
    "10.0.0.0 /8",
    "10.1.2.3/8",
    "2001:db8::1/32",
    "::/129",
    "::",
    "::/128",
    "[::1]",
    "localhost",
    "127.0.0.1:80",
    "UNIX",
    "unix:/run/x",
    "010.0.0.1",
    "::ffff:10.0.0.0/104",
};

static void test_nonsense(void **state) {
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        struct network net;
        if (!network_parse(nonsense[i], &net)) {
            fail_msg("\"%s\" was taken for a network", nonsense[i]);
        }
    }
}

static void test_too_long(void **state) {
    char text[200];
    struct network net;
    memset(text, '1', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_non_null(network_parse(text, &net));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v4),
        cmocka_unit_test(test_v6),
        cmocka_unit_test(test_kinds_do_not_mix),
        cmocka_unit_test(test_any_of_several),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
