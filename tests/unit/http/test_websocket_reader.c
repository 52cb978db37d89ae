// Frames to messages, however they are cut; and every way to break the rules.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/websocket_frames.h"

enum { MOST = 70000, FIN = 0x80, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

static struct test_mem mem;
static struct buf in;

static int setup(void **state) {
    test_mem_init(&mem);
    buf_init(&in, &mem_libc, 0);
    return 0;
}

static int teardown(void **state) {
    buf_finish(&in);
    test_mem_finish(&mem);
    return 0;
}

static void add(unsigned char first, const char *payload) {
    frames_add(&in, first, bytes_of(payload));
}

static void add_raw(const char *bytes, size_t len) {
    assert_int_equal(buf_append(&in, bytes, len), 0);
}

static void assert_reads(const char *want) {
    static const size_t steps[] = {1, 2, 3, 7, 100, 5000, SIZE_MAX};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct buf words;
        buf_init(&words, &mem_libc, 0);
        assert_int_equal(frames_read(buf_bytes(&in), steps[i], MOST, &mem.mem, &words), 0);
        assert_int_equal(buf_append(&words, "", 1), 0);
        assert_string_equal(words.at, want);
        buf_finish(&words);
    }
    buf_clear(&in);
}

static void test_messages(void **state) {
    add(FIN | TEXT, "hello");
    add(FIN | TEXT, "");
    add(FIN | TEXT, "h\xc3\xa9");
    assert_reads("text(hello) text() text(h\xc3\xa9) ");
}

static void test_fragments(void **state) {
    add(TEXT, "he");
    add(0, "");
    add(FIN | PING, "now");
    add(0, "l");
    add(FIN | PONG, "");
    add(FIN, "lo");
    add(TEXT, "");
    add(FIN, "");
    assert_reads("ping(now) pong() text(hello) text() ");
}

static void test_split_characters(void **state) {
    add(TEXT, "\xf0\x9f");
    add(0, "\x98");
    add(FIN, "\x80");
    add(TEXT, "\xe2");
    add(FIN, "\x82\xac");
    assert_reads("text(\xf0\x9f\x98\x80) text(\xe2\x82\xac) ");
}

static void test_lengths(void **state) {
    static const size_t lengths[] = {125, 126, 127, 4096, 65535, 65536, MOST};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *payload = malloc(lengths[i] + 1), *want = malloc(lengths[i] + 8);
        memset(payload, 'x', lengths[i]);
        payload[lengths[i]] = '\0';
        memcpy(want, "text(", 5);
        memcpy(want + 5, payload, lengths[i]);
        memcpy(want + 5 + lengths[i], ") ", 3);
        add(FIN | TEXT, payload);
        assert_reads(want);
        free(payload);
        free(want);
    }
}

static void test_too_large(void **state) {
    char *payload = malloc(MOST + 1);
    memset(payload, 'x', MOST);
    payload[MOST] = '\0';
    add(TEXT, payload);
    add(0, "");
    add(FIN, "y");
    assert_reads("failed(1009) ");
    free(payload);
    add_raw("\x81\xff\x00\x00\x01\x00\x00\x00\x00\x00KEY!x", 15); // says so beforehand
    assert_reads("failed(1009) ");
}

static void test_closes(void **state) {
    add(FIN | CLOSE, "");
    assert_reads("close(1005) ");
    add(FIN | CLOSE, "\x03\xe8 bye \xe2\x82\xac");
    assert_reads("close(1000, bye \xe2\x82\xac) ");
    add(TEXT, "unfinished");
    add(FIN | CLOSE, "\x0b\xb8");
    assert_reads("close(3000) ");
}

static void assert_close(int code, bool good) {
    char payload[] = {(char)(code >> 8), (char)code}, want[32];
    frames_add(&in, FIN | CLOSE, bytes_make(payload, 2));
    snprintf(want, sizeof(want), good ? "close(%d) " : "failed(1002) ", code);
    assert_reads(want);
}

static void test_close_codes(void **state) {
    static const int good[] = {1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 4999};
    static const int bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    for (size_t i = 0; i < 10; i++) {
        assert_close(good[i], true);
        assert_close(bad[i], false);
    }
    add(FIN | CLOSE, "\x03");
    assert_reads("failed(1002) ");
    add(FIN | CLOSE, "\x03\xe8 \xff");
    assert_reads("failed(1007) ");
}

static void test_bad_utf8(void **state) {
    static const char *const bad[] = {"\xff",
                                      "a\xc3",
                                      "\xc3(",
                                      "\xe2\x82",
                                      "\xed\xa0\x80",
                                      "\xc0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\x80",
                                      "\xe0\x80\x80",
                                      "\xf0\x80\x80\x80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        add(FIN | TEXT, bad[i]);
        assert_reads("failed(1007) ");
    }
    // At once, not when the message is complete.
    add(TEXT, "fine \xed\xa0");
    assert_reads("failed(1007) ");
    add(TEXT, "\xf0\x9f(");
    assert_reads("failed(1007) ");
    add(TEXT, "\xf4");
    add(0, "\x90");
    assert_reads("failed(1007) ");
    add(TEXT, "\xe2");
    add(FIN, "");
    assert_reads("failed(1007) ");
}

static void test_broken_rules(void **state) {
    static const unsigned char firsts[] = {
        FIN | 0x40 | TEXT,
        FIN | 0x20 | TEXT,
        FIN | 0x10 | TEXT,
        FIN | 3,
        FIN | 7,
        FIN | 11,
        FIN | 15,
        0,
        FIN,
        PING,
        CLOSE,
    };
    for (size_t i = 0; i < sizeof(firsts); i++) {
        add(firsts[i], "x");
        assert_reads("failed(1002) ");
    }
    add(FIN | BINARY, "x");
    assert_reads("failed(1003) ");
    add(TEXT, "x");
    add(FIN | TEXT, "y");
    assert_reads("failed(1002) ");
    add_raw("\x81\x01x", 3); // not masked
    assert_reads("failed(1002) ");
    add_raw("\x89\xfe\x00\x7eKEY!", 8); // a long ping
    assert_reads("failed(1002) ");
    add_raw("\x81\xfe\x00\x01KEY!x", 9); // a length that is longer than it must be
    assert_reads("failed(1002) ");
    add_raw("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xffKEY!x", 15);
    assert_reads("failed(1002) ");
    add_raw("\x81\xff\x80\x00\x00\x00\x00\x00\xff\xffKEY!x", 15);
    assert_reads("failed(1002) ");
}

static void test_without_memory(void **state) {
    add(TEXT, "hello");
    add(FIN | PING, "x");
    add(FIN, "there");
    long calls = 1;
    for (long n = 1; n <= calls; n++) {
        struct buf words;
        buf_init(&words, &mem_libc, 0);
        mem.calls = 0;
        mem.fail_at = n;
        int rc = frames_read(buf_bytes(&in), 3, MOST, &mem.mem, &words);
        calls = rc ? n + 1 : n - 1; // until it gets through
        assert_true(rc == 0 || rc == ERR_NOMEM);
        buf_finish(&words);
    }
    assert_true(calls > 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_messages),       TEST(test_fragments), TEST(test_split_characters),
        TEST(test_lengths),        TEST(test_too_large), TEST(test_closes),
        TEST(test_close_codes),    TEST(test_bad_utf8),  TEST(test_broken_rules),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
