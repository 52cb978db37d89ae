// Every head that is refused: with which number, and at which byte at the latest. A '|' in the text
// marks that byte (it is taken out): what stands before it is not refused yet, with it it is. Heads
// without a mark are refused when they are complete.
#include "http_support.h"

#include <stdlib.h>

struct refusal {
    const char *head; // a '$' stands for a NUL
    int error;
};

static const struct refusal request_lines[] = {
    {"|\nGET / HTTP/1.1\r\n", HTTP_ERR_LINE_END},
    {"\r|GET / HTTP/1.1\r\n", HTTP_ERR_LINE_END},
    {"\r\n|\r\nGET / HTTP/1.1\r\n", HTTP_ERR_METHOD},
    {"| / HTTP/1.1\r\n", HTTP_ERR_METHOD},
    {"|:GET / HTTP/1.1\r\n", HTTP_ERR_METHOD},
    {"G|(T / HTTP/1.1\r\n", HTTP_ERR_METHOD},
    {"G|$T / HTTP/1.1\r\n", HTTP_ERR_METHOD},
    {"GET|\t/ HTTP/1.1\r\n", HTTP_ERR_METHOD},
    {"GET|\r\n", HTTP_ERR_METHOD},
    {"|\x16\x03\x01", HTTP_ERR_METHOD},
    {"|\xc3\xa9 / HTTP/1.1\r\n", HTTP_ERR_METHOD},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF|G / HTTP/1.1\r\n", HTTP_ERR_METHOD},
    {"GET | / HTTP/1.1\r\n", HTTP_ERR_TARGET},
    {"GET |events HTTP/1.1\r\n", HTTP_ERR_TARGET},
    {"GET |\r\n", HTTP_ERR_TARGET},
    {"GET /|\x01 HTTP/1.1\r\n", HTTP_ERR_TARGET},
    {"GET /|$ HTTP/1.1\r\n", HTTP_ERR_TARGET},
    {"GET /|\x7f HTTP/1.1\r\n", HTTP_ERR_TARGET},
    {"GET /|\t HTTP/1.1\r\n", HTTP_ERR_TARGET},
    {"GET /caf|\xc3\xa9 HTTP/1.1\r\n", HTTP_ERR_TARGET},
    {"GET /a|#b HTTP/1.1\r\n", HTTP_ERR_TARGET},
    {"GET /|\n", HTTP_ERR_TARGET},
    {"GET /|\r\n", HTTP_ERR_VERSION},
    {"GET / |x HTTP/1.1\r\n", HTTP_ERR_VERSION},
    {"GET / | HTTP/1.1\r\n", HTTP_ERR_VERSION},
    {"GET / |http/1.1\r\n", HTTP_ERR_VERSION},
    {"GET / HTTP|S/1.1\r\n", HTTP_ERR_VERSION},
    {"GET / HTTP/|x.1\r\n", HTTP_ERR_VERSION},
    {"GET / HTTP/1|,1\r\n", HTTP_ERR_VERSION},
    {"GET / HTTP/1|\r\n", HTTP_ERR_VERSION},
    {"GET / HTTP/1.|x\r\n", HTTP_ERR_VERSION},
    {"GET / HTTP/1.1| \r\n", HTTP_ERR_VERSION},
    {"GET / HTTP/1.1|0\r\n", HTTP_ERR_VERSION},
    {"GET / HTTP/1.|2\r\n", HTTP_ERR_VERSION_UNSUPPORTED},
    {"GET / HTTP/|0.9\r\n", HTTP_ERR_VERSION_UNSUPPORTED},
    {"PRI * HTTP/|2.0\r\n\r\nSM\r\n\r\n", HTTP_ERR_VERSION_UNSUPPORTED},
    {"GET / HTTP/1.1|\nHost: a\r\n\r\n", HTTP_ERR_LINE_END},
    {"GET / HTTP/1.1\r|Host: a\r\n\r\n", HTTP_ERR_LINE_END},
    {"GET / HTTP/1.1\r|\r\nHost: a\r\n\r\n", HTTP_ERR_LINE_END},
};

// Behind "GET / HTTP/1.1" CR LF.
static const struct refusal fields[] = {
    {"| Host: a\r\n\r\n", HTTP_ERR_FOLDED_FIELD},
    {"Host: a\r\n| b\r\n\r\n", HTTP_ERR_FOLDED_FIELD},
    {"Host: a\r\n|\tb\r\n\r\n", HTTP_ERR_FOLDED_FIELD},
    {"|: a\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Host|\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Host|\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Host| : a\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Host|\t: a\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Ho| st: a\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Ho|$st: a\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Ho|\x7fst: a\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"H|\xc3\xb6st: a\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Ho|(st: a\r\n\r\n", HTTP_ERR_FIELD_NAME},
    {"Host: a|$\r\n\r\n", HTTP_ERR_FIELD_VALUE},
    {"Host: a|\x01\r\n\r\n", HTTP_ERR_FIELD_VALUE},
    {"Host: a|\x0b\r\n\r\n", HTTP_ERR_FIELD_VALUE},
    {"Host: a|\x1b[2J\r\n\r\n", HTTP_ERR_FIELD_VALUE},
    {"Host: a|\x7f\r\n\r\n", HTTP_ERR_FIELD_VALUE},
    {"Host: a|\n\r\n", HTTP_ERR_LINE_END},
    {"Host: a\r|b\r\n\r\n", HTTP_ERR_LINE_END},
    {"Host: a\r|\r\n\r\n", HTTP_ERR_LINE_END},
    {"Host: a\r\n|\n", HTTP_ERR_LINE_END},
    {"Host: a\r\n\r|x", HTTP_ERR_LINE_END},
    {"Host: a\r\n\r|\r\n", HTTP_ERR_LINE_END},
};

// Whole heads that can only be judged at their end.
static const struct refusal meanings[] = {
    {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"OPTIONS */a HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n", HTTP_ERR_TARGET},
    {"GET http: HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"GET http://a:x/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"GET http://a\\@b/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"GET hxxp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_ERR_TARGET},
    {"GET / HTTP/1.1\r\n\r\n", HTTP_ERR_HOST_MISSING},
    {"GET http://a/ HTTP/1.1\r\n\r\n", HTTP_ERR_HOST_MISSING},
    {"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", HTTP_ERR_HOST_REPEATED},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", HTTP_ERR_HOST_REPEATED},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP_ERR_HOST},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HTTP_ERR_HOST},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", HTTP_ERR_HOST},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HTTP_ERR_HOST},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", HTTP_ERR_HOST},
    {"GET / HTTP/1.1\r\nHost: caf\xc3\xa9\r\n\r\n", HTTP_ERR_HOST},
    {"GET / HTTP/1.0\r\nHost: a:b\r\n\r\n", HTTP_ERR_HOST},
    {"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", HTTP_ERR_HOST_DIFFERS},
    {"GET http://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n", HTTP_ERR_HOST_DIFFERS},
};

// Behind "POST / HTTP/1.1" CR LF "Host: a" CR LF, and before an empty line.
static const struct refusal framings[] = {
    {"Content-Length:", HTTP_ERR_LENGTH},
    {"Content-Length: +1", HTTP_ERR_LENGTH},
    {"Content-Length: -1", HTTP_ERR_LENGTH},
    {"Content-Length: 0x1", HTTP_ERR_LENGTH},
    {"Content-Length: 1f", HTTP_ERR_LENGTH},
    {"Content-Length: 1 2", HTTP_ERR_LENGTH},
    {"Content-Length: 1_000", HTTP_ERR_LENGTH},
    {"Content-Length: 1,1", HTTP_ERR_LENGTH},
    {"Content-Length: 1, 1", HTTP_ERR_LENGTH},
    {"Content-Length: 1.0", HTTP_ERR_LENGTH},
    {"Content-Length: 010", HTTP_ERR_LENGTH},
    {"Content-Length: 00", HTTP_ERR_LENGTH},
    {"Content-Length: \"1\"", HTTP_ERR_LENGTH},
    {"Content-Length: 9223372036854775808", HTTP_ERR_LENGTH},
    {"Content-Length: 18446744073709551617", HTTP_ERR_LENGTH},
    {"Content-Length: 99999999999999999999999999", HTTP_ERR_LENGTH},
    {"Content-Length: \xd9\xa1", HTTP_ERR_LENGTH},
    {"Content-Length: 1\r\nContent-Length: 1", HTTP_ERR_LENGTH_REPEATED},
    {"Content-Length: 1\r\ncontent-length: 2", HTTP_ERR_LENGTH_REPEATED},
    {"Content-Length: 1\r\nTransfer-Encoding: chunked", HTTP_ERR_LENGTH_AND_CODING},
    {"Transfer-Encoding: chunked\r\nContent-Length: 1", HTTP_ERR_LENGTH_AND_CODING},
    {"Transfer-Encoding: x\r\nContent-Length: x", HTTP_ERR_LENGTH_AND_CODING},
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", HTTP_ERR_CODING},
    {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", HTTP_ERR_CODING},
    {"Transfer-Encoding:", HTTP_ERR_CODING},
    {"Transfer-Encoding: ,", HTTP_ERR_CODING},
    {"Transfer-Encoding: chunked, chunked", HTTP_ERR_CODING},
    {"Transfer-Encoding: chunked, gzip", HTTP_ERR_CODING},
    {"Transfer-Encoding: chunked, identity", HTTP_ERR_CODING},
    {"Transfer-Encoding: chunked;q=1", HTTP_ERR_CODING},
    {"Transfer-Encoding: \"chunked\"", HTTP_ERR_CODING},
    {"Transfer-Encoding: chun ked", HTTP_ERR_CODING},
    {"Transfer-Encoding: chunked \xa0", HTTP_ERR_CODING},
    {"Transfer-Encoding: gzip, chunked", HTTP_ERR_CODING_UNSUPPORTED},
    {"Transfer-Encoding: gzip", HTTP_ERR_CODING_UNSUPPORTED},
    {"Transfer-Encoding: identity", HTTP_ERR_CODING_UNSUPPORTED},
    {"Transfer-Encoding: xchunked", HTTP_ERR_CODING_UNSUPPORTED},
    {"Transfer-Encoding: chunked1", HTTP_ERR_CODING_UNSUPPORTED},
    {"Expect: a miracle", HTTP_ERR_EXPECT},
    {"Expect:", HTTP_ERR_EXPECT},
    {"Expect: 100-continue\r\nExpect: 100-continue", HTTP_ERR_EXPECT},
};

// Puts the head together and takes the mark out; *mark is where it stood, or the length.
static size_t compose(char *out, const char *before, const char *text, const char *after,
                      size_t *mark) {
    size_t len = 0;
    *mark = SIZE_MAX;
    strcpy(out, before);
    strcat(out, text);
    strcat(out, after);
    for (const char *at = out; *at; at++) {
        if (*at == '|') {
            *mark = len;
        } else {
            out[len++] = *at == '$' ? '\0' : *at;
        }
    }
    *mark = *mark == SIZE_MAX ? len - 1 : *mark;
    return len;
}

static void refuse_one(const char *before, const struct refusal *refusal, const char *after) {
    char head[500], *kept;
    struct http_request req;
    size_t mark, len = compose(head, before, refusal->head, after, &mark);
    int rc = parse_every_way(bytes_make(head, len), roomy, &req, &kept);
    free(kept);
    if (rc != refusal->error) {
        fail_msg("%s%s: %d, not %d", before, refusal->head, rc, refusal->error);
    }
    struct outcome outcome = parse_in_pieces(bytes_make(head, len), roomy, 0, 1, &req, &kept);
    free(kept);
    if (outcome.at != mark + 1) {
        fail_msg("%s%s: refused at %zu, not %zu", before, refusal->head, outcome.at, mark + 1);
    }
}

static void refuse_all(const char *before, const struct refusal *refusals, size_t count,
                       const char *after) {
    for (size_t i = 0; i < count; i++) {
        refuse_one(before, &refusals[i], after);
    }
}

static void refuses_request_lines(void **state) {
    refuse_all("", request_lines, sizeof(request_lines) / sizeof(request_lines[0]), "");
}

static void refuses_fields(void **state) {
    refuse_all("GET / HTTP/1.1\r\n", fields, sizeof(fields) / sizeof(fields[0]), "");
}

static void refuses_targets_and_hosts(void **state) {
    refuse_all("", meanings, sizeof(meanings) / sizeof(meanings[0]), "");
}

static void refuses_framings(void **state) {
    refuse_all("POST / HTTP/1.1\r\nHost: a\r\n", framings, sizeof(framings) / sizeof(framings[0]),
               "\r\n\r\n");
}

static void refuses_codings_in_1_0(void **state) {
    static const struct refusal old[] = {
        {"Transfer-Encoding: chunked", HTTP_ERR_CODING_IN_1_0},
        {"Transfer-Encoding: chunked\r\nContent-Length: 1", HTTP_ERR_CODING_IN_1_0},
    };
    refuse_all("POST / HTTP/1.0\r\n", old, 2, "\r\n\r\n");
}

// Every byte that may not stand in a name or a value is refused in each.
static void refuses_every_bad_byte(void **state) {
    for (int c = 0; c < 256; c++) {
        char name[] = "GET / HTTP/1.1\r\nHost: a\r\nN?: v\r\n\r\n";
        char value[] = "GET / HTTP/1.1\r\nHost: a\r\nN: ?v\r\n\r\n";
        bool token = c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
        bool text = (c >= ' ' && c != 0x7f) || c == '\t';
        struct http_request req;
        char *kept;
        strchr(name, '?')[0] = (char)c;
        strchr(value, '?')[0] = (char)c;
        int rc = parse_every_way(bytes_make(name, sizeof(name) - 1), roomy, &req, &kept);
        free(kept);
        assert_int_equal(rc > 0, token || c == ':');
        rc = parse_every_way(bytes_make(value, sizeof(value) - 1), roomy, &req, &kept);
        free(kept);
        assert_int_equal(rc > 0, text);
    }
}

static void explains_every_refusal(void **state) {
    const char *other = http_error_problem(0).detail;
    for (int error = HTTP_ERR_METHOD; error >= HTTP_ERR_LAST; error--) {
        struct http_problem problem = http_error_problem(error);
        assert_in_range(problem.status, 400, 505);
        assert_string_not_equal(problem.detail, other);
        for (int before = HTTP_ERR_METHOD; before > error; before--) {
            assert_string_not_equal(problem.detail, http_error_problem(before).detail);
        }
    }
    assert_int_equal(http_error_problem(HTTP_ERR_TARGET_TOO_LONG).status, 414);
    assert_int_equal(http_error_problem(HTTP_ERR_HEAD_TOO_LARGE).status, 431);
    assert_int_equal(http_error_problem(HTTP_ERR_TOO_MANY_FIELDS).status, 431);
    assert_int_equal(http_error_problem(HTTP_ERR_VERSION_UNSUPPORTED).status, 505);
    assert_int_equal(http_error_problem(HTTP_ERR_CODING_UNSUPPORTED).status, 501);
    assert_int_equal(http_error_problem(HTTP_ERR_LAST - 1).status, 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_request_lines),     cmocka_unit_test(refuses_fields),
        cmocka_unit_test(refuses_targets_and_hosts), cmocka_unit_test(refuses_framings),
        cmocka_unit_test(refuses_codings_in_1_0),    cmocka_unit_test(refuses_every_bad_byte),
        cmocka_unit_test(explains_every_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
