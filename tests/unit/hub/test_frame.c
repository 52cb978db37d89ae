// Frames: the bytes, the parts, the id line, and who keeps them alive.
#include "support.h"

#include <stdio.h>

#include "base/error.h"
#include "hub/encoding.h"
#include "hub/fake.h"

static struct test_mem mem;

static int setup(void **state) {
    test_mem_init(&mem);
    return 0;
}

static int teardown(void **state) {
    test_mem_finish(&mem);
    return 0;
}

static struct freshet_text text(const char *at) {
    return (struct freshet_text){.at = at, .len = at ? strlen(at) : 0};
}

static struct frame *create(const char *id, const char *type, int64_t retry, const char *data) {
    struct topic_name topics[] = {fake_name("first"), fake_name("second")};
    struct freshet_event event = {
        .id = text(id), .type = text(type), .data = text(data), .retry = retry};
    struct frame *frame;
    assert_int_equal(frame_create(&frame, &mem.mem, topics, 2, &event), 0);
    return frame;
}

static void assert_encodes(const struct frame *frame, enum encoding encoding, const char *want) {
    struct buf out;
    buf_init(&out, &mem.mem, 0);
    assert_int_equal(encoding_append(encoding, frame, &out), 0);
    assert_int_equal(buf_append(&out, "", 1), 0);
    assert_string_equal(out.at, want);
    buf_finish(&out);
}

// One WebSocket text message, not masked.
static void assert_message(const struct frame *frame, enum encoding encoding, const char *want) {
    char head[WS_HEAD_MAX];
    size_t size = ws_frame_head(head, WS_TEXT, strlen(want));
    struct buf out;
    buf_init(&out, &mem.mem, 0);
    assert_int_equal(encoding_append(encoding, frame, &out), 0);
    assert_int_equal(out.len, size + strlen(want));
    assert_memory_equal(out.at, head, size);
    assert_memory_equal(out.at + size, want, strlen(want));
    buf_finish(&out);
}

static void assert_head(uint64_t len, const char *want, size_t size) {
    char head[WS_HEAD_MAX];
    assert_int_equal(ws_frame_head(head, WS_TEXT, len), size);
    assert_memory_equal(head, want, size);
}

static void test_message_heads(void **state) {
    assert_head(0, "\x81\x00", 2);
    assert_head(125, "\x81\x7d", 2);
    assert_head(126, "\x81\x7e\x00\x7e", 4);
    assert_head(65535, "\x81\x7e\xff\xff", 4);
    assert_head(65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10);
}

static void test_long_message(void **state) {
    static char data[70001], json[70100];
    memset(data, 'x', sizeof(data) - 1);
    snprintf(json, sizeof(json),
             "{\"id\":\"0-1\",\"topic\":\"first\",\"event\":\"message\",\"data\":\"%s\"}", data);
    struct frame *frame = create(NULL, NULL, -1, data);
    frame_seal(frame, 1);
    assert_message(frame, ENCODING_WS_JSON, json);
    frame_unref(frame);
}

static void check(struct frame *frame, const char *stream, const char *json) {
    size_t before = frame_cost(frame);
    char other[512] = ",";
    frame_seal(frame, 1048576 * 5 + 7);
    assert_int_equal(frame_cost(frame), before); // whatever was charged is given back
    assert_encodes(frame, ENCODING_EVENT_STREAM, stream);
    assert_encodes(frame, ENCODING_ITEMS, strcat(other, json));
    assert_encodes(frame, ENCODING_NDJSON, strcat(other, "\n") + 1);
    assert_message(frame, ENCODING_WS_JSON, json);
    assert_message(frame, ENCODING_WS_STREAM, stream);
    frame_unref(frame);
}

static void test_plain(void **state) {
    check(create(NULL, NULL, -1, "hello"), "id: 5-7\ndata: hello\n\n",
          "{\"id\":\"5-7\",\"topic\":\"first\",\"event\":\"message\",\"data\":\"hello\"}");
}

static void test_everything(void **state) {
    check(create("mine", "tick", 3000, "a\n\n b\r\nc"),
          "id: mine\nevent: tick\nretry: 3000\ndata: a\ndata:\ndata:  b\ndata: c\n\n",
          "{\"id\":\"mine\",\"topic\":\"first\",\"event\":\"tick\",\"data\":\"a\\n\\n b\\nc\"}");
}

static void test_each_part_alone(void **state) {
    check(create(NULL, "tick", -1, ""), "id: 5-7\nevent: tick\ndata:\n\n",
          "{\"id\":\"5-7\",\"topic\":\"first\",\"event\":\"tick\",\"data\":\"\"}");
    check(create(NULL, NULL, 0, "\n"), "id: 5-7\nretry: 0\ndata:\ndata:\n\n",
          "{\"id\":\"5-7\",\"topic\":\"first\",\"event\":\"message\",\"data\":\"\\n\"}");
    check(create("x", NULL, -1, "\"\\\x01"), "id: x\ndata: \"\\\x01\n\n",
          "{\"id\":\"x\",\"topic\":\"first\",\"event\":\"message\",\"data\":\"\\\"\\\\\\u0001\"}");
}

// An id of no bytes would clear the listener's cursor: it is none.
static void test_empty_own_id(void **state) {
    check(create("", "t", -1, "x"), "id: 5-7\nevent: t\ndata: x\n\n",
          "{\"id\":\"5-7\",\"topic\":\"first\",\"event\":\"t\",\"data\":\"x\"}");
}

static void test_longest_id(void **state) {
    struct frame *frame = create(NULL, NULL, -1, "x");
    frame_seal(frame, UINT64_MAX);
    assert_encodes(frame, ENCODING_EVENT_STREAM, "id: 17592186044415-1048575\ndata: x\n\n");
    assert_true(bytes_is(frame_topic(frame, 1).text, "second"));
    frame_unref(frame);
}

static void test_topics(void **state) {
    struct frame *frame = create(NULL, NULL, -1, "x");
    assert_int_equal(frame->topic_count, 2);
    assert_true(bytes_is(frame_topic(frame, 0).text, "first"));
    assert_true(bytes_is(frame_topic(frame, 1).text, "second"));
    assert_true(frame_topic(frame, 1).hash == fake_name("second").hash);
    frame_unref(frame);
}

static void test_lines(void **state) {
    struct frame *frame = create(NULL, NULL, -1, "a\n\nb");
    struct bytes line;
    uint32_t place = 0;
    assert_true(frame_next_line(frame, &place, &line) && bytes_is(line, "a"));
    assert_true(frame_next_line(frame, &place, &line) && bytes_is(line, ""));
    assert_true(frame_next_line(frame, &place, &line) && bytes_is(line, "b"));
    assert_false(frame_next_line(frame, &place, &line));
    assert_false(frame_next_line(frame, &place, &line));
    frame_unref(frame);
}

static void test_key(void **state) {
    struct topic_name topics[] = {fake_name("first"), fake_name("b")};
    struct freshet_event event = {.data = text("x"), .retry = -1};
    struct frame *frame;
    char longest[FRAME_KEY_MAX + 1] = "";
    assert_int_equal(frame_create_keyed(&frame, &mem.mem, topics, 2, &event, bytes_of("a\"b")), 0);
    assert_true(bytes_is(frame_key(frame), "a\"b"));
    assert_true(bytes_is(frame_topic(frame, 1).text, "b"));
    check(frame, "id: 5-7\ndata: x\n\n",
          "{\"id\":\"5-7\",\"topic\":\"first\",\"event\":\"message\",\"key\":\"a\\\"b\",\"data\":"
          "\"x\"}");
    assert_int_equal(frame_create_keyed(&frame, &mem.mem, topics, 1, &event,
                                        bytes_make(longest, sizeof(longest))),
                     ERR_TOO_LARGE);
    frame = create(NULL, NULL, -1, "x");
    assert_int_equal(frame_key(frame).len, 0);
    frame_unref(frame);
}

static void test_raw(void **state) {
    struct frame *frame;
    assert_int_equal(frame_create_raw(&frame, &mem.mem, bytes_of(":\n")), 0);
    for (int i = 0; i < ENCODING_COUNT; i++) {
        assert_encodes(frame, (enum encoding)i, ":\n");
    }
    frame_unref(frame_ref(frame));
    assert_int_equal(mem.alive, 1);
    frame_unref(frame);
    frame_unref(NULL);
}

static void test_refused(void **state) {
    struct topic_name topics[FRAME_TOPICS_MAX + 1];
    struct frame *frame;
    struct freshet_event event = {.data = text("x"), .type = text("a\nb"), .retry = -1};
    for (size_t i = 0; i <= FRAME_TOPICS_MAX; i++) {
        topics[i] = fake_name("t");
    }
    assert_int_equal(frame_create(&frame, &mem.mem, topics, 1, &event), ERR_INVALID);
    event.type = text(NULL);
    assert_int_equal(frame_create(&frame, &mem.mem, topics, FRAME_TOPICS_MAX + 1, &event),
                     ERR_TOO_LARGE);
    mem.fail_at = mem.calls + 1;
    assert_int_equal(frame_create(&frame, &mem.mem, topics, 1, &event), ERR_NOMEM);
    mem.fail_at = mem.calls + 1;
    assert_int_equal(frame_create_raw(&frame, &mem.mem, bytes_of("x")), ERR_NOMEM);
}

static void fail_encoding(const struct frame *frame, enum encoding encoding) {
    struct buf out;
    long calls = 1;
    for (long n = 1; n <= calls; n++) {
        buf_init(&out, &mem.mem, 0);
        mem.calls = 0;
        mem.fail_at = n;
        int rc = encoding_append(encoding, frame, &out);
        calls = rc ? n + 1 : n - 1; // until it gets through
        assert_true(rc == 0 || (rc == ERR_NOMEM && out.len == 0));
        buf_finish(&out);
    }
    mem.fail_at = 0;
}

static void test_encoding_without_memory(void **state) {
    char data[2000];
    memset(data, '"', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';
    struct frame *frame = create(NULL, "tick", -1, data);
    frame_seal(frame, 1);
    for (int i = 0; i < ENCODING_COUNT; i++) {
        fail_encoding(frame, (enum encoding)i);
    }
    frame_unref(frame);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_plain),
        TEST(test_everything),
        TEST(test_each_part_alone),
        TEST(test_empty_own_id),
        TEST(test_longest_id),
        TEST(test_topics),
        TEST(test_lines),
        TEST(test_raw),
        TEST(test_key),
        TEST(test_refused),
        TEST(test_encoding_without_memory),
        TEST(test_message_heads),
        TEST(test_long_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
