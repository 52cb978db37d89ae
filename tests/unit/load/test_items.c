// The scanner of JSON against what was written: random events, in every form that freshet has, cut at
// random places.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/random.h"
#include "load/items.h"

enum { TEXTS = 2000, EVENTS = 12 };

static void note(struct buf *log, struct bytes head, size_t whole) {
    assert_int_equal(buf_printf(log, "%zu:%.*s|", whole, (int)head.len, head.at), 0);
}

static void on_found(void *ctx, struct bytes head, size_t len) {
    assert_int_equal(head.len, len < SCAN_HEAD_MAX ? len : SCAN_HEAD_MAX);
    note(ctx, head, len);
}

static void feed(struct items *items, const char *text, size_t len, struct buf *log, size_t most,
                 struct random *random) {
    for (size_t at = 0; at < len;) {
        size_t piece = (size_t)random_between(random, 1, (int64_t)most);
        piece = piece < len - at ? piece : len - at;
        char *copy = malloc(piece); // what is behind it is nobody's
        assert_non_null(copy);
        memcpy(copy, text + at, piece);
        items_feed(items, bytes_make(copy, piece), on_found, log);
        free(copy);
        at += piece;
    }
}

static size_t make_data(struct random *random, char out[128]) {
    size_t len = (size_t)random_between(random, 0, 100);
    for (size_t i = 0; i < len; i++) {
        out[i] = "abcdefgh\"\\\n\t{}[]:,\x01 "[random_between(random, 0, 19)];
    }
    return len;
}

static void append(struct buf *out, const char *text) {
    assert_int_equal(buf_append_text(out, text), 0);
}

// Members in a random order, and some that mean nothing.
static void append_event(struct random *random, struct buf *out, struct buf *log, char id[32]) {
    char data[128];
    size_t len = make_data(random, data);
    struct bytes all = bytes_make(data, len);
    int form = (int)random_between(random, 0, 3);
    snprintf(id, 32, "%d-%d", (int)random_between(random, 0, 1 << 30), form);
    append(out, form & 1 ? "{\"topic\":\"data\",\"id\":" : "{\"n\":[1,{}],\"id\":");
    assert_int_equal(json_append_string(out, bytes_of(id)), 0);
    append(out, form & 2 ? " , \"event\" : \"id\", \"data\" : " : ",\"data\":");
    assert_int_equal(json_append_string(out, all), 0);
    append(out, form == 0 ? ",\"x\":null}" : "}");
    note(log, bytes_make(data, len < SCAN_HEAD_MAX ? len : SCAN_HEAD_MAX), len);
}

static void finds_what_was_written(void **state) {
    static const char *const forms[3][3] = {{"[", ",", "]"}, {"", "\n", "\n"}, {"", "", ""}};
    struct random random = {.state = 7};
    struct buf text, wrote, found;
    buf_init(&text, &mem_libc, 0);
    buf_init(&wrote, &mem_libc, 0);
    buf_init(&found, &mem_libc, 0);
    for (int turn = 0; turn < TEXTS; turn++) {
        const char *const *form = forms[turn % 3];
        char id[32] = "";
        struct items items = {0};
        buf_clear(&text);
        buf_clear(&wrote);
        buf_clear(&found);
        append(&text, form[0]);
        int64_t events = random_between(&random, 0, EVENTS);
        for (int64_t i = 0; i < events; i++) {
            append(&text, i ? form[1] : "");
            append_event(&random, &text, &wrote, id);
        }
        append(&text, form[2]);
        feed(&items, text.at, text.len, &found, turn % 2 ? 3 : 200, &random);
        assert_int_equal(found.len, wrote.len);
        assert_memory_equal(found.at ? found.at : "", wrote.at ? wrote.at : "", wrote.len);
        assert_int_equal(items_id(&items).len, strlen(id));
        assert_memory_equal(items_id(&items).at, id, strlen(id));
    }
    buf_finish(&text);
    buf_finish(&wrote);
    buf_finish(&found);
}

static void on_length(void *ctx, struct bytes head, size_t len) {
    (void)head;
    *(size_t *)ctx = len;
}

static void counts_what_escapes_stand_for(void **state) {
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {{"{\"data\":\"\\u0041\\n\\/\"}", 3}, {"{\"data\":\"\\u00e9\"}", 2},
                 {"{\"data\":\"\\u20ac\"}", 3},       {"{\"data\":\"\\ud83d\\ude00\"}", 4},
                 {"{\"data\":\"\xc3\xa9\"}", 2},      {"{\"data\":\"\"}", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct items items = {0};
        size_t len = 999;
        items_feed(&items, bytes_of(cases[i].text), on_length, &len);
        assert_int_equal(len, cases[i].len);
    }
}

// What the server says by itself has no id: the cursor stays.
static void keeps_the_id(void **state) {
    struct items items = {0};
    size_t len;
    items_feed(
        &items,
        bytes_of("{\"id\":\"1-2\",\"data\":\"a\"}{\"event\":\"freshet.gap\",\"data\":\"b\"}"),
        on_length, &len);
    assert_true(bytes_is(items_id(&items), "1-2"));
    char text[200] = "{\"id\":\"";
    memset(text + 7, 'x', 100);
    snprintf(text + 107, sizeof(text) - 107, "\",\"data\":\"c\"}");
    items_feed(&items, bytes_of(text), on_length, &len);
    assert_int_equal(items_id(&items).len, 0); // too long to be kept counts as none
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_written),
        cmocka_unit_test(counts_what_escapes_stand_for),
        cmocka_unit_test(keeps_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
