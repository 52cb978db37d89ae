// The parser's lifetime: what ends a stream, what a reset keeps, when things happen. What the
// format means is in the vectors.
#include "support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <freshet/parser.h>

#include "stream/transcript.h"

struct fixture {
    struct test_mem mem;
    struct transcript transcript;
    struct freshet_parser_settings settings;
    struct freshet_parser *parser;
};

static void prepare(struct fixture *fixture) {
    *fixture = (struct fixture){0};
    test_mem_init(&fixture->mem);
    freshet_parser_settings_default(&fixture->settings);
    fixture->settings.allocator.resize = fixture->mem.mem.resize;
    fixture->settings.allocator.ctx = fixture->mem.mem.ctx;
    transcript_listen(&fixture->transcript, &fixture->settings);
}

static void begin(struct fixture *fixture) {
    assert_int_equal(freshet_parser_open(&fixture->parser, &fixture->settings), 0);
}

static void end(struct fixture *fixture) {
    freshet_parser_close(&fixture->parser);
    assert_null(fixture->parser);
    test_mem_finish(&fixture->mem);
    transcript_finish(&fixture->transcript);
}

static int feed(struct fixture *fixture, const char *bytes) {
    return freshet_parser_feed(fixture->parser, bytes, strlen(bytes));
}

static void expect(struct fixture *fixture, const char *want) {
    assert_int_equal(fixture->transcript.len, strlen(want));
    assert_memory_equal(fixture->transcript.text ? fixture->transcript.text : "", want,
                        strlen(want));
    fixture->transcript.len = 0;
}

static void expect_last_id(const struct fixture *fixture, const char *want) {
    struct freshet_text id = freshet_parser_last_id(fixture->parser);
    assert_non_null(id.at);
    assert_int_equal(id.len, strlen(want));
    assert_memory_equal(id.at, want, id.len);
}

static void an_event_waits_for_nothing(void **state) {
    struct fixture f;
    prepare(&f);
    begin(&f);
    assert_int_equal(feed(&f, "data: a\r"), 0);
    expect(&f, "");
    assert_int_equal(feed(&f, "\r"), 0);
    expect(&f, "event \"\" \"a\" id \"\"\n");
    assert_int_equal(feed(&f, "\nretry: 5"), 0);
    expect(&f, "");
    assert_int_equal(feed(&f, "\r"), 0);
    expect(&f, "retry 5\n");
    end(&f);
}

static void reset_keeps_only_the_last_id(void **state) {
    struct fixture f;
    prepare(&f);
    begin(&f);
    assert_int_equal(feed(&f, "id: 1\ndata: a\n\nid: 2\nevent: x\nretry: 7\ndata: b\ndata: c"), 0);
    f.transcript.len = 0;
    expect_last_id(&f, "1");
    freshet_parser_reset(f.parser);
    expect_last_id(&f, "1");
    // A byte order mark may come again, and an LF no longer belongs to a CR of the stream before.
    assert_int_equal(feed(&f, "\xEF\xBB\xBF"
                              "data: d\n\ndata: e\r\r"),
                     0);
    expect(&f, "event \"\" \"d\" id \"1\"\nevent \"\" \"e\" id \"1\"\n");
    freshet_parser_reset(f.parser);
    assert_int_equal(feed(&f, "\ndata: f\n\n: a comment cut short"), 0);
    expect(&f, "event \"\" \"f\" id \"1\"\n");
    freshet_parser_reset(f.parser);
    assert_int_equal(feed(&f, "data: g\n\n"), 0);
    expect(&f, "event \"\" \"g\" id \"1\"\n");
    end(&f);
}

static void a_stream_can_be_continued(void **state) {
    struct fixture f;
    char id[] = "41\xFF";
    prepare(&f);
    f.settings.last_id = (struct freshet_text){id, 3};
    begin(&f);
    memset(id, 'x', sizeof id);
    expect_last_id(&f, "41\xEF\xBF\xBD");
    assert_int_equal(feed(&f, "data: a\n\n"), 0);
    expect(&f, "event \"\" \"a\" id \"41\xEF\xBF\xBD\"\n");
    assert_int_equal(feed(&f, "id\n\n"), 0);
    expect_last_id(&f, "");
    end(&f);
}

static void a_callback_can_stop_the_feed(void **state) {
    struct fixture f;
    prepare(&f);
    f.transcript.stop_at = 2;
    begin(&f);
    const char *stream = "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\nretry: 1\ndata: c\n\n";
    assert_int_equal(feed(&f, stream), FRESHET_ERR_STOPPED);
    expect(&f, "event \"\" \"a\" id \"1\" own\nevent \"\" \"b\" id \"2\" own\n");
    assert_int_equal(feed(&f, "data: d\n\n"), FRESHET_ERR_STOPPED);
    assert_int_equal(freshet_parser_feed(f.parser, "", 0), FRESHET_ERR_STOPPED);
    expect(&f, "");
    expect_last_id(&f, "2");
    freshet_parser_reset(f.parser);
    assert_int_equal(feed(&f, "data: d\n\n"), 0);
    expect(&f, "event \"\" \"d\" id \"2\"\n");
    end(&f);
}

static void callbacks_are_optional(void **state) {
    struct fixture f;
    prepare(&f);
    f.settings.on_event = NULL;
    f.settings.on_retry = NULL;
    begin(&f);
    assert_int_equal(feed(&f, "id: 1\nretry: 1\ndata: a\n\n"), 0);
    expect_last_id(&f, "1");
    end(&f);
}

static void settings_are_checked(void **state) {
    struct fixture f;
    prepare(&f);
    struct freshet_parser_settings good = f.settings;
    f.settings.max_line = 15;
    f.parser = (struct freshet_parser *)&f;
    assert_int_equal(freshet_parser_open(&f.parser, &f.settings), FRESHET_ERR_INVALID);
    assert_null(f.parser);
    f.settings = good;
    f.settings.retry_min = -1;
    assert_int_equal(freshet_parser_open(&f.parser, &f.settings), FRESHET_ERR_INVALID);
    f.settings = good;
    f.settings.retry_min = f.settings.retry_max + 1;
    assert_int_equal(freshet_parser_open(&f.parser, &f.settings), FRESHET_ERR_INVALID);
    f.settings = good;
    f.settings.last_id = (struct freshet_text){"a\nb", 3};
    assert_int_equal(freshet_parser_open(&f.parser, &f.settings), FRESHET_ERR_INVALID);
    f.settings.last_id = (struct freshet_text){"abc", 3};
    f.settings.max_id = 2;
    assert_int_equal(freshet_parser_open(&f.parser, &f.settings), FRESHET_ERR_TOO_LARGE);
    assert_null(f.parser);
    end(&f);
}

static void retry_is_clamped(void **state) {
    struct fixture f;
    prepare(&f);
    f.settings.retry_min = 100;
    f.settings.retry_max = 5000;
    begin(&f);
    assert_int_equal(feed(&f, "retry:0\nretry:99\nretry:100\nretry:5000\nretry:5001\n"
                              "retry:99999999999999999999999999\n"),
                     0);
    expect(&f, "retry 100\nretry 100\nretry 100\nretry 5000\nretry 5000\nretry 5000\n");
    end(&f);
}

// Feeds the stream in pieces of each of some sizes: `events` come first, then the error.
static void expect_limit(const struct freshet_parser_settings *limits, const char *stream,
                         size_t events, int want) {
    static const size_t pieces[] = {1, 2, 3, 5, 7, 16, 33, 1u << 20};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct fixture f;
        prepare(&f);
        f.settings.max_line = limits->max_line ? limits->max_line : f.settings.max_line;
        f.settings.max_event = limits->max_event ? limits->max_event : f.settings.max_event;
        f.settings.max_id = limits->max_id ? limits->max_id : f.settings.max_id;
        f.settings.max_type = limits->max_type ? limits->max_type : f.settings.max_type;
        begin(&f);
        int rc = 0;
        for (size_t at = 0, len = strlen(stream); rc == 0 && at < len; at += pieces[i]) {
            size_t piece = pieces[i] < len - at ? pieces[i] : len - at;
            rc = freshet_parser_feed(f.parser, stream + at, piece);
        }
        assert_int_equal(rc, want);
        assert_int_equal(f.transcript.events, events);
        assert_int_equal(feed(&f, "\n\ndata: z\n\n"), want);
        freshet_parser_reset(f.parser);
        assert_int_equal(feed(&f, "data: z\n\n"), 0);
        end(&f);
    }
}

static void lines_have_a_limit(void **state) {
    struct freshet_parser_settings limits = {.max_line = 16};
    expect_limit(&limits, "data: 0123456789\n\n", 1, 0);
    expect_limit(&limits, "data: a\n\ndata: 0123456789a\n\n", 1, FRESHET_ERR_TOO_LARGE);
    expect_limit(&limits, "data: a\n\ndata: 0123456789a", 1, FRESHET_ERR_TOO_LARGE);
    expect_limit(&limits, "retry: 0000000001\n", 0, FRESHET_ERR_TOO_LARGE);
    expect_limit(&limits, ": 0123456789012345678901234567890123456789\ndata: a\n\n", 1, 0);
    expect_limit(&limits, "datum: 0123456789012345678901234567890123\ndata: a\n\n", 1, 0);
    expect_limit(&limits, "eventual0123456789012345678901234567890123\ndata: a\n\n", 1, 0);
}

static void events_have_a_limit(void **state) {
    struct freshet_parser_settings limits = {.max_event = 8};
    expect_limit(&limits, "data: 01234567\n\n", 1, 0);
    expect_limit(&limits, "data: 012345678\n\n", 0, FRESHET_ERR_TOO_LARGE);
    expect_limit(&limits, "data: 0123\ndata: 456\n\n", 1, 0);
    expect_limit(&limits, "data: 0123\ndata: 4567\n\n", 0, FRESHET_ERR_TOO_LARGE);
    expect_limit(&limits, "data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n", 1, 0);
    expect_limit(&limits, "data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n", 0,
                 FRESHET_ERR_TOO_LARGE);
    // A replacement takes three bytes where there was one.
    expect_limit(&limits, "data: \xFF\xFF\n\n", 1, 0);
    expect_limit(&limits, "data: \xFF\xFF\xFF\n\n", 0, FRESHET_ERR_TOO_LARGE);
}

static void names_have_limits(void **state) {
    struct freshet_parser_settings limits = {.max_id = 4, .max_type = 3};
    expect_limit(&limits, "id: 1234\nevent: abc\ndata: a\n\n", 1, 0);
    expect_limit(&limits, "id: 12345\ndata: a\n\n", 0, FRESHET_ERR_TOO_LARGE);
    expect_limit(&limits, "event: abcd\ndata: a\n\n", 0, FRESHET_ERR_TOO_LARGE);
}

// What does not matter costs no memory, whole or in pieces.
static void skipped_lines_cost_nothing(void **state) {
    struct fixture f;
    prepare(&f);
    begin(&f);
    assert_int_equal(feed(&f, "x"), 0);
    long calls = f.mem.calls;
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(feed(&f, "data: unknown, for it began with x"), 0);
    }
    assert_int_equal(feed(&f, "\n:"), 0);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(feed(&f, "data: a comment"), 0);
    }
    assert_true(f.mem.calls - calls <= 1);
    assert_int_equal(feed(&f, "\ndata: a\n\n"), 0);
    expect(&f, "event \"\" \"a\" id \"\"\n");
    end(&f);
}

// Whatever lies whole in what is fed is not copied: one block costs memory for its id alone.
static void whole_lines_are_not_copied(void **state) {
    struct fixture f;
    prepare(&f);
    begin(&f);
    long calls = f.mem.calls;
    assert_int_equal(feed(&f, "event: a\ndata: b\n\nevent: c\ndata: d\n\n"), 0);
    assert_int_equal(f.mem.calls, calls);
    end(&f);
}

static const char everything[] =
    "\xEF\xBB\xBFretry: 5\nid: 1\nevent: a\ndata: b\n\n"
    "id: 22222222222222222222222222222222222222222222222222222222222222222222222222222222222222\n"
    "event: ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\xFF\n"
    "data: one\xC3\ndata: two\ndata: three\n: comment\nunknown: field\n\ndata: four\n\n";

// Each allocation of the run fails once. The parser says so and keeps saying so, what it delivered
// before stands, it leaks nothing, and after a reset it works.
static void every_allocation_can_fail(void **state) {
    static const size_t pieces[] = {1, 13, sizeof everything};
    for (size_t i = 0; i < 3; i++) {
        bool failed = true;
        for (long n = 1; failed; n++) {
            struct fixture f;
            prepare(&f);
            f.settings.last_id = (struct freshet_text){"seed", 4};
            f.mem.fail_at = n;
            int rc = freshet_parser_open(&f.parser, &f.settings);
            failed = rc != 0;
            for (size_t at = 0; rc == 0 && at < sizeof everything - 1; at += pieces[i]) {
                size_t left = sizeof everything - 1 - at;
                rc = freshet_parser_feed(f.parser, everything + at,
                                         pieces[i] < left ? pieces[i] : left);
            }
            assert_true(rc == 0 || rc == FRESHET_ERR_NOMEM);
            if (rc && f.parser) {
                failed = true;
                assert_int_equal(feed(&f, "\n\ndata: x\n\n"), FRESHET_ERR_NOMEM);
                freshet_parser_reset(f.parser);
                assert_non_null(freshet_parser_last_id(f.parser).at);
                assert_true(freshet_parser_last_id(f.parser).len > 0);
                assert_int_equal(feed(&f, everything), 0);
            }
            end(&f);
        }
    }
}

static void errors_have_words(void **state) {
    for (int error = 0; error >= -6; error--) {
        assert_true(strlen(freshet_strerror(error)) > 0);
    }
    assert_string_equal(freshet_strerror(1), freshet_strerror(-1000));
}

static void closing_nothing_is_fine(void **state) {
    struct freshet_parser *parser = NULL;
    freshet_parser_close(&parser);
    assert_null(parser);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_waits_for_nothing),
        cmocka_unit_test(reset_keeps_only_the_last_id),
        cmocka_unit_test(a_stream_can_be_continued),
        cmocka_unit_test(a_callback_can_stop_the_feed),
        cmocka_unit_test(callbacks_are_optional),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(retry_is_clamped),
        cmocka_unit_test(lines_have_a_limit),
        cmocka_unit_test(events_have_a_limit),
        cmocka_unit_test(names_have_limits),
        cmocka_unit_test(skipped_lines_cost_nothing),
        cmocka_unit_test(whole_lines_are_not_copied),
        cmocka_unit_test(every_allocation_can_fail),
        cmocka_unit_test(errors_have_words),
        cmocka_unit_test(closing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
