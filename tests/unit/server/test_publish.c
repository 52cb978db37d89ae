// The rules for what publishers send, through the function that all forms share.
#include "server/fake.h"

#include "base/error.h"
#include "server/publish.h"

static struct fake_server fake;

static int setup(void **state) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

static struct freshet_text text(const char *at) {
    return (struct freshet_text){.at = at, .len = strlen(at)};
}

static struct freshet_event event_of(const char *data) {
    return (struct freshet_event){.data = text(data), .retry = -1};
}

static void assert_refused(const struct bytes *topics, size_t count,
                           const struct freshet_event *event, const char *part) {
    struct frame *frame = NULL;
    const char *problem = NULL;
    assert_int_equal(
        publish_frame(&fake.worker->server->hash_key, topics, count, event, &frame, &problem),
        ERR_INVALID);
    assert_null(frame);
    assert_non_null(problem);
    if (!strstr(problem, part)) {
        fail_msg("no \"%s\" in \"%s\"", part, problem);
    }
}

static struct frame *allow(const struct bytes *topics, size_t count,
                           const struct freshet_event *event) {
    struct frame *frame = NULL;
    const char *problem;
    assert_int_equal(
        publish_frame(&fake.worker->server->hash_key, topics, count, event, &frame, &problem), 0);
    assert_null(problem);
    return frame;
}

static void refuse_topic(const char *name, const char *part) {
    struct bytes topic = bytes_of(name);
    struct freshet_event event = event_of("x");
    assert_refused(&topic, 1, &event, part);
}

static void test_topics_refused(void **state) {
    struct bytes many[65];
    struct freshet_event event = event_of("x");
    assert_refused(NULL, 0, &event, "name a topic: in the path, or as `topic` or `topics`");
    refuse_topic("", "needs a name");
    refuse_topic("a\nb", "control characters");
    refuse_topic("\xff", "UTF-8");
    refuse_topic("a/*", "not to patterns");
    refuse_topic("**", "not to patterns");
    refuse_topic("**/a", "last segment");
    for (int i = 0; i < 65; i++) {
        many[i] = bytes_of("t");
    }
    assert_refused(many, 65, &event, "at most 64 topics");
    many[63] = bytes_of("*");
    assert_refused(many, 64, &event, "not to patterns");
}

static void test_a_star_in_a_name_is_no_pattern(void **state) {
    struct bytes topic = bytes_of("5*5/a**");
    struct freshet_event event = event_of("x");
    frame_unref(allow(&topic, 1, &event));
}

static void test_a_topic_named_twice(void **state) {
    struct bytes topics[] = {bytes_of("a"), bytes_of("b"), bytes_of("a"), bytes_of("B"),
                             bytes_of("b")};
    struct freshet_event event = event_of("x");
    struct frame *frame = allow(topics, 5, &event);
    assert_int_equal(frame->topic_count, 3);
    assert_true(bytes_is(frame_topic(frame, 0).text, "a"));
    assert_true(bytes_is(frame_topic(frame, 1).text, "b"));
    assert_true(bytes_is(frame_topic(frame, 2).text, "B"));
    frame_unref(frame);
}

static void refuse_id(const char *at, size_t len, const char *part) {
    struct bytes topic = bytes_of("t");
    struct freshet_event event = event_of("x");
    event.id = (struct freshet_text){.at = at, .len = len};
    assert_refused(&topic, 1, &event, part);
}

static void test_ids_refused(void **state) {
    char ids[257];
    memset(ids, 'i', sizeof(ids));
    refuse_id(ids, 257, "an id has at most 256 bytes");
    refuse_id("a\rb", 3, "without CR, LF and NUL");
    refuse_id("a\n", 2, "without CR, LF and NUL");
    refuse_id("\0", 1, "without CR, LF and NUL");
    refuse_id("\xc3", 1, "an id is UTF-8");
    refuse_id("5-1", 3, "freshet's own");
    refuse_id("0-0", 3, "freshet's own");
    refuse_id("005-99999999999999999999999", 27, "freshet's own");
}

static void refuse_type(const char *at, size_t len, const char *part) {
    struct bytes topic = bytes_of("t");
    struct freshet_event event = event_of("x");
    event.type = (struct freshet_text){.at = at, .len = len};
    assert_refused(&topic, 1, &event, part);
}

static void test_types_refused(void **state) {
    char type[257];
    memset(type, 't', sizeof(type));
    refuse_type(type, 257, "type has at most 256 bytes");
    refuse_type("a\rb", 3, "without CR, LF and NUL");
    refuse_type("\nb", 2, "without CR, LF and NUL");
    refuse_type("a\0b", 3, "without CR, LF and NUL");
    refuse_type("\xff", 1, "type is UTF-8");
    refuse_type("freshet.gap", 11, "freshet's own");
    refuse_type("freshet.", 8, "freshet's own");
}

static void test_data_refused(void **state) {
    static const char *const data[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80"};
    struct bytes topic = bytes_of("t");
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        struct freshet_event event = event_of(data[i]);
        assert_refused(&topic, 1, &event, "not valid UTF-8; send binary data as Base64");
    }
}

// The largest of everything, and what only looks forbidden.
static void test_accepted(void **state) {
    static const char *const ids[] = {"5", "5-", "-5", "5-1-1", "a5-1", "5-1 ", "freshet.1", ":"};
    char long_one[256], name[256];
    struct bytes topics[64];
    memset(long_one, 'x', sizeof(long_one));
    memset(name, 'n', sizeof(name));
    for (int i = 0; i < 64; i++) {
        topics[i] = bytes_make(name, 193 + (size_t)i);
    }
    struct freshet_event event = event_of("\r\n\0\xf0\x9f\x8c\x8a");
    event.id = event.type = (struct freshet_text){.at = long_one, .len = sizeof(long_one)};
    frame_unref(allow(topics, 64, &event));
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        event.id = text(ids[i]);
        event.type = text("freshet");
        frame_unref(allow(topics, 1, &event));
    }
}

static void test_id_that_subscribers_see(void **state) {
    char out[PUBLISH_ID_MAX];
    struct bytes topic = bytes_of("t");
    struct freshet_event event = event_of("x");
    struct frame *frame = allow(&topic, 1, &event);
    frame_seal(frame, id_from_ms(7) + 3);
    assert_true(bytes_is(publish_id(frame, out), "7-3"));
    frame_unref(frame);
    event.id = text("mine");
    frame = allow(&topic, 1, &event);
    frame_seal(frame, id_from_ms(7) + 4);
    assert_true(bytes_is(publish_id(frame, out), "mine"));
    frame_unref(frame);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_topics_refused),
        TEST(test_a_star_in_a_name_is_no_pattern),
        TEST(test_a_topic_named_twice),
        TEST(test_ids_refused),
        TEST(test_types_refused),
        TEST(test_data_refused),
        TEST(test_accepted),
        TEST(test_id_that_subscribers_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
