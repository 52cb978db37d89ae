// What an Accept header gets, including those that are sent in the wild.
#include "support.h"

#include "http/negotiate.h"

struct accept_case {
    const char *accept;
    enum http_representation want;
};

static const struct accept_case cases[] = {
    {"", HTTP_EVENT_STREAM},
    {" , ,", HTTP_EVENT_STREAM},
    {"*/*", HTTP_EVENT_STREAM},
    {"text/event-stream", HTTP_EVENT_STREAM},
    {"Text/Event-Stream; charset=utf-8", HTTP_EVENT_STREAM},
    {"text/*", HTTP_EVENT_STREAM},
    {"application/json", HTTP_JSON},
    {"APPLICATION/JSON;q=0.1", HTTP_JSON},
    {"application/*", HTTP_JSON},
    {"application/x-ndjson", HTTP_NDJSON},
    {"application/ndjson", HTTP_NDJSON},
    {"application/jsonl", HTTP_NDJSON},
    // The best q wins; among equals precision; then our own order.
    {"text/event-stream;q=0.5, application/json", HTTP_JSON},
    {"application/json, text/event-stream", HTTP_EVENT_STREAM},
    {"application/x-ndjson, application/json", HTTP_JSON},
    {"application/json;q=0.2, application/x-ndjson;q=0.25", HTTP_NDJSON},
    {"application/json;q=0.999, application/x-ndjson;q=1.000", HTTP_NDJSON},
    {"*/*, application/x-ndjson", HTTP_NDJSON},
    {"application/*, application/x-ndjson", HTTP_NDJSON},
    {"*/*;q=0.9, application/json;q=0.1", HTTP_EVENT_STREAM},
    {"*/*, text/event-stream;q=0", HTTP_JSON},
    {"*/*, text/*;q=0, application/json;q=0", HTTP_NDJSON},
    {"application/x-ndjson;q=0, application/*", HTTP_JSON},
    {"application/x-ndjson;q=0, application/json;q=0, application/*", HTTP_NOT_ACCEPTABLE},
    // axios, browsers' address bars, Java.
    {"application/json, text/plain, */*", HTTP_JSON},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
     HTTP_EVENT_STREAM},
    {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", HTTP_EVENT_STREAM},
    {"application/json; profile=\"a, b;q=0\"; q=0.5, application/x-ndjson;q=0.4", HTTP_JSON},
    {"text/html", HTTP_NOT_ACCEPTABLE},
    {"text/event-stream;q=0", HTTP_NOT_ACCEPTABLE},
    {"*/*;q=0", HTTP_NOT_ACCEPTABLE},
    {"*/*;Q=0.0", HTTP_NOT_ACCEPTABLE},
    {"text/event-streams", HTTP_NOT_ACCEPTABLE},
    {"application/json-seq", HTTP_NOT_ACCEPTABLE},
    // Malformed ranges are passed over.
    {"text / event-stream", HTTP_NOT_ACCEPTABLE},
    {"*/json", HTTP_NOT_ACCEPTABLE},
    {"json", HTTP_NOT_ACCEPTABLE},
    {";q=1", HTTP_NOT_ACCEPTABLE},
    {"text/event-stream;q=1.1, application/json;q=0.1", HTTP_JSON},
    {"text/event-stream;q=x, application/json;q=0.1", HTTP_JSON},
    {"text/event-stream;q=2, application/json;q=0.1", HTTP_JSON},
    {"text/event-stream;q=-1, application/json;q=0.1", HTTP_JSON},
    {"text/event-stream;q=, application/json;q=0.1", HTTP_JSON},
    {"text/event-stream;q=0.5x, application/json;q=0.1", HTTP_JSON},
    {"\"text/event-stream, application/json", HTTP_NOT_ACCEPTABLE},
};

static void negotiates(void **state) {
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum http_representation got = http_negotiate(bytes_of(cases[i].accept));
        if (got != cases[i].want) {
            fail_msg("%s: %d, not %d", cases[i].accept, got, cases[i].want);
        }
    }
    assert_int_equal(http_negotiate((struct bytes){0}), HTTP_EVENT_STREAM);
}

static void accepts_gzip(void **state) {
    static const char *const yes[] = {
        "gzip",
        "x-gzip",
        "GZIP",
        "br, gzip, deflate",
        "gzip, deflate, br, zstd",
        "gzip;q=0.001",
        "*",
        "*;q=0.5",
        "gzip;q=1.0, identity; q=0.5, *;q=0",
        "identity;q=0, *",
        "gzip, identity",
        "gzip;q=x, gzip;q=0.2",
        "gzip;level=9;q=0.4",
        ", ,gzip",
    };
    static const char *const no[] = {
        "",
        "identity",
        "br",
        "gzip;q=0",
        "gzip;q=0.0, *",
        "*;q=0",
        "br, *;q=0",
        "gzips",
        "gzip;q=0.5, identity",
        "gzip;q=0.5, *",
        "identity, *;q=0.5",
        "gzip;q=2",
        "gzip;q=",
        "g zip",
        "\"gzip\"",
        ";q=1",
    };
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (!http_accepts_gzip(bytes_of(yes[i]))) {
            fail_msg("%s does take gzip", yes[i]);
        }
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (http_accepts_gzip(bytes_of(no[i]))) {
            fail_msg("%s does not take gzip", no[i]);
        }
    }
    assert_false(http_accepts_gzip((struct bytes){0}));
}

static void accepts_html(void **state) {
    static const char *const yes[] = {
        "text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        "*/*, Text/HTML;q=0.1",
        "text/html;level=1",
    };
    static const char *const no[] = {
        "", "*/*", "text/*", "text/plain", "text/html;q=0", "text/html;q=x", "text/htmls", "html",
    };
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (!http_accepts_html(bytes_of(yes[i]))) {
            fail_msg("%s does name HTML", yes[i]);
        }
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (http_accepts_html(bytes_of(no[i]))) {
            fail_msg("%s does not name HTML", no[i]);
        }
    }
    assert_false(http_accepts_html((struct bytes){0}));
}

static void names_types(void **state) {
    assert_string_equal(http_representation_type(HTTP_EVENT_STREAM), "text/event-stream");
    assert_string_equal(http_representation_type(HTTP_NDJSON), "application/x-ndjson");
    assert_null(http_representation_type(HTTP_NOT_ACCEPTABLE));
}

static void compares_media_types(void **state) {
    assert_true(http_media_is(bytes_of("Application/JSON ; charset=utf-8"), "application/json"));
    assert_true(http_media_is(bytes_of("text/event-stream;"), "text/event-stream"));
    assert_false(http_media_is(bytes_of("text/event-streamer"), "text/event-stream"));
    assert_false(http_media_is(bytes_of(""), "application/json"));
    assert_false(http_media_is((struct bytes){0}, "application/json"));
    assert_false(http_media_is(bytes_of("; application/json"), "application/json"));
    assert_true(http_media_is_ndjson(bytes_of("application/jsonl; a=b")));
    assert_true(http_media_is_ndjson(bytes_of("application/NDJSON")));
    assert_false(http_media_is_ndjson(bytes_of("application/json")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(negotiates),           cmocka_unit_test(accepts_gzip),
        cmocka_unit_test(accepts_html),         cmocka_unit_test(names_types),
        cmocka_unit_test(compares_media_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
