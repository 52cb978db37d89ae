// A change as it is read, applied and answered; names; and both when memory runs out: then nothing
// is changed. The linker hands allocations over to us (see meson.build).
#include "server/fake.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "failing_malloc.h"
#include "hub/change.h"
#include "server/live_change.h"
#include "server/stream_name.h"

static struct fake_server fake;
static struct fake_exchange x;
static struct live_change change;

static int setup(void **state) {
    (void)state;
    fake_server_init(&fake);
    fake.settings.max_topics = 4;
    fake.settings.max_answer = 300;
    fake_server_open(&fake);
    fake_listen(&x, &fake, "/events/a");
    live_change_init(&change);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    live_change_finish(&change);
    fake_exchange_finish(&x);
    fake_server_finish(&fake);
    return 0;
}

static struct stream *stream(void) {
    return &x.stream->stream;
}

static void publish(const char *target, const char *data) {
    struct fake_exchange post;
    fake_ask(&post, &fake, "POST", target, "", bytes_of(data), 99);
    assert_int_equal(post.status, 200);
    fake_exchange_finish(&post);
    fake_turn(&fake);
}

static int read_json(const char *text) {
    struct bytes object;
    assert_int_equal(json_validate(bytes_of(text), 2, &object), 0);
    return live_change_read(&change, &fake.server, object);
}

static void refused(const char *text, const char *part) {
    live_change_finish(&change);
    live_change_init(&change);
    assert_int_equal(read_json(text), ERR_INVALID);
    assert_int_equal(change.status, 400);
    assert_non_null(strstr(change.problem, part));
}

static void apply(const char *text) {
    live_change_finish(&change);
    live_change_init(&change);
    assert_int_equal(read_json(text), 0);
    while (!live_change_apply(&change, stream())) {
    }
}

static bool body_has(const char *part) {
    return memmem(change.body.at, change.body.len, part, strlen(part)) != NULL;
}

static void applied(const char *text, const char *part) {
    apply(text);
    assert_int_equal(change.status, 200);
    if (!body_has(part)) {
        fail_msg("%.*s", (int)change.body.len, change.body.at);
    }
}

static void test_reading(void **state) {
    assert_int_equal(read_json("{\"add\":[\"b\",\"b\",\"\\u0063\"],\"after\":\"1-0\"}"), 0);
    assert_int_equal(change.add->count, 2);
    assert_int_equal(change.drop->count, 0);
    assert_true(bytes_is(buf_bytes(&change.cursor), "1-0"));
    refused("[]", "is a JSON object");
    refused("{\"add\":\"b\"}", "arrays");
    refused("{\"add\":[1]}", "strings");
    refused("{\"add\":[\"\"]}", "");
    refused("{\"remove\":[\"**/a\"]}", "");
    refused("{\"after\":7}", "`after`");
    refused("{\"more\":7}", "no others");
    refused("{\"add\":[],\"add\":[]}", "twice");
    refused("{\"add\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}", "more than 4 topics");
    assert_true(change.too_many);
}

static void test_topics(void **state) {
    applied("{\"add\":[\"b\",\"\\\"\"]}", "{\"topics\":[\"\\\"\",\"a\",\"b\"],\"from\":\"");
    assert_true(body_has(",\"events\":[],\"next\":null}"));
    publish("/events/b", "heard");
    fake_assert_heard(&x, "id: #\ndata: heard\n\n");
    apply("{\"add\":[\"c\",\"d\"]}");
    assert_int_equal(change.status, 400);
    assert_true(change.too_many);
    applied("{\"remove\":[\"a\",\"b\",\"\\\"\"],\"add\":null,\"after\":null}", "{\"topics\":[],");
}

static void test_pages(void **state) {
    for (int i = 0; i < 10; i++) {
        publish("/events/b", "0123456789012345678901234567890123456789");
    }
    applied("{\"add\":[\"b\"],\"after\":\"earliest\"}", "{\"topics\":[\"a\"],\"from\":null,");
    for (int pages = 1; body_has(",\"from\":null,"); pages++) {
        char cursor[ID_TEXT_MAX + 1], text[128];
        assert_true(pages < 10);
        assert_true(change.body.len < 500);
        cursor[id_format(change.after, cursor)] = '\0';
        snprintf(text, sizeof(text), "{\"add\":[\"b\"],\"after\":\"%s\"}", cursor);
        apply(text);
        assert_int_equal(change.status, 200);
    }
    assert_true(body_has("{\"topics\":[\"a\",\"b\"],\"from\":\""));
    fake_assert_heard(&x, "");
}

static void test_stream_is_over(void **state) {
    assert_int_equal(read_json("{\"add\":[\"b\"]}"), 0);
    hub_leave(&stream()->subscriber);
    assert_true(live_change_apply(&change, stream()));
    assert_int_equal(change.status, 404);
}

static void test_names(void **state) {
    struct stream_name *name = NULL, *other = NULL;
    assert_int_equal(stream_name_create(&name, fake.worker), 0);
    assert_int_equal(stream_name_create(&other, fake.worker), 0);
    struct bytes text = stream_name_text(name);
    assert_false(bytes_equal(text, stream_name_text(other)));
    assert_ptr_equal(stream_name_worker(&fake.server, text), fake.worker);
    assert_null(stream_name_find(fake.worker, text));
    assert_int_equal(stream_name_give(name, stream()), 0);
    assert_ptr_equal(stream_name_find(fake.worker, text), stream());
    assert_null(stream_name_find(fake.worker, stream_name_text(other)));
    assert_null(stream_name_find(fake.worker, bytes_make(text.at, text.len - 1)));
    other->text[1] = '1'; // there is one worker
    assert_null(stream_name_worker(&fake.server, stream_name_text(other)));
    other->text[0] = '\0';
    assert_null(stream_name_worker(&fake.server, stream_name_text(other)));
    assert_null(stream_name_worker(&fake.server, bytes_make(NULL, 0)));
    stream_name_destroy(&other);
    char kept[STREAM_NAME_LEN];
    memcpy(kept, text.at, sizeof(kept));
    stream_name_destroy(&stream()->name);
    assert_null(stream_name_find(fake.worker, bytes_make(kept, sizeof(kept))));
}

// The control event and the end of the name with the stream.
static void test_name_of_a_listener(void **state) {
    struct fake_exchange named;
    fake_get(&named, &fake, "/events/a?control=1", "");
    fake_turn(&fake);
    const struct stream_name *name = named.stream->stream.name;
    assert_non_null(name);
    struct bytes got = buf_bytes(&named.stream->got);
    assert_non_null(memmem(got.at, got.len, name->text, STREAM_NAME_LEN));
    assert_int_equal(fake.worker->names.count, 1);
    fake_exchange_finish(&named);
    assert_int_equal(fake.worker->names.count, 0);
}

// Reads and applies with the nth allocation failing; true when it failed.
static bool change_with_failure(long n, const char *text) {
    struct bytes object;
    live_change_finish(&change);
    live_change_init(&change);
    assert_int_equal(json_validate(bytes_of(text), 2, &object), 0);
    failing_malloc_begin(n);
    int rc = live_change_read(&change, &fake.server, object);
    while (rc == 0 && !live_change_apply(&change, stream())) {
    }
    failing_malloc_end();
    assert_true(rc == 0 || rc == ERR_NOMEM);
    return rc || change.status != 200;
}

static void test_without_memory(void **state) {
    publish("/events/b", "before");
    const char text[] = "{\"add\":[\"b\",\"c/*\"],\"remove\":[\"a\"],\"after\":\"earliest\"}";
    const struct feed *feed = stream()->subscriber.feed;
    event_id id = stream()->subscriber.id;
    long n = 1;
    while (change_with_failure(n, text)) {
        assert_true(change.status == 0 || change.status == 503);
        assert_ptr_equal(stream()->subscriber.feed, feed);
        assert_int_equal(stream()->subscriber.id, id);
        n++;
    }
    assert_true(n > 10);
    assert_true(body_has("\"before\""));
    publish("/events/c/d", "after");
    fake_assert_heard(&x, "id: #\ndata: after\n\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_reading),        TEST(test_topics), TEST(test_pages),
        TEST(test_stream_is_over), TEST(test_names),  TEST(test_name_of_a_listener),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
