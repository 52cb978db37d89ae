// JSON as text: what is a value and what is not, walking, decoding, compacting, writing. Every text
// is handed over in memory of exactly its size, so that a sanitizer sees a byte read too far.
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"

static int validate(struct bytes text, unsigned depth, struct bytes *value) {
    char *copy = malloc(text.len ? text.len : 1);
    memcpy(copy, text.at, text.len);
    int rc = json_validate(bytes_make(copy, text.len), depth, value);
    if (rc == 0) {
        *value = bytes_make(text.at + (value->at - copy), value->len);
    }
    free(copy);
    return rc;
}

static void accepts_values(void **state) {
    static const char *const good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "12345678901234567890123456789012345678901234567890",
        "0.1",
        "-1.50e+10",
        "1E-5",
        "1e5",
        "0e0",
        "\"\"",
        "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"\x7f\"",
        "\"caf\xc3\xa9\"",
        "\"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"",
        "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
        "\"\xe0\xa0\x80\xc2\x80\xdf\xbf\"",
        "[]",
        "{}",
        "[ ]",
        "{\n}",
        "[1]",
        "[[],{},[[]]]",
        "{\"a\":1}",
        "{\"\":{\"\":[]},\"\":null}",
        "[1 , 2\t,\r\n3 ]",
        "{ \"a\" : [ ] , \"b\" : \"}\" }",
        "[true,false,null,\"\",0]",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char padded[200];
        struct bytes value;
        assert_int_equal(validate(bytes_of(good[i]), 5, &value), 0);
        assert_true(bytes_is(value, good[i]));
        strcpy(padded, " \t\r\n");
        strcat(padded, good[i]);
        strcat(padded, "\n ");
        assert_int_equal(validate(bytes_of(padded), 5, &value), 0);
        assert_true(bytes_is(value, good[i]));
    }
}

static const char *const bad_values[] = {
    "",
    " ",
    "nul",
    "nulL",
    "nullx",
    "True",
    "TRUE",
    "NaN",
    "Infinity",
    "-Infinity",
    "undefined",
    "-",
    "+1",
    "01",
    "-01",
    "00",
    "1.",
    ".5",
    "1.e5",
    "1e",
    "1e+",
    "1e+-1",
    "0x10",
    "1_0",
    "1 2",
    "1,",
    ",1",
    "- 1",
    "1.5.5",
    "--1",
    "\"",
    "\"a",
    "\"\\\"",
    "\"\\\"\\",
    "'a'",
    "\"\\x41\"",
    "\"\\u12\"",
    "\"\\u123",
    "\"\\u12g4\"",
    "\"\\U0041\"",
    "\"\\ \"",
    "\"\\\n\"",
    "\"\n\"",
    "\"\t\"",
    "\"\x01\"",
    "\"\x1f\"",
    "\"\" \"\"",
    "\"\x80\"",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xc1\xbf\"",
    "\"\xc2\"",
    "\"\xc2",
    "\"\xc2\x41\"",
    "\"\xe0\x9f\xbf\"",
    "\"\xe2\x82\"",
    "\"\xe2\x82",
    "\"\xed\xa0\x80\"",
    "\"\xed\xbf\xbf\"",
    "\"\xf0\x8f\xbf\xbf\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xf5\x80\x80\x80\"",
    "\"\xf8\x88\x80\x80\x80\"",
    "\"\xf0\x9f\x98\"",
    "\"\xf0\x9f\x98",
    "\xef\xbb\xbf"
    "1",
    "\xc2\xa0"
    "1",
    "\x0b"
    "1",
    "\x0c"
    "1",
    "[",
    "]",
    "{",
    "}",
    "[}",
    "{]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1,,2]",
    "[1 2]",
    "[1]]",
    "[[1]",
    "[1:2]",
    "[\"a\":1]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{\"a\" 1}",
    "{\"a\"::1}",
    "{\"a\":1:2}",
    "{1:2}",
    "{a:1}",
    "{null:1}",
    "{\"a\":1}}",
    "{\"a\":1;\"b\":2}",
    "{\"a\":1 \"b\":2}",
    "{[]:1}",
    "{\"a\":1]",
    "[1}",
    "[//c\n1]",
    "[/**/1]",
    "#1",
    "[1]x",
    "{}{}",
    "[][]",
    "true false",
    "tru",
    "fals",
    "[nul]",
    "[tru,1]",
};

static void refuses_values(void **state) {
    for (size_t i = 0; i < sizeof(bad_values) / sizeof(bad_values[0]); i++) {
        struct bytes value;
        if (validate(bytes_of(bad_values[i]), 5, &value) != ERR_INVALID) {
            fail_msg("%zu: %s", i, bad_values[i]);
        }
    }
    struct bytes value;
    assert_int_equal(validate(bytes_make("1\0", 2), 5, &value), ERR_INVALID);
    assert_int_equal(validate(bytes_make("\"\0\"", 3), 5, &value), ERR_INVALID);
    assert_int_equal(validate(bytes_make("\"\\\0\"", 4), 5, &value), ERR_INVALID);
    assert_int_equal(json_validate((struct bytes){0}, 5, &value), ERR_INVALID);
}

static void bounds_the_depth(void **state) {
    char text[2 * (JSON_DEPTH_MAX + 1)];
    struct bytes value;
    assert_int_equal(validate(bytes_of("1"), 0, &value), 0);
    assert_int_equal(validate(bytes_of("[]"), 0, &value), ERR_TOO_LARGE);
    assert_int_equal(validate(bytes_of("[{},[]]"), 2, &value), 0);
    assert_int_equal(validate(bytes_of("[{},[{}]]"), 2, &value), ERR_TOO_LARGE);
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        int want = depth > JSON_DEPTH_MAX ? ERR_TOO_LARGE : 0;
        assert_int_equal(validate(bytes_make(text, 2 * depth), 100000, &value), want);
    }
}

// The kinds of all the brackets are remembered, not only those of the last 64.
static void tells_brackets_apart_at_every_depth(void **state) {
    enum { DEPTH = 300 };
    char open[6 * DEPTH + 2] = "", text[8 * DEPTH + 2];
    struct bytes value;
    for (int i = 0; i < DEPTH; i++) {
        strcat(open, i % 3 ? "[" : "{\"a\":");
    }
    strcat(open, "0");
    for (int wrong = -1; wrong < DEPTH; wrong++) {
        strcpy(text, open);
        size_t len = strlen(text);
        for (int i = DEPTH - 1; i >= 0; i--) {
            bool object = (i % 3 == 0) != (i == wrong);
            text[len++] = object ? '}' : ']';
        }
        int rc = validate(bytes_make(text, len), JSON_DEPTH_MAX, &value);
        assert_int_equal(rc, wrong < 0 ? 0 : ERR_INVALID);
    }
}

static void knows_kinds(void **state) {
    assert_int_equal(json_kind(bytes_of("null")), JSON_NULL);
    assert_int_equal(json_kind(bytes_of("true")), JSON_BOOL);
    assert_int_equal(json_kind(bytes_of("false")), JSON_BOOL);
    assert_int_equal(json_kind(bytes_of("-1")), JSON_NUMBER);
    assert_int_equal(json_kind(bytes_of("7")), JSON_NUMBER);
    assert_int_equal(json_kind(bytes_of("\"\"")), JSON_STRING);
    assert_int_equal(json_kind(bytes_of("[]")), JSON_ARRAY);
    assert_int_equal(json_kind(bytes_of("{}")), JSON_OBJECT);
}

static void walks_objects(void **state) {
    static const char *const keys[] = {"a", "b\"}", "", "a", "\xc3\xa9"};
    static const char *const values[] = {"0.10", "{ \"x\" : [1,\"]}\"] }", "\"\\\\\"", "[]",
                                         "null"};
    struct bytes object = bytes_of("{ \"a\" : 0.10 ,\"b\\\"}\":{ \"x\" : [1,\"]}\"] },"
                                   "\"\":\"\\\\\"\n, \"a\":[],\"\\u00E9\":null }");
    struct json_iter iter;
    struct bytes value;
    struct buf key;
    buf_init(&key, &mem_libc, 0);
    assert_int_equal(json_object_init(&iter, object), 0);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(json_object_next(&iter, &key, &value), 1);
        assert_true(bytes_is(buf_bytes(&key), keys[i]));
        assert_true(bytes_is(value, values[i]));
    }
    assert_int_equal(json_object_next(&iter, &key, &value), 0);
    assert_int_equal(json_object_next(&iter, &key, &value), 0);
    assert_int_equal(json_object_init(&iter, bytes_of("{ }")), 0);
    assert_int_equal(json_object_next(&iter, &key, &value), 0);
    assert_int_equal(json_object_init(&iter, bytes_of("[]")), ERR_INVALID);
    assert_int_equal(json_object_init(&iter, bytes_of("1")), ERR_INVALID);
    assert_int_equal(json_array_init(&iter, bytes_of("{}")), ERR_INVALID);
    buf_finish(&key);
}

static void walks_arrays(void **state) {
    static const char *const values[] = {"1e400", "\"a,]\"", "[1,[2]]", "{\"]\":3}", "-0"};
    struct json_iter iter;
    struct bytes value;
    assert_int_equal(json_array_init(&iter, bytes_of("[1e400 ,\"a,]\",[1,[2]],{\"]\":3} , -0\t]")),
                     0);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(json_array_next(&iter, &value), 1);
        assert_true(bytes_is(value, values[i]));
    }
    assert_int_equal(json_array_next(&iter, &value), 0);
    assert_int_equal(json_array_init(&iter, bytes_of("[ ]")), 0);
    assert_int_equal(json_array_next(&iter, &value), 0);
}

struct pair {
    const char *raw, *want;
};

static void decodes_strings(void **state) {
    static const struct pair pairs[] = {
        {"\"\"", ""},
        {"\"plain caf\xc3\xa9\"", "plain caf\xc3\xa9"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"a\\u0041\\u00e9\\u20AC\\uffff\"", "aA\xc3\xa9\xe2\x82\xac\xef\xbf\xbf"},
        {"\"\\u007f\\u0080\\u07ff\\u0800\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80"},
        {"\"\\ud83d\\uDE00\"", "\xf0\x9f\x98\x80"},
        {"\"\\ud800\\udc00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\"\\ud800\"", "\xef\xbf\xbd"},
        {"\"\\udc00\"", "\xef\xbf\xbd"},
        {"\"\\ud800x\"", "\xef\xbf\xbdx"},
        {"\"\\ud800\\n\"", "\xef\xbf\xbd\n"},
        {"\"\\ud800\\u0041\"", "\xef\xbf\xbd"
                               "A"},
        {"\"\\ud800\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
        {"\"\\udc00\\udc00\"", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\"\\udc00\\ud800\"", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\"\\\\ud83d\\\\n\"", "\\ud83d\\n"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct buf out;
        buf_init(&out, &mem_libc, 0);
        assert_int_equal(buf_append_text(&out, "x"), 0);
        assert_int_equal(json_string_decode(bytes_of(pairs[i].raw), &out), 0);
        assert_true(bytes_is(bytes_make(out.at + 1, out.len - 1), pairs[i].want));
        buf_finish(&out);
    }
}

static void decodes_nul(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(json_string_decode(bytes_of("\"a\\u0000b\""), &out), 0);
    assert_true(bytes_equal(buf_bytes(&out), bytes_make("a\0b", 3)));
    buf_finish(&out);
}

static void compacts(void **state) {
    static const struct pair pairs[] = {
        {"{ \"a b\" : [ 1 , 0.10 ,\r\n\t\"x \\\" y\\\\\" , { } ] }",
         "{\"a b\":[1,0.10,\"x \\\" y\\\\\",{}]}"},
        {"123456789012345678901234567890.0e+00", "123456789012345678901234567890.0e+00"},
        {"\" \\u0020 \\ud800 \"", "\" \\u0020 \\ud800 \""},
        {"[\"\\\\\", 1]", "[\"\\\\\",1]"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct buf out;
        buf_init(&out, &mem_libc, 0);
        assert_int_equal(json_compact(bytes_of(pairs[i].raw), &out), 0);
        assert_true(bytes_is(buf_bytes(&out), pairs[i].want));
        buf_finish(&out);
    }
}

static void writes_strings(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    struct bytes text = bytes_make("a\"b\\c/\b\f\n\r\t\0\x1f\x7f\xc3\xa9", 16);
    assert_int_equal(json_append_string(&out, text), 0);
    assert_true(
        bytes_is(buf_bytes(&out), "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\xc3\xa9\""));
    buf_clear(&out);
    assert_int_equal(json_append_string(&out, (struct bytes){0}), 0);
    assert_true(bytes_is(buf_bytes(&out), "\"\""));
    buf_finish(&out);
}

static void decoding_undoes_writing(void **state) {
    char text[0x80];
    struct bytes value;
    struct buf out, back;
    for (int i = 0; i < 0x80; i++) {
        text[i] = (char)i;
    }
    buf_init(&out, &mem_libc, 0);
    buf_init(&back, &mem_libc, 0);
    assert_int_equal(json_append_string(&out, bytes_make(text, 0x80)), 0);
    assert_int_equal(validate(buf_bytes(&out), 0, &value), 0);
    assert_int_equal(json_string_decode(buf_bytes(&out), &back), 0);
    assert_true(bytes_equal(buf_bytes(&back), bytes_make(text, 0x80)));
    buf_finish(&out);
    buf_finish(&back);
}

// The readers on what nobody checked: any answer will do, as long as they stay within it.
// Clean runs are found by words, so each byte that needs an escape is put at each place of some.
static void escapes_at_every_place(void **state) {
    static const char hex[] = "0123456789abcdef";
    static const char codes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    char text[25], wanted[40];
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    for (int c = 0; c < 256; c++) {
        const char *at = c ? strchr(codes, c) : NULL;
        char escape[7] = {(char)c};
        if (at) {
            snprintf(escape, sizeof(escape), "\\%c", letters[at - codes]);
        } else if (c < ' ') {
            snprintf(escape, sizeof(escape), "\\u00%c%c", hex[c >> 4], hex[c & 15]);
        }
        for (size_t place = 0; place < sizeof(text); place++) {
            memset(text, 'x', sizeof(text));
            text[place] = (char)c;
            int len = snprintf(wanted, sizeof(wanted), "%.*s%s%.*s", (int)place,
                               "xxxxxxxxxxxxxxxxxxxxxxxxx", escape, (int)(sizeof(text) - 1 - place),
                               "xxxxxxxxxxxxxxxxxxxxxxxxx");
            buf_clear(&out);
            assert_int_equal(json_append_escaped(&out, bytes_make(text, sizeof(text))), 0);
            assert_int_equal(out.len, len);
            assert_memory_equal(out.at, wanted, out.len);
        }
    }
    buf_finish(&out);
}

static void stays_within_bounds(void **state) {
    for (size_t i = 0; i < sizeof(bad_values) / sizeof(bad_values[0]); i++) {
        size_t len = strlen(bad_values[i]);
        char *copy = malloc(len ? len : 1);
        memcpy(copy, bad_values[i], len);
        struct bytes text = bytes_make(copy, len), value;
        struct json_iter iter;
        struct buf out;
        buf_init(&out, &mem_libc, 0);
        json_kind(text);
        int rc = json_object_init(&iter, text);
        for (size_t n = 0; rc >= 0 && n <= len && (n == 0 || rc > 0); n++) {
            rc = json_object_next(&iter, &out, &value);
        }
        rc = json_array_init(&iter, text);
        for (size_t n = 0; rc >= 0 && n <= len && (n == 0 || rc > 0); n++) {
            rc = json_array_next(&iter, &value);
        }
        rc = json_string_decode(text, &out);
        assert_true(rc == 0 || rc == ERR_INVALID);
        assert_int_equal(json_compact(text, &out), 0);
        buf_finish(&out);
        free(copy);
    }
}

static void fails_without_a_trace(void **state) {
    struct test_mem test;
    struct buf out;
    struct json_iter iter;
    struct bytes value;
    test_mem_init(&test);
    buf_init(&out, &test.mem, 8);
    assert_int_equal(json_append_string(&out, bytes_of("12345678")), ERR_TOO_LARGE);
    assert_int_equal(json_append_string(&out, bytes_of("12\x01")), ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    assert_int_equal(json_string_decode(bytes_of("\"12345678\""), &out), ERR_TOO_LARGE);
    assert_int_equal(json_compact(bytes_of("[1,2,3,4]"), &out), ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_finish(&out);
    test.fail_at = test.calls + 1;
    assert_int_equal(json_append_string(&out, bytes_of("1")), ERR_NOMEM);
    test.fail_at = test.calls + 1;
    assert_int_equal(json_string_decode(bytes_of("\"1\""), &out), ERR_NOMEM);
    test.fail_at = test.calls + 1;
    assert_int_equal(json_compact(bytes_of("1"), &out), ERR_NOMEM);
    test.fail_at = test.calls + 1;
    assert_int_equal(json_object_init(&iter, bytes_of("{\"a\":1}")), 0);
    assert_int_equal(json_object_next(&iter, &out, &value), ERR_NOMEM);
    assert_int_equal(json_object_next(&iter, &out, &value), 1); // nothing was lost
    assert_int_equal(json_string_decode(bytes_of("\"\\x\""), &out), ERR_INVALID);
    assert_int_equal(out.len, 1);
    buf_finish(&out);
    test_mem_finish(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_values),
        cmocka_unit_test(refuses_values),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(tells_brackets_apart_at_every_depth),
        cmocka_unit_test(knows_kinds),
        cmocka_unit_test(walks_objects),
        cmocka_unit_test(walks_arrays),
        cmocka_unit_test(decodes_strings),
        cmocka_unit_test(decodes_nul),
        cmocka_unit_test(compacts),
        cmocka_unit_test(writes_strings),
        cmocka_unit_test(decoding_undoes_writing),
        cmocka_unit_test(escapes_at_every_place),
        cmocka_unit_test(stays_within_bounds),
        cmocka_unit_test(fails_without_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
