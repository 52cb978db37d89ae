// The scanner against the parser of the library: random streams, cut at random places, must hold the
// same events with the same data and leave the same last id.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <freshet/parser.h>

#include "base/buf.h"
#include "base/random.h"
#include "load/scan.h"

enum { STREAMS = 3000, BLOCKS = 12 };

// What an event was, as text: its length and how it began.
static void note(struct buf *log, const char *at, size_t len, size_t whole) {
    size_t head = len < SCAN_HEAD_MAX ? len : SCAN_HEAD_MAX;
    assert_int_equal(buf_printf(log, "%zu:%.*s|", whole, (int)head, at), 0);
}

static int on_parsed(void *user, const struct freshet_event *event) {
    note(user, event->data.at, event->data.len, event->data.len);
    return 0;
}

static void on_scanned(void *user, struct bytes head, size_t len) {
    assert_int_equal(head.len, len < SCAN_HEAD_MAX ? len : SCAN_HEAD_MAX);
    note(user, head.at, head.len, len);
}

static void append_value(struct random *random, struct buf *out, int64_t most) {
    int64_t len = random_between(random, 0, most);
    for (int64_t i = 0; i < len; i++) {
        char letter = "abc :xyz"[random_between(random, 0, 7)];
        assert_int_equal(buf_append(out, &letter, 1), 0);
    }
}

static void append_line(struct random *random, struct buf *out) {
    static const char *const names[] = {"data:",  "data: ", "data:  ", "data", "id:", "id: ",
                                        "id",     "event:", ":",       "dat",  "i",   "retry: 12",
                                        "datas:", "ids:",   "data: ",  "id: "};
    const char *name = names[random_between(random, 0, 15)];
    assert_int_equal(buf_append_text(out, name), 0);
    if (strchr(name, ':')) {
        append_value(random, out, random_between(random, 0, 3) ? 50 : 200);
    }
}

static void make_stream(struct random *random, struct buf *out) {
    buf_clear(out);
    const char *end = random_between(random, 0, 1) ? "\n" : "\r\n";
    for (int block = 0; block < BLOCKS; block++) {
        for (int64_t lines = random_between(random, 0, 4); lines > 0; lines--) {
            append_line(random, out);
            assert_int_equal(buf_append_text(out, end), 0);
        }
        if (random_between(random, 0, 9)) {
            assert_int_equal(buf_append_text(out, end), 0);
        }
    }
}

static struct freshet_text parse(struct freshet_parser *parser, const struct buf *stream) {
    assert_int_equal(freshet_parser_feed(parser, stream->at, stream->len), 0);
    return freshet_parser_last_id(parser);
}

static void scan(struct random *random, struct scan *scan, const struct buf *stream, int64_t most,
                 struct buf *log) {
    for (size_t at = 0; at < stream->len;) {
        size_t len = (size_t)random_between(random, 1, most);
        len = len < stream->len - at ? len : stream->len - at;
        // A copy of its own, so that a look behind its end is found out, and one that is kept too.
        char *piece = malloc(len);
        memcpy(piece, stream->at + at, len);
        scan_feed(scan, bytes_make(piece, len), on_scanned, log);
        memset(piece, '!', len);
        free(piece);
        at += len;
    }
}

static void compare_one(struct random *random, struct buf *stream, int64_t most) {
    struct freshet_parser_settings settings;
    struct freshet_parser *parser;
    struct buf parsed, scanned;
    struct scan state = {0};
    buf_init(&parsed, &mem_libc, 0);
    buf_init(&scanned, &mem_libc, 0);
    freshet_parser_settings_default(&settings);
    settings.on_event = on_parsed;
    settings.user = &parsed;
    assert_int_equal(freshet_parser_open(&parser, &settings), 0);
    struct freshet_text id = parse(parser, stream);
    scan(random, &state, stream, most, &scanned);
    assert_int_equal(parsed.len, scanned.len);
    if (parsed.len) {
        assert_memory_equal(parsed.at, scanned.at, parsed.len);
    }
    // An id that is too long counts as none.
    struct bytes told = scan_id(&state);
    assert_int_equal(told.len, id.len <= SCAN_ID_MAX ? id.len : 0);
    assert_memory_equal(told.at, id.at, told.len);
    freshet_parser_close(&parser);
    buf_finish(&parsed);
    buf_finish(&scanned);
}

static void it_agrees_with_the_parser(void **state) {
    struct random random = {.state = 42};
    struct buf stream;
    buf_init(&stream, &mem_libc, 0);
    for (int i = 0; i < STREAMS; i++) {
        make_stream(&random, &stream);
        compare_one(&random, &stream, 1);
        compare_one(&random, &stream, 20);
        compare_one(&random, &stream, 400);
        compare_one(&random, &stream, 100000);
    }
    buf_finish(&stream);
}

static void lines_of_any_length_cost_no_memory(void **state) {
    struct scan scan = {0};
    struct buf log;
    static char piece[4096];
    buf_init(&log, &mem_libc, 0);
    memset(piece, 'x', sizeof(piece));
    scan_feed(&scan, bytes_of("data: 0123456789"), on_scanned, &log);
    for (int i = 0; i < 1000; i++) {
        scan_feed(&scan, bytes_make(piece, sizeof(piece)), on_scanned, &log);
    }
    scan_feed(&scan, bytes_of("\n\n"), on_scanned, &log);
    assert_string_equal(log.at, "4096010:0123456789xxxxxxxxxxxxxxxxxxxxxx|");
    buf_finish(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_the_parser),
        cmocka_unit_test(lines_of_any_length_cost_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
