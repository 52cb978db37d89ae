// The writer: the exact bytes, what it refuses, and that nothing in a field breaks the framing.
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <freshet/writer.h>

#include "stream/transcript.h"

static struct freshet_text text(const char *at) {
    return (struct freshet_text){at, strlen(at)};
}

// Writes into memory of exactly the size that was announced, so that a byte too many is caught.
static struct freshet_text write_event(const struct freshet_event *event) {
    int64_t size = freshet_event_size(event);
    assert_true(size > 0);
    char *out = malloc((size_t)size);
    assert_non_null(out);
    assert_int_equal(freshet_event_write(event, out), size);
    return (struct freshet_text){out, (size_t)size};
}

static void expect(const struct freshet_event *event, const char *want) {
    struct freshet_text got = write_event(event);
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.at, want, got.len);
    free((void *)(uintptr_t)got.at);
}

static void data_of(struct freshet_text data, const char *want) {
    struct freshet_event event = FRESHET_EVENT_INIT;
    event.data = data;
    expect(&event, want);
}

static void all_fields_in_order(void **state) {
    struct freshet_event event = {text("7-1"), text("add"), text("a\nb"), 2500, 0};
    expect(&event, "id: 7-1\nevent: add\nretry: 2500\ndata: a\ndata: b\n\n");
}

static void absent_and_empty_fields(void **state) {
    struct freshet_event event = FRESHET_EVENT_INIT;
    event.data = text("a");
    expect(&event, "data: a\n\n");
    event.type = text("");
    expect(&event, "data: a\n\n");
    event.id = text("");
    expect(&event, "id:\ndata: a\n\n");
    event.id = (struct freshet_text){0};
    event.type = text("t");
    expect(&event, "event: t\ndata: a\n\n");
    event.retry = 0;
    expect(&event, "event: t\nretry: 0\ndata: a\n\n");
    event.retry = INT64_MAX;
    expect(&event, "event: t\nretry: 9223372036854775807\ndata: a\n\n");
}

static void data_is_split(void **state) {
    data_of(text(""), "data:\n\n");
    data_of(text(" a"), "data:  a\n\n");
    data_of(text("\n"), "data:\ndata:\n\n");
    data_of(text("\r"), "data:\ndata:\n\n");
    data_of(text("\r\n"), "data:\ndata:\n\n");
    data_of(text("\n\r"), "data:\ndata:\ndata:\n\n");
    data_of(text("\n\n"), "data:\ndata:\ndata:\n\n");
    data_of(text("\r\r"), "data:\ndata:\ndata:\n\n");
    data_of(text("a\nb\rc\r\nd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
    data_of(text("a\r\n\r\nb\r\r\nc"), "data: a\ndata:\ndata: b\ndata:\ndata: c\n\n");
    data_of(text("a\n"), "data: a\ndata:\n\n");
    data_of(text("\xE2\x80\xA8\xC2\x85\x0B"), "data: \xE2\x80\xA8\xC2\x85\x0B\n\n");
    data_of((struct freshet_text){"a\r\n", 2}, "data: a\ndata:\n\n");
    data_of((struct freshet_text){"a\nb", 1}, "data: a\n\n");
}

static void nul_in_data(void **state) {
    struct freshet_event event = FRESHET_EVENT_INIT;
    event.data = (struct freshet_text){"a\0b", 3};
    struct freshet_text got = write_event(&event);
    assert_int_equal(got.len, 11);
    assert_memory_equal(got.at, "data: a\0b\n\n", got.len);
    free((void *)(uintptr_t)got.at);
}

static void refuse(struct freshet_event event) {
    assert_int_equal(freshet_event_size(&event), FRESHET_ERR_INVALID);
}

static void what_is_refused(void **state) {
    refuse((struct freshet_event)FRESHET_EVENT_INIT);
    refuse((struct freshet_event){.id = text("1"), .retry = 5});
    refuse((struct freshet_event){.data = text("a"), .retry = -2});
    refuse((struct freshet_event){.data = text("a"), .retry = INT64_MIN});
    refuse((struct freshet_event){.data = text("a\xFF"), .retry = -1});
    refuse((struct freshet_event){.data = text("a"), .id = text("\xC3"), .retry = -1});
    refuse((struct freshet_event){.data = text("a"), .type = text("\xED\xA0\x80"), .retry = -1});
}

// Each field with each break in each place. What is written must parse as one event, the fields of
// which hold the break as LF, or it must be refused.
static void no_field_breaks_the_framing(void **state) {
    static const struct freshet_text breaks[] = {{"\r", 1},          {"\n", 1},   {"\r\n", 2},
                                                 {"\n\n", 2},        {"\r\r", 2}, {"\0", 1},
                                                 {"\xE2\x80\xA8", 3}};
    for (size_t i = 0; i < 7; i++) {
        for (size_t place = 0; place <= 4; place++) {
            char value[16] = "data", *at = value + place;
            memmove(at + breaks[i].len, at, 4 - place);
            memcpy(at, breaks[i].at, breaks[i].len);
            struct freshet_text broken = {value, 4 + breaks[i].len};
            struct freshet_event in_id = {broken, text("t"), text("d"), -1, 0};
            struct freshet_event in_type = {text("i"), broken, text("d"), -1, 0};
            struct freshet_event in_data = {text("i"), text("t"), broken, -1, 0};
            int64_t want = breaks[i].len == 3 ? 0 : FRESHET_ERR_INVALID;
            int64_t id_size = freshet_event_size(&in_id), type_size = freshet_event_size(&in_type);
            assert_true(want ? id_size == want && type_size == want : id_size > 0 && type_size > 0);
            struct freshet_text bytes = write_event(&in_data);
            struct transcript transcript = {0};
            struct freshet_parser_settings settings;
            struct freshet_parser *parser;
            freshet_parser_settings_default(&settings);
            transcript_listen(&transcript, &settings);
            assert_int_equal(freshet_parser_open(&parser, &settings), 0);
            assert_int_equal(freshet_parser_feed(parser, bytes.at, bytes.len), 0);
            assert_int_equal(transcript.events, 1);
            freshet_parser_close(&parser);
            transcript_finish(&transcript);
            free((void *)(uintptr_t)bytes.at);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_in_order), cmocka_unit_test(absent_and_empty_fields),
        cmocka_unit_test(data_is_split),       cmocka_unit_test(nul_in_data),
        cmocka_unit_test(what_is_refused),     cmocka_unit_test(no_field_breaks_the_framing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
