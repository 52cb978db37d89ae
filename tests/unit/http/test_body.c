// Bodies, each fed whole and one byte at a time: the data, what is left over, and every refusal.
#include "support.h"

#include <stdlib.h>

#include "base/buf.h"
#include "http/body.h"

struct run {
    int rc;
    size_t used;
    struct buf data;
};

static void feed_some(struct http_body *body, struct bytes in, struct run *run) {
    struct bytes before = in, piece;
    while ((run->rc = http_body_feed(body, &in, &piece)) == HTTP_BODY_PIECE) {
        assert_true(piece.len > 0);
        assert_true(piece.at >= before.at && piece.at + piece.len <= before.at + before.len);
        assert_int_equal(buf_append(&run->data, piece.at, piece.len), 0);
    }
    assert_true(run->rc != HTTP_BODY_MORE || in.len == 0);
    run->used += before.len - in.len;
}

// In pieces of `step` bytes, until it is done, refused, or the text is used up.
static struct run feed(const struct http_request *req, struct bytes text, size_t step) {
    struct http_body body;
    struct run run = {.rc = HTTP_BODY_MORE};
    buf_init(&run.data, &mem_libc, 0);
    http_body_init(&body, req);
    do {
        size_t left = text.len - run.used, len = left < step ? left : step;
        char *copy = malloc(len ? len : 1);
        memcpy(copy, text.at + run.used, len);
        feed_some(&body, bytes_make(copy, len), &run);
        free(copy);
    } while (run.rc == HTTP_BODY_MORE && run.used < text.len);
    struct bytes more = bytes_of("more"), piece;
    int again = http_body_feed(&body, &more, &piece);
    if (run.rc != HTTP_BODY_MORE) {
        assert_int_equal(again, run.rc);
        assert_int_equal(more.len, 4);
    }
    return run;
}

static int decode(const struct http_request *req, struct bytes text, const char *data,
                  size_t left) {
    struct run whole = feed(req, text, text.len), crumbs = feed(req, text, 1);
    assert_int_equal(whole.rc, crumbs.rc);
    assert_int_equal(whole.used, crumbs.used);
    assert_true(bytes_equal(buf_bytes(&whole.data), buf_bytes(&crumbs.data)));
    if (data) {
        assert_true(bytes_equal(buf_bytes(&whole.data), bytes_of(data)));
        assert_int_equal(text.len - whole.used, left);
    }
    buf_finish(&whole.data);
    buf_finish(&crumbs.data);
    return whole.rc;
}

static const struct http_request none = {.body = BODY_NONE};
static const struct http_request chunked = {.body = BODY_CHUNKED};

static int decode_chunks(const char *text, const char *data, size_t left) {
    return decode(&chunked, bytes_of(text), data, left);
}

static void reads_a_length(void **state) {
    struct http_request req = {.body = BODY_LENGTH, .content_length = 5};
    assert_int_equal(decode(&req, bytes_of("helloGET"), "hello", 3), HTTP_BODY_DONE);
    assert_int_equal(decode(&req, bytes_of("hello"), "hello", 0), HTTP_BODY_DONE);
    assert_int_equal(decode(&req, bytes_of("hell"), "hell", 0), HTTP_BODY_MORE);
    req.content_length = 0;
    assert_int_equal(decode(&req, bytes_of("GET"), "", 3), HTTP_BODY_DONE);
    assert_int_equal(decode(&none, bytes_of("GET"), "", 3), HTTP_BODY_DONE);
    assert_int_equal(decode(&none, bytes_of(""), "", 0), HTTP_BODY_DONE);
}

static void reads_chunks(void **state) {
    assert_int_equal(decode_chunks("0\r\n\r\n", "", 0), HTTP_BODY_DONE);
    assert_int_equal(decode_chunks("5\r\nhello\r\n0\r\n\r\nGET", "hello", 3), HTTP_BODY_DONE);
    assert_int_equal(decode_chunks("00a\r\n0123456789\r\nC\r\n\r\n0\r\n\r\n123\r\n\r\n0\r\n\r\n",
                                   "0123456789\r\n0\r\n\r\n123\r\n", 0),
                     HTTP_BODY_DONE);
    assert_int_equal(
        decode_chunks("2\r\n\r\n\r\n1F\r\n0123456789012345678901234567890\r\n0\r\n\r\n",
                      "\r\n0123456789012345678901234567890", 0),
        HTTP_BODY_DONE);
    assert_int_equal(decode_chunks("1;a=b;c=\"d e\"\r\nx\r\n000;\t\r\n\r\n", "x", 0),
                     HTTP_BODY_DONE);
    assert_int_equal(decode_chunks("1\r\nx\r\n0\r\nDigest: abc\r\nB:\r\n\r\nG", "x", 1),
                     HTTP_BODY_DONE);
    assert_int_equal(decode_chunks("fffffffffffffff\r\nabc", "abc", 0), HTTP_BODY_MORE);
}

struct refusal {
    const char *text;
    int error;
};

static void refuses_bad_chunks(void **state) {
    static const struct refusal refusals[] = {
        {"\r\n", HTTP_ERR_CHUNK_SIZE},
        {";a\r\n", HTTP_ERR_CHUNK_SIZE},
        {" 1\r\n", HTTP_ERR_CHUNK_SIZE},
        {"1 \r\n", HTTP_ERR_CHUNK_SIZE},
        {"1 ;a\r\n", HTTP_ERR_CHUNK_SIZE},
        {"1\t\r\n", HTTP_ERR_CHUNK_SIZE},
        {"+1\r\n", HTTP_ERR_CHUNK_SIZE},
        {"-1\r\n", HTTP_ERR_CHUNK_SIZE},
        {"0x1\r\n", HTTP_ERR_CHUNK_SIZE},
        {"g\r\n", HTTP_ERR_CHUNK_SIZE},
        {"1_0\r\n", HTTP_ERR_CHUNK_SIZE},
        {"1\nx\r\n", HTTP_ERR_CHUNK_SIZE},
        {"1\rx", HTTP_ERR_CHUNK_SIZE},
        {"1\r\r\nx", HTTP_ERR_CHUNK_SIZE},
        {"0000000000000001\r\n", HTTP_ERR_CHUNK_SIZE},
        {"ffffffffffffffff\r\n", HTTP_ERR_CHUNK_SIZE},
        {"10000000000000001\r\n", HTTP_ERR_CHUNK_SIZE},
        {"1\r\nx\n0\r\n\r\n", HTTP_ERR_CHUNK_END},
        {"1\r\nx\rx", HTTP_ERR_CHUNK_END},
        {"1\r\nx0\r\n\r\n", HTTP_ERR_CHUNK_END},
        {"1\r\nxy\r\n0\r\n\r\n", HTTP_ERR_CHUNK_END},
        {"1;a\nx\r\n", HTTP_ERR_CHUNK_EXTENSION},
        {"1;a\x01\r\nx\r\n", HTTP_ERR_CHUNK_EXTENSION},
        {"1;a\x7f\r\nx\r\n", HTTP_ERR_CHUNK_EXTENSION},
        {"1;\xc3\xa9\r\nx\r\n", HTTP_ERR_CHUNK_EXTENSION},
        {"1;a\rx", HTTP_ERR_CHUNK_SIZE},
        {"0\r\n\n", HTTP_ERR_LINE_END},
        {"0\r\n\rx", HTTP_ERR_LINE_END},
        {"0\r\nA: b\n\r\n", HTTP_ERR_LINE_END},
        {"0\r\nA : b\r\n\r\n", HTTP_ERR_FIELD_NAME},
        {"0\r\n A: b\r\n\r\n", HTTP_ERR_FOLDED_FIELD},
        {"0\r\nGET / HTTP/1.1\r\n\r\n", HTTP_ERR_FIELD_NAME},
        {"0\r\nA: \x01\r\n\r\n", HTTP_ERR_FIELD_VALUE},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        int rc = decode_chunks(refusals[i].text, NULL, 0);
        if (rc != refusals[i].error) {
            fail_msg("%s: %d, not %d", refusals[i].text, rc, refusals[i].error);
        }
    }
}

// `before`, then n times `unit`, then `after`.
static int decode_repeated(const char *before, const char *unit, size_t n, const char *after) {
    struct buf text;
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(buf_append_text(&text, before), 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(buf_append_text(&text, unit), 0);
    }
    assert_int_equal(buf_append_text(&text, after), 0);
    int rc = decode(&chunked, buf_bytes(&text), NULL, 0);
    buf_finish(&text);
    return rc;
}

static void keeps_to_the_limits(void **state) {
    size_t most = HTTP_CHUNK_EXTENSION_MAX;
    assert_int_equal(decode_repeated("0;", "x", most, "\r\n\r\n"), HTTP_BODY_DONE);
    assert_int_equal(decode_repeated("0;", "x", most + 1, ""), HTTP_ERR_CHUNK_EXTENSION);
    most = HTTP_TRAILERS_MAX - sizeof("A:\r\n\r\n") + 1;
    assert_int_equal(decode_repeated("0\r\nA:", "x", most, "\r\n\r\n"), HTTP_BODY_DONE);
    assert_int_equal(decode_repeated("0\r\nA:", "x", most + 1, "\r\n\r\n"),
                     HTTP_ERR_TRAILERS_TOO_LARGE);
    most = HTTP_TRAILER_FIELDS_MAX;
    assert_int_equal(decode_repeated("0\r\n", "A: b\r\n", most, "\r\n"), HTTP_BODY_DONE);
    assert_int_equal(decode_repeated("0\r\n", "A: b\r\n", most + 1, "\r\n"),
                     HTTP_ERR_TRAILERS_TOO_LARGE);
    // The limit is for each chunk.
    assert_int_equal(decode_repeated("", "1;abcdefgh\r\nx\r\n", 1000, "0\r\n\r\n"), HTTP_BODY_DONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_length),
        cmocka_unit_test(reads_chunks),
        cmocka_unit_test(refuses_bad_chunks),
        cmocka_unit_test(keeps_to_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
