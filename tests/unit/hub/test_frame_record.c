// Frames written down and read back: the same frame, or an error; never a step outside the bytes.
#include "support.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/random.h"
#include "hub/fake.h"
#include "hub/frame_record.h"

static struct test_mem mem;
static const char *event_key = ""; // of what is created

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

static struct frame *create(size_t topic_count, const char *id, const char *type, int64_t retry,
                            const char *data) {
    struct topic_name topics[] = {fake_name("first"), fake_name("a/second"), fake_name("z")};
    struct freshet_event event = {
        .id = text(id), .type = text(type), .data = text(data), .retry = retry};
    struct frame *frame;
    assert_int_equal(
        frame_create_keyed(&frame, &mem.mem, topics, topic_count, &event, bytes_of(event_key)), 0);
    frame_seal(frame, 1048576 * 5 + 7);
    return frame;
}

static struct frame *create_keyed(const char *key, size_t topic_count, const char *id) {
    event_key = key;
    struct frame *frame = create(topic_count, id, "tick", -1, "hello");
    event_key = "";
    return frame;
}

// In memory of exactly its size, so that the sanitizer sees a step outside.
static struct bytes record_of(const struct frame *frame) {
    size_t size = frame_record_size(frame);
    char *at = malloc(size);
    assert_non_null(at);
    frame_record_write(frame, at);
    return bytes_make(at, size);
}

static void drop(struct bytes record) {
    free((char *)(uintptr_t)record.at);
}

static void assert_bytes_equal(struct bytes a, struct bytes b) {
    assert_true(bytes_equal(a, b));
}

static void assert_same(const struct frame *a, const struct frame *b) {
    uint32_t place_a = 0, place_b = 0;
    struct bytes line_a, line_b;
    assert_int_equal(a->id, b->id);
    assert_memory_equal(&a->once, &b->once, sizeof(a->once));
    assert_bytes_equal(frame_bytes(a), frame_bytes(b));
    assert_int_equal(a->private, b->private);
    assert_int_equal(a->topic_count, b->topic_count);
    for (size_t i = 0; i < a->topic_count; i++) {
        assert_int_equal(frame_topic(a, i).hash, frame_topic(b, i).hash);
        assert_bytes_equal(frame_topic(a, i).text, frame_topic(b, i).text);
    }
    assert_int_equal(a->own_id_len, b->own_id_len);
    assert_bytes_equal(frame_own_id(a), frame_own_id(b));
    assert_bytes_equal(frame_key(a), frame_key(b));
    assert_int_equal(a->type_len, b->type_len);
    assert_bytes_equal(frame_type(a), frame_type(b));
    while (frame_next_line(a, &place_a, &line_a)) {
        assert_true(frame_next_line(b, &place_b, &line_b));
        assert_bytes_equal(line_a, line_b);
    }
    assert_false(frame_next_line(b, &place_b, &line_b));
    assert_false(b->raw);
}

static void check(struct frame *frame) {
    struct bytes bytes = record_of(frame);
    struct frame_record record;
    struct frame *again;
    assert_int_equal(frame_record_open(&record, bytes), 0);
    assert_true(frame_record_intact(&record));
    assert_bytes_equal(frame_record_own_id(&record),
                       frame->own_id_len ? frame_own_id(frame) : bytes_make(NULL, 0));
    assert_int_equal(frame_record_frame(&record, &mem.mem, frame->id, &again), 0);
    assert_same(frame, again);
    frame_unref(again);
    frame_unref(frame);
    drop(bytes);
}

static void what_is_written_is_read(void **state) {
    check(create(1, NULL, NULL, -1, "hello"));
    check(create(3, "mine", "tick", 3000, "a\n\n b\r\nc"));
    check(create(2, NULL, "tick", -1, ""));
    check(create(1, "x", NULL, 0, "\n"));
    check(create(0, NULL, NULL, -1, "x"));
    char longest[FRAME_KEY_MAX + 1];
    memset(longest, 'k', FRAME_KEY_MAX);
    longest[FRAME_KEY_MAX] = '\0';
    check(create_keyed("AAPL", 2, NULL));
    check(create_keyed(longest, 1, "mine"));
    struct frame *private = create_keyed("k", 2, "mine");
    private->private = true;
    check(private);
    struct frame *frame = create_keyed("k", 2, "mine");
    frame->once = (struct once){.a = 0x0123456789abcdef, .b = 1};
    check(frame);
}

static void a_layout_does_not_change(void **state) {
    struct frame *frame = create(1, NULL, "t", -1, "x");
    struct bytes bytes = record_of(frame);
    // "id: 5-7", "event: t", "data: x", each with a LF, and a LF.
    assert_int_equal(frame->size, 8 + 9 + 8 + 1);
    assert_int_equal(bytes.at[4], 26);
    assert_int_equal(bytes.at[12], 15);
    assert_int_equal(bytes.at[16], 1);
    assert_int_equal(bytes.at[20], 17);
    assert_int_equal(bytes.at[26], 1);
    assert_int_equal(bytes.len, 28 + 10 + 5 + 26);
    frame_unref(frame);
    drop(bytes);
    frame = create_keyed("key", 1, NULL);
    bytes = record_of(frame);
    assert_int_equal(bytes.at[24], 2);
    assert_int_equal(bytes.at[38], 3);
    assert_memory_equal(bytes.at + 39, "firstkeyid: ", 12);
    frame_unref(frame);
    drop(bytes);
}

static void without_memory_there_is_no_frame(void **state) {
    struct frame *frame = create(2, NULL, NULL, -1, "hello"), *again;
    struct bytes bytes = record_of(frame);
    struct frame_record record;
    assert_int_equal(frame_record_open(&record, bytes), 0);
    mem.fail_at = mem.calls + 1;
    assert_int_equal(frame_record_frame(&record, &mem.mem, 1, &again), ERR_NOMEM);
    frame_unref(frame);
    drop(bytes);
}

// Everything that a reader of frames does with one.
static void use(const struct frame *frame) {
    uint32_t place = 0;
    struct bytes line;
    size_t sum = frame_bytes(frame).len;
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        sum += (unsigned char)name.text.at[name.text.len - 1];
    }
    struct bytes parts[] = {frame_own_id(frame), frame_type(frame), frame_key(frame)};
    for (int i = 0; i < 3; i++) {
        sum += parts[i].len ? (unsigned char)parts[i].at[parts[i].len - 1] : 0;
    }
    while (frame_next_line(frame, &place, &line)) {
        sum += line.len;
    }
    assert_true(sum > 0);
}

static bool try_to_read(struct bytes bytes) {
    struct frame_record record;
    struct frame *frame;
    if (frame_record_open(&record, bytes)) {
        return false;
    }
    bool intact = frame_record_intact(&record);
    assert_int_equal(frame_record_frame(&record, &mem.mem, 1, &frame), 0);
    use(frame);
    frame_unref(frame);
    return intact;
}

static void a_cut_record_is_none(void **state) {
    struct frame *frame = create_keyed("a key", 3, "mine");
    struct bytes bytes = record_of(frame);
    for (size_t len = 0; len < bytes.len; len++) {
        char *copy = malloc(len ? len : 1);
        assert_non_null(copy);
        memcpy(copy, bytes.at, len);
        struct frame_record record;
        assert_int_equal(frame_record_open(&record, bytes_make(copy, len)), ERR_INVALID);
        free(copy);
    }
    frame_unref(frame);
    drop(bytes);
}

static void a_damaged_record_is_never_intact(void **state) {
    struct random random = {.state = 7};
    event_key = "a key";
    struct frame *frame = create(3, "mine", "tick", 3000, "one\ntwo");
    event_key = "";
    struct bytes bytes = record_of(frame);
    char *at = (char *)(uintptr_t)bytes.at;
    for (int round = 0; round < 20000; round++) {
        size_t place = (size_t)random_between(&random, 0, (int64_t)bytes.len - 1);
        char was = at[place];
        at[place] = (char)(was ^ (char)random_between(&random, 1, 255));
        assert_false(try_to_read(bytes));
        at[place] = was;
    }
    assert_true(try_to_read(bytes));
    frame_unref(frame);
    drop(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_layout_does_not_change, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_there_is_no_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_record_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_record_is_never_intact, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
