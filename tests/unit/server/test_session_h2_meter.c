// Frames are found by the lengths in their heads, however the input is cut.
#include "support.h"

#include "server/session_h2_meter.h"

static struct h2_meter meter;

static int setup(void **state) {
    h2_meter_init(&meter, 0);
    return 0;
}

// Feeds so many bytes at a time; returns how many frames were found.
static int feed(const char *bytes, size_t len, size_t step) {
    int count = 0;
    for (size_t at = 0; at < len; at += step) {
        struct bytes in = bytes_make(bytes + at, len - at < step ? len - at : step);
        while (in.len) {
            bool found;
            size_t n = h2_meter_next(&meter, in, &found);
            assert_true(n > 0 && n <= in.len);
            in = bytes_make(in.at + n, in.len - n);
            count += found;
        }
    }
    return count;
}

// A DATA frame of three bytes, an empty SETTINGS, a PING of eight.
static const char three[] = "\0\0\3\0\1\0\0\0\5abc"
                            "\0\0\0\4\0\0\0\0\0"
                            "\0\0\x8\6\0\0\0\0\0"
                            "12345678";

static void test_any_cut(void **state) {
    for (size_t step = 1; step < sizeof(three); step++) {
        h2_meter_init(&meter, 0);
        assert_int_equal(feed(three, sizeof(three) - 1, step), 3);
        assert_int_equal(meter.head.type, 6);
        assert_int_equal(meter.head.length, 8);
        assert_int_equal(meter.skip, 0);
    }
}

static void test_the_head_of_a_frame(void **state) {
    assert_int_equal(feed("\1\2\3\0\x9\x80\1\0\7", 9, 9), 1);
    assert_int_equal(meter.head.length, 0x10203);
    assert_int_equal(meter.head.type, 0);
    assert_int_equal(meter.head.flags, 9);
    assert_int_equal(meter.head.stream, 0x10007); // without the reserved bit
}

static void test_what_comes_before_is_skipped(void **state) {
    h2_meter_init(&meter, 24);
    assert_int_equal(feed("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, 5), 0);
    assert_int_equal(feed(three, sizeof(three) - 1, 7), 3);
}

static void test_within_a_head(void **state) {
    assert_false(h2_meter_within_head(&meter));
    feed("\0\0\2\1\0\0\0\0\1", 9, 9); // HEADERS, not the end of them
    assert_true(h2_meter_within_head(&meter));
    feed("ab", 2, 1);
    assert_true(h2_meter_within_head(&meter));
    feed("\0\0\1\x9\4\0\0\0\1", 9, 9); // CONTINUATION, the end
    assert_true(h2_meter_within_head(&meter));
    feed("c", 1, 1);
    assert_false(h2_meter_within_head(&meter));
    assert_int_equal(meter.in_head, 9 + 2 + 9 + 1);
    feed("\0\0\0\1\5\0\0\0\3", 9, 9);
    assert_int_equal(meter.in_head, 9); // of the next
    assert_false(h2_meter_within_head(&meter));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_any_cut),
        TEST(test_the_head_of_a_frame),
        TEST(test_what_comes_before_is_skipped),
        TEST(test_within_a_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
