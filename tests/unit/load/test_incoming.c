// Responses in every framing, whole and one byte at a time.
#include "support.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "load/incoming.h"

struct read {
    struct incoming incoming;
    struct buf body;
    int heads, ends, status, wrong;
};

static void feed(struct read *read, struct bytes rest) {
    struct bytes body;
    for (;;) {
        int step = incoming_next(&read->incoming, &rest, &body);
        if (step == INCOMING_HEAD) {
            read->heads++;
            read->status = read->incoming.status;
        } else if (step == INCOMING_BODY) {
            assert_int_equal(buf_append(&read->body, body.at, body.len), 0);
        } else if (step == INCOMING_DONE) {
            read->ends++;
            read->incoming = (struct incoming){0};
            if (rest.len == 0) {
                return;
            }
        } else {
            read->wrong = step < 0 ? step : read->wrong;
            return;
        }
    }
}

static void check(const char *text, const char *body, int ends, int status) {
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        struct read read = {0};
        buf_init(&read.body, &mem_libc, 0);
        for (size_t at = 0; at < strlen(text); at += piece) {
            size_t len = strlen(text) - at;
            feed(&read, bytes_make(text + at, len < piece ? len : piece));
        }
        assert_int_equal(read.wrong, 0);
        assert_int_equal(read.status, status);
        assert_int_equal(read.ends, ends);
        assert_int_equal(read.body.len, strlen(body));
        if (*body) {
            assert_memory_equal(read.body.at, body, strlen(body));
        }
        buf_finish(&read.body);
    }
}

static void until_the_connection_ends(void **state) {
    check("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n:\nretry: 3000\ndata: a\n\n",
          ":\nretry: 3000\ndata: a\n\n", 0, 200);
}

static void counted(void **state) {
    check("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 201 Created\r\n"
          "Content-Length: 0\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 1\r\n\r\n!",
          "hello!", 3, 202);
}

static void chunked(void **state) {
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n"
        "0\r\nTrailer: x\r\n\r\n",
        "hello0123456789", 1, 200);
}

static void without_a_body(void **state) {
    check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "", 1, 204);
}

static void long_header_lines_are_cut(void **state) {
    char text[2000] = "HTTP/1.1 200 OK\r\nX: ";
    memset(text + strlen(text), 'y', 1500);
    strcat(text, "\r\nContent-Length: 2\r\n\r\nok");
    check(text, "ok", 1, 200);
}

static void what_is_no_http_is_refused(void **state) {
    struct read read = {0};
    feed(&read, bytes_of("SSH-2.0-OpenSSH\r\n"));
    assert_int_equal(read.wrong, ERR_INVALID);
    read = (struct read){0};
    feed(&read, bytes_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"));
    assert_int_equal(read.wrong, ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(until_the_connection_ends),
        cmocka_unit_test(counted),
        cmocka_unit_test(chunked),
        cmocka_unit_test(without_a_body),
        cmocka_unit_test(long_header_lines_are_cut),
        cmocka_unit_test(what_is_no_http_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
