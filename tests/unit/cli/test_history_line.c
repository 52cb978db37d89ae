// The lines of an export: what is in them, and that reading one back makes the same event.
#include "cli/history_line.h"

#include <string.h>

#include "base/json.h"
#include "server/publish_item.h"
#include "support.h"

static const struct hash_key key = {1, 2};

static struct freshet_text text_of(const char *text) {
    return (struct freshet_text){.at = text, .len = text ? strlen(text) : 0};
}

static struct frame *make_keyed(const char *topic, const char *other, const char *event_key,
                                const struct freshet_event *event) {
    struct topic_name names[2] = {{.text = bytes_of(topic)},
                                  {.text = bytes_of(other ? other : "")}};
    struct frame *frame;
    for (int i = 0; i < 2; i++) {
        names[i].hash = hash_bytes(&key, names[i].text.at, names[i].text.len);
    }
    assert_int_equal(
        frame_create_keyed(&frame, &mem_libc, names, other ? 2 : 1, event, bytes_of(event_key)), 0);
    frame_seal(frame, id_from_ms(1767225600000) + 7);
    return frame;
}

static struct frame *make(const char *topic, const char *other, const struct freshet_event *event) {
    return make_keyed(topic, other, "", event);
}

static void assert_line(struct frame *frame, const char *wanted) {
    struct buf line, text;
    struct bytes value;
    struct publish_item item = {0};
    buf_init(&line, &mem_libc, 0);
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(history_line_append(&line, frame), 0);
    assert_int_equal(line.len, strlen(wanted));
    assert_memory_equal(line.at, wanted, line.len);

    assert_int_equal(json_validate(buf_bytes(&line), 64, &value), 0);
    assert_int_equal(publish_item_read(&text, &key, value, &item), 0);
    assert_non_null(item.frame);
    assert_int_equal(item.at, frame->id);
    frame_seal(item.frame, item.at);
    assert_true(bytes_equal(frame_bytes(item.frame), frame_bytes(frame)));
    assert_int_equal(item.frame->topic_count, frame->topic_count);
    assert_true(bytes_equal(frame_key(item.frame), frame_key(frame)));
    frame_unref(item.frame);
    frame_unref(frame);
    buf_finish(&line);
    buf_finish(&text);
}

static void an_event_is_a_line(void **state) {
    struct freshet_event event = {.data = text_of("hello"), .retry = -1};
    assert_line(make("a", NULL, &event),
                "{\"at\":\"1767225600000-7\",\"topic\":\"a\",\"data\":\"hello\"}\n");
    assert_line(
        make_keyed("a", NULL, "k\"1", &event),
        "{\"at\":\"1767225600000-7\",\"topic\":\"a\",\"key\":\"k\\\"1\",\"data\":\"hello\"}\n");
    event.data = text_of("");
    assert_line(make("a", "b/c", &event),
                "{\"at\":\"1767225600000-7\",\"topics\":[\"a\",\"b/c\"],\"data\":\"\"}\n");
}

static void everything_a_publisher_said_is_there(void **state) {
    struct freshet_event event = {.data = text_of("a \"b\"\n\n\tc\xc3\xa9\x01\n"),
                                  .type = text_of("retry: 5"),
                                  .id = text_of("retry: 6"),
                                  .retry = 2500};
    assert_line(
        make("a", NULL, &event),
        "{\"at\":\"1767225600000-7\",\"topic\":\"a\",\"event\":\"retry: 5\",\"id\":\"retry: "
        "6\",\"retry\":2500,\"data\":\"a \\\"b\\\"\\n\\n\\tc\xc3\xa9\\u0001\\n\"}\n");
    event.retry = -1;
    assert_line(
        make("a", NULL, &event),
        "{\"at\":\"1767225600000-7\",\"topic\":\"a\",\"event\":\"retry: 5\",\"id\":\"retry: "
        "6\",\"data\":\"a \\\"b\\\"\\n\\n\\tc\xc3\xa9\\u0001\\n\"}\n");
}

static void retry_is_found_or_not(void **state) {
    struct freshet_event event = {.data = text_of("retry: 9"), .retry = 0};
    struct frame *frame = make("a", NULL, &event);
    assert_int_equal(frame_retry(frame), 0);
    frame_unref(frame);
    event.retry = INT32_MAX;
    frame = make("a", NULL, &event);
    assert_int_equal(frame_retry(frame), INT32_MAX);
    frame_unref(frame);
    event.retry = -1;
    frame = make("a", NULL, &event);
    assert_int_equal(frame_retry(frame), -1);
    frame_unref(frame);
    assert_int_equal(frame_create_raw(&frame, &mem_libc, bytes_of(":\nretry: 5\n")), 0);
    assert_int_equal(frame_retry(frame), -1);
    frame_unref(frame);
}

static void a_buffer_that_refuses_stays_as_it_was(void **state) {
    struct freshet_event event = {.data = text_of("hello"), .id = text_of("x"), .retry = 5};
    struct frame *frame = make("a", "b", &event);
    struct test_mem mem;
    int rc = -1;
    for (long fail_at = 1; rc; fail_at++) {
        struct buf out;
        test_mem_init(&mem);
        mem.fail_at = fail_at;
        buf_init(&out, &mem.mem, 0);
        rc = history_line_append(&out, frame);
        assert_true(rc == 0 || out.len == 0);
        buf_finish(&out);
        test_mem_finish(&mem);
    }
    frame_unref(frame);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_line),
        cmocka_unit_test(everything_a_publisher_said_is_there),
        cmocka_unit_test(retry_is_found_or_not),
        cmocka_unit_test(a_buffer_that_refuses_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
