// PROXY protocol headers: what is taken, what is refused, and when.
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "net/proxy_protocol.h"

static struct proxy_header header;

static int parse(const char *at, size_t len) {
    return proxy_protocol_parse(bytes_make(at, len), &header);
}

// Every beginning is incomplete, and what follows does not matter.
static void assert_good(const char *at, size_t len, const char *source) {
    char text[ADDRESS_TEXT_MAX], more[PROXY_HEADER_MAX + 16];
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(parse(at, cut), 0);
    }
    memcpy(more, at, len);
    memcpy(more + len, "GET / HTTP/1.1\r\n", 16);
    assert_int_equal(parse(more, len + 16), len);
    assert_int_equal(parse(at, len), len);
    assert_int_equal(header.known, source != NULL);
    if (source) {
        peer_format(&header.source, text);
        assert_string_equal(text, source);
    }
}

static void assert_v1(const char *line, const char *source) {
    assert_good(line, strlen(line), source);
}

static void test_v1(void **state) {
    assert_v1("PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n", "192.0.2.1:4711");
    assert_v1("PROXY TCP4 192.0.2.1 198.51.100.1 0 65535\r\n", "192.0.2.1");
    assert_v1("PROXY TCP6 2001:db8::1 ::1 65535 1\r\n", "[2001:db8::1]:65535");
    assert_v1("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe "
              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
              "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535");
    assert_v1("PROXY UNKNOWN\r\n", NULL);
    assert_v1("PROXY UNKNOWN ffff::1 what ever\t\r\n", NULL);
}

static const char *const bad_lines[] = {
    "GET / HTTP/1.1\r\n",
    "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    "PROXY\tTCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 65536 1\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX",
    "PROXY TCP4 192.0.2.1\n 192.0.2.2 1 2\r\n",
    "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
    "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2 1 2\r\n",
    "PROXY TCP4 0.0.0.0 192.0.2.1 1 2\r\n",
    "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
    "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
    "PROXY TCP6 :: 2001:db8::2 1 2\r\n",
    "PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n",
    "PROXY TCP6 fe80::1%lo 2001:db8::2 1 2\r\n",
    "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
    "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
    "PROXY unknown\r\n",
    "PROXY UNKNOWN\n",
    "PROXY \r\n",
    "PROXY TCP4\r\n",
};

static void test_bad_lines(void **state) {
    for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
        if (parse(bad_lines[i], strlen(bad_lines[i])) != ERR_INVALID) {
            fail_msg("\"%s\" was taken for a header", bad_lines[i]);
        }
    }
}

static void test_a_nul_in_an_address(void **state) {
    static const char line[] = "PROXY TCP4 192.0.2.1\0x 192.0.2.2 1 2\r\n";
    assert_int_equal(parse(line, sizeof(line) - 1), ERR_INVALID);
}

// 107 bytes with the line end are the most; the refusal does not wait for more.
static void test_length_of_a_line(void **state) {
    char line[200];
    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_int_equal(parse(line, 106), 0);
    assert_int_equal(parse(line, 107), ERR_INVALID);
    assert_int_equal(parse(line, 200), ERR_INVALID);
    memcpy(line + 105, "\r\n", 2);
    assert_int_equal(parse(line, 200), 107);
    memcpy(line + 105, "x\r\n", 3);
    assert_int_equal(parse(line, 200), ERR_INVALID);
}

// The first byte that can not be right is enough.
static void test_refused_early(void **state) {
    assert_int_equal(parse("G", 1), ERR_INVALID);
    assert_int_equal(parse("PROXZ", 5), ERR_INVALID);
    assert_int_equal(parse("\r\n\r\n\0\r\nQUIX", 12), ERR_INVALID);
    assert_int_equal(parse("\r\n\r\n\0\r\nQUIT\n\x11", 13), ERR_INVALID);
    assert_int_equal(parse("\r\n\r\n\0\r\nQUIT\n\x22", 13), ERR_INVALID);
    assert_int_equal(parse("\r\n\r\n\0\r\nQUIT\n\x21\x12", 14), ERR_INVALID);
    assert_int_equal(parse("\r\n\r\n\0\r\nQUIT\n\x21\x41", 14), ERR_INVALID);
    assert_int_equal(parse("\x16\x03\x01", 3), ERR_INVALID); // a TLS handshake
}

static char v2[PROXY_HEADER_MAX + 64];

static size_t make_v2(unsigned command, unsigned kind, const void *block, size_t len) {
    memcpy(v2, "\r\n\r\n\0\r\nQUIT\n", 12);
    v2[12] = (char)command;
    v2[13] = (char)kind;
    v2[14] = (char)(len >> 8);
    v2[15] = (char)len;
    if (len) {
        memcpy(v2 + 16, block, len);
    }
    return 16 + len;
}

static const char tcp4[] = "\xc0\x00\x02\x01\xc6\x33\x64\x01\x12\x67\x01\xbb";
static const char tcp6[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                           "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x12\x67\x01\xbb";

static void test_v2(void **state) {
    char unix_paths[216] = "/tmp/a";
    assert_good(v2, make_v2(0x21, 0x11, tcp4, 12), "192.0.2.1:4711");
    assert_good(v2, make_v2(0x21, 0x21, tcp6, 36), "[2001:db8::1]:4711");
    assert_good(v2, make_v2(0x21, 0x31, unix_paths, 216), NULL);
    assert_good(v2, make_v2(0x21, 0x00, NULL, 0), NULL);
    assert_good(v2, make_v2(0x21, 0x00, "anything", 8), NULL);
}

// The proxy's own connection: whatever is in the block is passed over.
static void test_v2_local(void **state) {
    assert_good(v2, make_v2(0x20, 0x00, NULL, 0), NULL);
    assert_good(v2, make_v2(0x20, 0x11, tcp4, 12), NULL);
    assert_good(v2, make_v2(0x20, 0x77, "\xff", 1), NULL);
}

static void test_v2_refused(void **state) {
    static const char nobody4[12] = {0}, nobody6[36] = {0};
    assert_int_equal(parse(v2, make_v2(0x21, 0x11, tcp4, 11)), ERR_INVALID);
    assert_int_equal(parse(v2, make_v2(0x21, 0x21, tcp6, 35)), ERR_INVALID);
    assert_int_equal(parse(v2, make_v2(0x21, 0x31, tcp6, 36)), ERR_INVALID);
    assert_int_equal(parse(v2, make_v2(0x21, 0x12, tcp4, 12)), ERR_INVALID); // UDP
    assert_int_equal(parse(v2, make_v2(0x21, 0x10, tcp4, 12)), ERR_INVALID);
    assert_int_equal(parse(v2, make_v2(0x21, 0x01, tcp4, 12)), ERR_INVALID);
    assert_int_equal(parse(v2, make_v2(0x22, 0x11, tcp4, 12)), ERR_INVALID);
    assert_int_equal(parse(v2, make_v2(0x11, 0x11, tcp4, 12)), ERR_INVALID);
    assert_int_equal(parse(v2, make_v2(0x21, 0x11, nobody4, 12)), ERR_INVALID);
    assert_int_equal(parse(v2, make_v2(0x21, 0x21, nobody6, 36)), ERR_INVALID);
}

static size_t with_tlv(const char *tlv, size_t len) {
    char block[64];
    memcpy(block, tcp4, 12);
    memcpy(block + 12, tlv, len);
    return make_v2(0x21, 0x11, block, 12 + len);
}

static void test_v2_tlvs(void **state) {
    assert_good(v2, with_tlv("\x04\x00\x00", 3), "192.0.2.1:4711");
    assert_good(v2, with_tlv("\x01\x00\x02h2\xee\x00\x01x", 9), "192.0.2.1:4711");
    assert_int_equal(parse(v2, with_tlv("\x04", 1)), ERR_INVALID);
    assert_int_equal(parse(v2, with_tlv("\x04\x00", 2)), ERR_INVALID);
    assert_int_equal(parse(v2, with_tlv("\x04\x00\x01", 3)), ERR_INVALID);
    assert_int_equal(parse(v2, with_tlv("\x04\xff\xff....", 7)), ERR_INVALID);
    assert_int_equal(parse(v2, with_tlv("\x04\x00\x00\x05", 4)), ERR_INVALID);
}

static void test_v2_length(void **state) {
    static char block[PROXY_HEADER_MAX];
    memcpy(block, tcp4, 12);
    size_t rest = PROXY_HEADER_MAX - 16 - 12 - 3;
    block[12] = 4;
    block[13] = (char)(rest >> 8);
    block[14] = (char)rest;
    assert_good(v2, make_v2(0x21, 0x11, block, PROXY_HEADER_MAX - 16), "192.0.2.1:4711");
    make_v2(0x21, 0x11, block, PROXY_HEADER_MAX - 15);
    assert_int_equal(parse(v2, 15), 0);
    assert_int_equal(parse(v2, 16), ERR_TOO_LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_a_nul_in_an_address),
        cmocka_unit_test(test_length_of_a_line),
        cmocka_unit_test(test_refused_early),
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_v2_local),
        cmocka_unit_test(test_v2_refused),
        cmocka_unit_test(test_v2_tlvs),
        cmocka_unit_test(test_v2_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
