// One event as a JSON object: its members, and what each refuses.
#include "server/fake.h"

#include <stdio.h>

#include "base/json.h"
#include "server/publish_item.h"

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

static struct publish_item read_item(const char *json) {
    struct publish_item item = {0};
    struct bytes value;
    if (json_validate(bytes_of(json), 64, &value)) {
        fail_msg("the test itself is no JSON: %s", json);
    }
    assert_int_equal(
        publish_item_read(&fake.worker->item, &fake.worker->server->hash_key, value, &item), 0);
    assert_true(!item.frame != !item.problem);
    return item;
}

// Topics divided by spaces, then the frame as it will be sent (with the id 7-0).
static void assert_event(const char *json, const char *topics, const char *bytes) {
    struct publish_item item = read_item(json);
    char got[512] = "";
    if (item.problem) {
        fail_msg("%s: %s", json, item.problem);
    }
    frame_seal(item.frame, id_from_ms(7));
    for (size_t i = 0; i < item.frame->topic_count; i++) {
        struct bytes name = frame_topic(item.frame, i).text;
        size_t len = strlen(got);
        snprintf(got + len, sizeof(got) - len, "%s%.*s", i ? " " : "", (int)name.len, name.at);
    }
    assert_string_equal(got, topics);
    struct bytes sent = frame_bytes(item.frame);
    snprintf(got, sizeof(got), "%.*s", (int)sent.len, sent.at);
    assert_string_equal(got, bytes);
    frame_unref(item.frame);
}

static void assert_data(const char *json, const char *lines) {
    char object[256], bytes[256];
    snprintf(object, sizeof(object), "{\"topic\":\"t\",\"data\":%s}", json);
    snprintf(bytes, sizeof(bytes), "id: 7-0\n%s\n", lines);
    assert_event(object, "t", bytes);
}

static void assert_refused(const char *json, const char *part) {
    struct publish_item item = read_item(json);
    if (!item.problem || !strstr(item.problem, part)) {
        fail_msg("%s: \"%s\"", json, item.problem ? item.problem : "accepted");
    }
}

static void test_data(void **state) {
    assert_data("\"hello\"", "data: hello\n");
    assert_data("\"\"", "data:\n");
    assert_data("\"a\\nb\\r\\nc\\rd\"", "data: a\ndata: b\ndata: c\ndata: d\n");
    assert_data("null", "data: null\n");
    assert_data("true", "data: true\n");
    assert_data("[]", "data: []\n");
    assert_data("\"caf\\u00e9 \\ud83c\\udf0a \xf0\x9f\x8c\x8a\"",
                "data: caf\xc3\xa9 \xf0\x9f\x8c\x8a \xf0\x9f\x8c\x8a\n");
    assert_data("\"half \\ud83c\"", "data: half \xef\xbf\xbd\n");
}

// What was published is what arrives: nothing is turned into a number and back, no escape and no
// order is touched; only the white space that means nothing goes.
static void test_nested_data_verbatim(void **state) {
    assert_data("12345678901234567890.000", "data: 12345678901234567890.000\n");
    assert_data("1e400", "data: 1e400\n");
    assert_data("-0", "data: -0\n");
    assert_data("{ \"b\" : [ 1 , 2.50 , \"x\\u0041 y\" ] ,\n\t\"a\" : { } , \"a\" : null }",
                "data: {\"b\":[1,2.50,\"x\\u0041 y\"],\"a\":{},\"a\":null}\n");
    assert_data("[\"line\\nbreak\"]", "data: [\"line\\nbreak\"]\n");
    assert_data("{\"topic\":\"inner\",\"data\":1,\"bad\":2}",
                "data: {\"topic\":\"inner\",\"data\":1,\"bad\":2}\n");
}

static void test_members(void **state) {
    assert_event("{\"data\":\"d\",\"retry\":5,\"id\":\"x\",\"event\":\"e\",\"topic\":\"t\"}", "t",
                 "id: x\nevent: e\nretry: 5\ndata: d\n\n");
    assert_event("{\"topic\":\"t\",\"data\":1,\"event\":null,\"id\":null,\"retry\":null}", "t",
                 "id: 7-0\ndata: 1\n\n");
    assert_event("{\"topic\":\"t\",\"data\":1,\"event\":\"\",\"id\":\"\"}", "t",
                 "id: 7-0\ndata: 1\n\n");
    assert_event("{\"t\\u006fpic\":\"t\",\"d\\u0061ta\":\"escaped names\"}", "t",
                 "id: 7-0\ndata: escaped names\n\n");
    assert_event("{\"topic\":\"t\",\"data\":1,\"retry\":2147483647}", "t",
                 "id: 7-0\nretry: 2147483647\ndata: 1\n\n");
}

static void assert_key(const char *json, const char *key) {
    struct publish_item item = read_item(json);
    assert_non_null(item.frame);
    assert_true(bytes_is(frame_key(item.frame), key));
    frame_unref(item.frame);
}

static void test_key(void **state) {
    char json[400];
    assert_key("{\"topic\":\"t\",\"data\":1,\"key\":\"caf\\u00e9\"}", "caf\xc3\xa9");
    assert_key("{\"topic\":\"t\",\"data\":1,\"key\":\"\"}", "");
    assert_key("{\"topic\":\"t\",\"data\":1,\"key\":null}", "");
    assert_key("{\"topic\":\"t\",\"data\":1}", "");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"key\":1}", "`key` is a string");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"key\":\"a\\nb\"}", "key is UTF-8 without CR");
    snprintf(json, sizeof(json), "{\"topic\":\"t\",\"data\":1,\"key\":\"%0255d\"}", 1);
    assert_non_null(strstr(json, "0001\""));
    struct publish_item item = read_item(json);
    assert_int_equal(item.frame->key_len, 255);
    frame_unref(item.frame);
    snprintf(json, sizeof(json), "{\"topic\":\"t\",\"data\":1,\"key\":\"%0256d\"}", 1);
    assert_refused(json, "at most 255 bytes");
}

static void test_topics(void **state) {
    assert_event("{\"topics\":[\"a\",\"b/c\"],\"data\":1}", "a b/c", "id: 7-0\ndata: 1\n\n");
    assert_event("{\"topics\":[\"a\",\"a\",\"\\u0061\"],\"data\":1}", "a", "id: 7-0\ndata: 1\n\n");
    assert_event("{\"topic\":\"caf\xc3\xa9\",\"data\":1}", "caf\xc3\xa9", "id: 7-0\ndata: 1\n\n");
    // Both at once is one list.
    assert_event("{\"topic\":\"a\",\"topics\":[\"b\"],\"data\":1}", "a b", "id: 7-0\ndata: 1\n\n");
}

static void test_topics_refused(void **state) {
    char many[1024] = "{\"data\":1,\"topics\":[\"t\"";
    assert_refused("{\"data\":1}", "name a topic");
    assert_refused("{\"data\":1,\"topics\":[]}", "name a topic");
    assert_refused("{\"data\":1,\"topic\":\"\"}", "a topic needs a name");
    assert_refused("{\"data\":1,\"topic\":1}", "`topic` is a string, `topics` an array of strings");
    assert_refused("{\"data\":1,\"topic\":null}", "`topic` is a string");
    assert_refused("{\"data\":1,\"topic\":[\"a\"]}", "`topic` is a string");
    assert_refused("{\"data\":1,\"topics\":\"a\"}", "an array of strings");
    assert_refused("{\"data\":1,\"topics\":[\"a\",1]}", "an array of strings");
    assert_refused("{\"data\":1,\"topics\":{\"a\":1}}", "an array of strings");
    assert_refused("{\"data\":1,\"topic\":\"a/*\"}", "not to patterns");
    assert_refused("{\"data\":1,\"topics\":[\"a\",\"**\"]}", "not to patterns");
    assert_refused("{\"data\":1,\"topic\":\"a\\u0000\"}", "control characters");
    assert_refused("{\"data\":1,\"topic\":\"a\\n\"}", "control characters");
    for (int i = 0; i < 64; i++) {
        strcat(many, ",\"t\"");
    }
    strcat(many, "]}");
    assert_refused(many, "at most 64 topics");
}

static void test_members_refused(void **state) {
    assert_refused("{\"topic\":\"t\"}", "an event needs `data`");
    assert_refused("{}", "an event needs `data`");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"evnet\":\"x\"}", "no others");
    assert_refused("{\"topic\":\"t\",\"Data\":1}", "no others");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"\":1}", "no others");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"event\":1}", "`event` is a string");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"id\":5}", "`id` is a string");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"id\":[\"x\"]}", "`id` is a string");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"id\":\"5-1\"}", "freshet's own");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"id\":\"a\\u0000\"}", "without CR, LF and NUL");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"id\":\"a\\nb\"}", "without CR, LF and NUL");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"event\":\"a\\r\"}", "without CR, LF and NUL");
    assert_refused("{\"topic\":\"t\",\"data\":1,\"event\":\"freshet.gap\"}", "freshet's own");
}

static void test_retry_refused(void **state) {
    static const char *const retries[] = {"-1",   "1.5", "1e3",        "\"5\"",
                                          "true", "[5]", "2147483648", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++) {
        char json[100];
        snprintf(json, sizeof(json), "{\"topic\":\"t\",\"data\":1,\"retry\":%s}", retries[i]);
        assert_refused(json, "`retry` is a whole number of milliseconds");
    }
}

// What an export says of an event's place is read, and is not part of the event.
static void test_place(void **state) {
    struct publish_item item = read_item("{\"at\":\"5-2\",\"topic\":\"t\",\"data\":1}");
    assert_int_equal(item.at, id_from_ms(5) + 2);
    frame_unref(item.frame);
    item = read_item("{\"at\":null,\"topic\":\"t\",\"data\":1}");
    assert_int_equal(item.at, 0);
    frame_unref(item.frame);
    assert_event("{\"topic\":\"t\",\"data\":1,\"at\":\"5-2\"}", "t", "id: 7-0\ndata: 1\n\n");
    static const char *const places[] = {"\"\"", "\"5\"",     "\"x\"",
                                         "5",    "[\"5-2\"]", "\"05-2\"",
                                         "true", "{}",        "\"99999999999999999-0\""};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char json[100];
        snprintf(json, sizeof(json), "{\"topic\":\"t\",\"data\":1,\"at\":%s}", places[i]);
        assert_refused(json, "`at` is the place");
    }
}

static void test_not_an_object(void **state) {
    static const char *const values[] = {"1", "null", "\"{}\"", "[]", "true"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_refused(values[i], "an event is a JSON object");
    }
}

// Which of the two is meant, nobody can know.
static void test_members_that_come_twice(void **state) {
    static const char *const twice[] = {
        "\"data\":1,\"data\":1",           "\"event\":\"a\",\"event\":\"a\"",
        "\"id\":\"a\",\"\\u0069d\":\"b\"", "\"retry\":1,\"retry\":2",
        "\"topic\":\"a\",\"topic\":\"b\"", "\"topics\":[\"a\"],\"topics\":[\"b\"]",
        "\"topics\":[],\"topics\":[]",     "\"id\":null,\"id\":\"a\"",
        "\"retry\":null,\"retry\":1",
    };
    for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
        char json[100];
        snprintf(json, sizeof(json), "{%s}", twice[i]);
        assert_refused(json, "a member comes twice");
    }
}

// Nothing of one event is left over for the next.
static void test_one_after_another(void **state) {
    assert_event("{\"topic\":\"t\",\"data\":\"first\",\"event\":\"e\",\"id\":\"i\",\"retry\":1}",
                 "t", "id: i\nevent: e\nretry: 1\ndata: first\n\n");
    assert_refused("{\"topic\":\"t\"}", "needs `data`");
    assert_event("{\"topic\":\"t\",\"data\":\"second\"}", "t", "id: 7-0\ndata: second\n\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_data),
        TEST(test_nested_data_verbatim),
        TEST(test_members),
        TEST(test_key),
        TEST(test_topics),
        TEST(test_topics_refused),
        TEST(test_members_refused),
        TEST(test_retry_refused),
        TEST(test_place),
        TEST(test_not_an_object),
        TEST(test_members_that_come_twice),
        TEST(test_one_after_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
