// Heads that are accepted and what they mean; limits; one byte at a time. What is refused is in
// test_refusals.c.
#include "http_support.h"

#include <stdio.h>
#include <stdlib.h>

static void accept_head(const char *head, struct http_request *req, char **kept) {
    int rc = parse_every_way(bytes_of(head), roomy, req, kept);
    assert_int_equal(rc, strlen(head));
}

static void reads_a_request(void **state) {
    struct http_request req;
    char *kept;
    accept_head("GET /events?topic=a%20b&last=3 HTTP/1.1\r\n"
                "Host: example.org:8042\r\n"
                "ACCEPT:  text/event-stream \t\r\n"
                "Empty:\r\n"
                "Name: caf\xc3\xa9\r\n\r\n",
                &req, &kept);
    assert_int_equal(req.method, HTTP_GET);
    assert_bytes(req.method_text, "GET");
    assert_bytes(req.target, "/events?topic=a%20b&last=3");
    assert_bytes(req.path, "/events");
    assert_bytes(req.query, "topic=a%20b&last=3");
    assert_bytes(req.authority, "example.org:8042");
    assert_int_equal(req.minor, 1);
    assert_int_equal(req.header_count, 4);
    assert_bytes(http_request_header(&req, "accept"), "text/event-stream");
    assert_bytes(http_request_header(&req, "Name"), "caf\xc3\xa9");
    assert_int_equal(http_request_header(&req, "empty").len, 0);
    assert_non_null(http_request_header(&req, "empty").at);
    assert_null(http_request_header(&req, "absent").at);
    assert_int_equal(req.body, BODY_NONE);
    assert_true(req.keep_alive);
    assert_false(req.expect_continue);
    free(kept);
}

static void reads_methods(void **state) {
    static const char *const names[] = {"GET",     "HEAD",  "POST",   "PUT", "DELETE",
                                        "OPTIONS", "PATCH", "REPORT", "get"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char head[100], *kept;
        struct http_request req;
        snprintf(head, sizeof(head), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", names[i]);
        accept_head(head, &req, &kept);
        assert_int_equal(req.method, i < HTTP_OTHER ? i : HTTP_OTHER);
        assert_bytes(req.method_text, names[i]);
        free(kept);
    }
}

struct target_case {
    const char *line, *path, *query, *authority;
};

static void reads_targets(void **state) {
    static const struct target_case cases[] = {
        {"GET / HTTP/1.1\r\nHost: a", "/", NULL, "a"},
        {"GET /? HTTP/1.1\r\nHost: a", "/", "", "a"},
        {"GET //x/../y?a?b HTTP/1.1\r\nHost: a", "//x/../y", "a?b", "a"},
        {"GET /a|{b}^\"<\\ HTTP/1.1\r\nHost: a", "/a|{b}^\"<\\", NULL, "a"},
        {"GET http://h.org/p?q HTTP/1.1\r\nHost: H.org", "/p", "q", "H.org"},
        {"GET HTTPS://[::1]:80 HTTP/1.1\r\nHost: [::1]:80", "/", NULL, "[::1]:80"},
        {"GET http://h?q=/ HTTP/1.1\r\nHost: h", "/", "q=/", "h"},
        {"GET http://h HTTP/1.0", "/", NULL, "h"},
        {"GET / HTTP/1.0", "/", NULL, NULL},
        {"OPTIONS * HTTP/1.1\r\nHost: a", "*", NULL, "a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char head[200], *kept;
        struct http_request req;
        snprintf(head, sizeof(head), "%s\r\n\r\n", cases[i].line);
        accept_head(head, &req, &kept);
        assert_bytes(req.path, cases[i].path);
        assert_int_equal(req.query.at == NULL, cases[i].query == NULL);
        assert_bytes(req.query, cases[i].query ? cases[i].query : "");
        assert_int_equal(req.authority.at == NULL, cases[i].authority == NULL);
        assert_bytes(req.authority, cases[i].authority ? cases[i].authority : "");
        free(kept);
    }
}

struct meaning_case {
    const char *head;
    enum http_body_kind body;
    uint64_t length;
    bool keep_alive, expect_continue;
};

static void reads_framing(void **state) {
    static const struct meaning_case cases[] = {
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", BODY_LENGTH, 0, true, false},
        {"POST / HTTP/1.1\r\nHost: a\r\ncontent-length:42 \r\n\r\n", BODY_LENGTH, 42, true, false},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", BODY_LENGTH,
         INT64_MAX, true, false},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", BODY_CHUNKED, 0, true,
         false},
        {"POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:  Chunked \r\n\r\n", BODY_CHUNKED, 0,
         true, false},
        {"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n", BODY_NONE, 0, true, true},
        {"PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", BODY_NONE, 0, false, false},
        {"PUT / HTTP/1.0\r\nExpect: a miracle\r\n\r\n", BODY_NONE, 0, false, false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", BODY_NONE, 0, false, false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: te, Close\r\n\r\n", BODY_NONE, 0, false, false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nconnection: close\r\n\r\n", BODY_NONE, 0,
         false, false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", BODY_NONE, 0, true, false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", BODY_NONE, 0, true, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", BODY_NONE, 0, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request req;
        char *kept;
        accept_head(cases[i].head, &req, &kept);
        assert_int_equal(req.body, cases[i].body);
        assert_int_equal(req.content_length, cases[i].length);
        assert_int_equal(req.keep_alive, cases[i].keep_alive);
        assert_int_equal(req.expect_continue, cases[i].expect_continue);
        free(kept);
    }
}

static void skips_one_empty_line(void **state) {
    struct http_request req;
    char *kept;
    accept_head("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &req, &kept);
    assert_bytes(req.method_text, "GET");
    free(kept);
}

static void leaves_what_follows(void **state) {
    static const char both[] =
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_request req;
    char *kept;
    int first = parse_every_way(bytes_of(both), roomy, &req, &kept);
    assert_int_equal(first, (sizeof(both) - 1) / 2);
    assert_bytes(req.path, "/1");
    free(kept);
}

static void finds_elements_of_lists(void **state) {
    struct http_request req;
    char *kept;
    accept_head("GET / HTTP/1.1\r\nHost: a\r\nConnection: , keep-alive ,,Upgrade\r\n"
                "X: \"a\\\", b\", c\r\nX: d\r\n\r\n",
                &req, &kept);
    assert_true(http_request_lists(&req, "connection", "upgrade"));
    assert_true(http_request_lists(&req, "Connection", "keep-alive"));
    assert_false(http_request_lists(&req, "connection", "up"));
    assert_false(http_request_lists(&req, "connection", ""));
    assert_false(http_request_lists(&req, "x", "b\""));
    assert_true(http_request_lists(&req, "x", "c"));
    assert_true(http_request_lists(&req, "x", "d"));
    assert_false(http_request_lists(&req, "y", "d"));
    free(kept);
}

static int parse_with(const char *head, struct http_limits limits) {
    struct http_request req;
    char *kept;
    int rc = parse_every_way(bytes_of(head), limits, &req, &kept);
    free(kept);
    return rc;
}

static void keeps_to_the_limits(void **state) {
    static const char head[] = "GET /123 HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
    int len = sizeof(head) - 1;
    struct http_limits limits = {.max_head = (size_t)len, .max_headers = 2, .max_target = 4};
    assert_int_equal(parse_with(head, limits), len);
    limits.max_head--;
    assert_int_equal(parse_with(head, limits), HTTP_ERR_HEAD_TOO_LARGE);
    limits.max_head = 7; // within the target
    assert_int_equal(parse_with(head, limits), HTTP_ERR_TARGET_TOO_LONG);
    limits.max_head = 0;
    assert_int_equal(parse_with(head, limits), HTTP_ERR_HEAD_TOO_LARGE);
    limits = (struct http_limits){.max_head = 100, .max_target = 3};
    assert_int_equal(parse_with(head, limits), HTTP_ERR_TARGET_TOO_LONG);
    limits = (struct http_limits){.max_head = 100, .max_headers = 1};
    assert_int_equal(parse_with(head, limits), HTTP_ERR_TOO_MANY_FIELDS);
}

static void takes_64_headers_and_no_more(void **state) {
    char head[2000] = "GET / HTTP/1.1\r\nHost: a\r\n";
    struct http_request req;
    char *kept;
    for (int i = 1; i < HTTP_MAX_HEADERS; i++) {
        strcat(head, "A: b\r\n");
    }
    strcat(head, "\r\n");
    accept_head(head, &req, &kept);
    assert_int_equal(req.header_count, HTTP_MAX_HEADERS);
    free(kept);
    strcpy(head + strlen(head) - 2, "A: b\r\n\r\n");
    struct http_limits more = {.max_head = 16384, .max_headers = 1000};
    assert_int_equal(parse_with(head, more), HTTP_ERR_TOO_MANY_FIELDS);
}

// A head that never ends costs max_head bytes and no byte is looked at twice: if it were, this
// would take hours.
static void is_linear_one_byte_at_a_time(void **state) {
    enum { SIZE = 4 * 1024 * 1024 };
    struct http_limits limits = {.max_head = SIZE};
    char *head = malloc(SIZE);
    struct http_request req;
    size_t scanned = 0;
    assert_non_null(head);
    memset(head, 'x', SIZE);
    memcpy(head, "GET / HTTP/1.1\r\nA:", 18);
    for (size_t len = 1; len < SIZE; len++) {
        assert_int_equal(http_request_parse(&req, limits, head, len, &scanned), 0);
        assert_int_equal(scanned, len);
    }
    int rc = http_request_parse(&req, limits, head, SIZE, &scanned);
    assert_int_equal(rc, HTTP_ERR_HEAD_TOO_LARGE);
    free(head);
}

static void survives_limits_that_shrink(void **state) {
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_request req;
    size_t scanned = 0;
    assert_int_equal(http_request_parse(&req, roomy, head, 20, &scanned), 0);
    struct http_limits less = {.max_head = 10};
    int rc = http_request_parse(&req, less, head, sizeof(head) - 1, &scanned);
    assert_int_equal(rc, HTTP_ERR_HEAD_TOO_LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_request),
        cmocka_unit_test(reads_methods),
        cmocka_unit_test(reads_targets),
        cmocka_unit_test(reads_framing),
        cmocka_unit_test(skips_one_empty_line),
        cmocka_unit_test(leaves_what_follows),
        cmocka_unit_test(finds_elements_of_lists),
        cmocka_unit_test(keeps_to_the_limits),
        cmocka_unit_test(takes_64_headers_and_no_more),
        cmocka_unit_test(is_linear_one_byte_at_a_time),
        cmocka_unit_test(survives_limits_that_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
