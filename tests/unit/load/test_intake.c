// What arrives, by each transport, in pieces of every size: the same events, and the place to go on.
#include "support.h"

#include "base/buf.h"
#include "base/error.h"
#include "load/intake.h"

struct read {
    struct intake intake;
    struct buf found;
    int begun, answered, pings, wrong;
};

static void on_found(void *ctx, struct bytes head, size_t len) {
    struct read *read = ctx;
    assert_int_equal(buf_printf(&read->found, "%.*s/%zu ", (int)head.len, head.at, len), 0);
}

static void feed(struct read *read, enum load_transport transport, struct bytes rest) {
    char room[64];
    struct intake_way way = {transport, on_found, read, room, sizeof(room)};
    for (;;) {
        int step = intake_next(&read->intake, &rest, &way);
        read->begun += step == INTAKE_BEGUN;
        read->answered += step == INTAKE_ANSWERED;
        read->pings += step == INTAKE_PING;
        if (step <= INTAKE_MORE) {
            read->wrong = step < 0 ? step : read->wrong;
            return;
        }
    }
}

static void read_all(struct read *read, enum load_transport transport, struct bytes all,
                     size_t piece) {
    *read = (struct read){0};
    buf_init(&read->found, &mem_libc, 0);
    for (size_t at = 0; at < all.len && read->wrong == 0; at += piece) {
        feed(read, transport, bytes_make(all.at + at, piece < all.len - at ? piece : all.len - at));
    }
}

static void done(struct read *read) {
    buf_finish(&read->found);
    intake_restart(&read->intake);
}

static void check(enum load_transport transport, struct bytes all, int begun, int answered) {
    for (size_t piece = 1; piece <= all.len; piece++) {
        struct read read;
        read_all(&read, transport, all, piece);
        assert_int_equal(read.wrong, 0);
        assert_int_equal(read.begun, begun);
        assert_int_equal(read.answered, answered);
        assert_true(bytes_is(buf_bytes(&read.found), "one/3 two/3 "));
        assert_true(bytes_is(intake_cursor(&read.intake, transport), "1-2"));
        done(&read);
    }
}

#define ONE      "{\"id\":\"1-1\",\"topic\":\"a\",\"event\":\"message\",\"data\":\"one\"}"
#define TWO_REST "\"id\":\"1-2\",\"topic\":\"a\",\"event\":\"message\",\"data\":\"two\"}"
#define TWO      "{" TWO_REST

static void by_stream(void **state) {
    check(LOAD_EVENT_STREAM,
          bytes_of("HTTP/1.1 200 OK\r\n\r\n:\nid: 1-1\ndata: one\n\nid: 1-2\ndata: two\n\n"), 1, 0);
    check(LOAD_NDJSON, bytes_of("HTTP/1.1 200 OK\r\n\r\n" ONE "\n\n" TWO "\n"), 1, 0);
}

static void by_poll(void **state) {
    check(LOAD_POLL,
          bytes_of("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLast-Event-ID: 1-0\r\n\r\n[]"
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nlast-event-id: 1-2\r\n\r\n"
                   "1\r\n[\r\n"
                   "37\r\n" ONE "\r\n1\r\n,\r\n37\r\n" TWO "\r\n1\r\n]\r\n0\r\n\r\n"),
          2, 2);
}

#define UPGRADED "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

static void by_websocket(void **state) {
    struct bytes all = bytes_of(UPGRADED "\x81\x37" ONE "\x89\x01"
                                         "!\x01\x01"
                                         "{\x80\x36" TWO_REST);
    check(LOAD_WEBSOCKET, all, 1, 0);
    struct read read;
    read_all(&read, LOAD_WEBSOCKET, all, 7);
    assert_int_equal(read.pings, 1);
    done(&read);
}

static void by_messages_of_a_stream(void **state) {
    check(LOAD_WEBSOCKET_STREAM,
          bytes_of(UPGRADED "\x81\x13"
                            "id: 1-1\ndata: one\n\n"
                            "\x81\x13"
                            "id: 1-2\ndata: two\n\n"),
          1, 0);
}

static void knows_the_wrong_answer(void **state) {
    static const struct {
        enum load_transport transport;
        const char *text;
        int error;
    } cases[] = {
        {LOAD_EVENT_STREAM, "HTTP/1.1 404 Not Found\r\n\r\n", ERR_INVALID},
        {LOAD_WEBSOCKET, "HTTP/1.1 200 OK\r\n\r\n", ERR_INVALID},
        {LOAD_POLL, "HTTP/1.1 304 Not Modified\r\n\r\n", ERR_INVALID},
        {LOAD_POLL, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]",
         ERR_GONE},
        {LOAD_NDJSON, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\n", ERR_GONE},
        {LOAD_WEBSOCKET, UPGRADED "\x88\x02\x03\xe8", ERR_GONE},
        {LOAD_WEBSOCKET, UPGRADED "\x81\x81", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct read read;
        read_all(&read, cases[i].transport, bytes_of(cases[i].text), 5);
        assert_int_equal(read.wrong, cases[i].error);
        done(&read);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_stream),
        cmocka_unit_test(by_poll),
        cmocka_unit_test(by_websocket),
        cmocka_unit_test(by_messages_of_a_stream),
        cmocka_unit_test(knows_the_wrong_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
