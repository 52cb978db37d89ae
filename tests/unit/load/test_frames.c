// Frames, in pieces of every size.
#include "support.h"

#include "base/buf.h"
#include "base/error.h"
#include "load/frames.h"

struct read {
    struct frames frames;
    struct buf payload;
    int pings, closes, wrong;
};

static void feed(struct read *read, struct bytes rest) {
    struct bytes payload;
    for (;;) {
        int step = frames_next(&read->frames, &rest, &payload);
        if (step == FRAMES_DATA) {
            assert_int_equal(buf_append(&read->payload, payload.at, payload.len), 0);
        } else if (step == FRAMES_PING) {
            read->pings++;
        } else if (step == FRAMES_CLOSE) {
            read->closes++;
        } else {
            read->wrong = step < 0 ? step : read->wrong;
            return;
        }
    }
}

static void append_frame(struct buf *out, unsigned first, const char *payload, size_t len) {
    unsigned char head[10] = {(unsigned char)first, (unsigned char)(len < 126 ? len : 126)};
    size_t size = 2;
    if (len > 0xFFFF) {
        head[1] = 127;
        for (int i = 0; i < 8; i++) {
            head[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
        }
        size = 10;
    } else if (len >= 126) {
        head[2] = (unsigned char)(len >> 8);
        head[3] = (unsigned char)len;
        size = 4;
    }
    assert_int_equal(buf_append(out, head, size), 0);
    assert_int_equal(buf_append(out, payload, len), 0);
}

static void takes_every_length(void **state) {
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 70000};
    static char long_text[70000];
    struct buf all, want;
    buf_init(&all, &mem_libc, 0);
    buf_init(&want, &mem_libc, 0);
    for (size_t i = 0; i < sizeof(long_text); i++) {
        long_text[i] = (char)('a' + i % 26);
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        append_frame(&all, 0x81, long_text, lengths[i]);
        append_frame(&all, 0x8A, "pong", 4);
        assert_int_equal(buf_append(&want, long_text, lengths[i]), 0);
    }
    for (size_t piece = 1; piece < 9; piece++) {
        struct read read = {0};
        buf_init(&read.payload, &mem_libc, 0);
        for (size_t at = 0; at < all.len; at += piece) {
            feed(&read, bytes_make(all.at + at, piece < all.len - at ? piece : all.len - at));
        }
        assert_int_equal(read.wrong, 0);
        assert_int_equal(read.payload.len, want.len);
        assert_memory_equal(read.payload.at, want.at, want.len);
        buf_finish(&read.payload);
    }
    buf_finish(&all);
    buf_finish(&want);
}

static void answers_pings_within_a_message(void **state) {
    struct buf all;
    buf_init(&all, &mem_libc, 0);
    append_frame(&all, 0x01, "one ", 4);
    append_frame(&all, 0x89, "", 0);
    append_frame(&all, 0x80, "two", 3);
    append_frame(&all, 0x89, "are you there?", 14);
    append_frame(&all, 0x88, "\x03\xe8", 2);
    for (size_t piece = 1; piece <= all.len; piece++) {
        struct read read = {0};
        buf_init(&read.payload, &mem_libc, 0);
        for (size_t at = 0; at < all.len; at += piece) {
            feed(&read, bytes_make(all.at + at, piece < all.len - at ? piece : all.len - at));
        }
        assert_int_equal(read.pings, 2);
        assert_int_equal(read.closes, 1);
        assert_true(bytes_is(buf_bytes(&read.payload), "one two"));
        buf_finish(&read.payload);
    }
    buf_finish(&all);
}

static void masks_its_pongs(void **state) {
    struct read read = {0};
    char out[FRAMES_PONG_MAX];
    feed(&read, bytes_make("\x89\x05hello", 7));
    size_t len = frames_pong(&read.frames, out);
    assert_int_equal(len, 6 + 5);
    assert_int_equal((unsigned char)out[0], 0x8A);
    assert_int_equal((unsigned char)out[1], 0x85);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(out[6 + i] ^ out[2 + i % 4], "hello"[i]);
    }
    buf_finish(&read.payload);
}

static void refuses_what_no_server_sends(void **state) {
    static const char *const wrong[] = {
        "\x81\x81mask!", // a mask
        "\xc1\x01x",     // an extension
        "\x83\x01x",     // no such opcode
        "\x8b\x01x",
        "\x09\x01x",        // a control frame in pieces
        "\x89\x7e\x01\x01", // or a long one
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct read read = {0};
        feed(&read, bytes_of(wrong[i]));
        assert_int_equal(read.wrong, ERR_INVALID);
        assert_int_equal(read.payload.len, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_length),
        cmocka_unit_test(answers_pings_within_a_message),
        cmocka_unit_test(masks_its_pongs),
        cmocka_unit_test(refuses_what_no_server_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
