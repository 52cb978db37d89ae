// IP addresses from text, beside the C library's own reading of them.
#include "support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"

enum { ROUNDS = 300000 };

static bool agree(const char *text) {
    uint8_t ours[16], theirs[16];
    // From a copy without a terminator, so that reading beyond it is seen.
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    bool v4 = ip_parse_v4(bytes_make(copy, len), ours);
    if (v4 != (inet_pton(AF_INET, text, theirs) == 1) || (v4 && memcmp(ours, theirs, 4) != 0)) {
        fail_msg("\"%s\" is read differently as IPv4", text);
    }
    bool v6 = ip_parse_v6(bytes_make(copy, len), ours);
    if (v6 != (inet_pton(AF_INET6, text, theirs) == 1) || (v6 && memcmp(ours, theirs, 16) != 0)) {
        fail_msg("\"%s\" is read differently as IPv6", text);
    }
    free(copy);
    return v4 || v6;
}

static const char *const addresses[] = {
    "0.0.0.0",
    "255.255.255.255",
    "192.0.2.1",
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8",
    "ABCD:ef01::",
    "::ffff:192.0.2.1",
    "1:2:3:4:5:6:192.0.2.1",
    "::1:2:3:4:5:192.0.2.1",
    "::192.0.2.1",
    "0000:0:00:000::1",
};

static const char *const nonsense[] = {
    "",
    ".",
    ":",
    ":::",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "256.0.0.1",
    "01.2.3.4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.a",
    "0x1.2.3.4",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1::2::3",
    ":1::2",
    "1::2:",
    "1:",
    ":1",
    "12345::",
    "g::",
    "::1.2.3",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1%lo",
    "[::1]",
    "1:2:3:4:5:6:7:8:",
    "::ffff:1.2.3.04",
};

static void test_addresses(void **state) {
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        assert_true(agree(addresses[i]));
    }
}

static void test_nonsense(void **state) {
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        if (agree(nonsense[i])) {
            fail_msg("\"%s\" was taken for an address", nonsense[i]);
        }
    }
}

static void test_a_nul_is_no_end(void **state) {
    uint8_t out[16];
    assert_false(ip_parse_v4(bytes_make("1.2.3.4\0x", 9), out));
    assert_false(ip_parse_v6(bytes_make("::1\0", 4), out));
}

// What an address is made of, in any order; the same in every run.
static void test_anything(void **state) {
    static const char letters[] = "::::....0012f9aG ";
    char text[48];
    unsigned seed = 1, good = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t len = 0;
        do {
            seed = seed * 1103515245 + 12345;
            text[len++] = letters[(seed >> 16) % (sizeof(letters) - 1)];
        } while (len < sizeof(text) - 1 && (seed >> 8) % 24);
        text[len] = '\0';
        good += agree(text);
    }
    assert_true(good > 100);
}

// Good ones with a letter changed.
static void test_nearly(void **state) {
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        for (size_t at = 0; addresses[i][at]; at++) {
            for (int c = 1; c < 128; c++) {
                char text[64];
                snprintf(text, sizeof(text), "%s", addresses[i]);
                text[at] = (char)c;
                (void)agree(text);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),       cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_a_nul_is_no_end), cmocka_unit_test(test_anything),
        cmocka_unit_test(test_nearly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
