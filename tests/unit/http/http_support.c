// The many ways of one head.
#include "http_support.h"

#include <stdlib.h>

static char *copy_of(struct bytes bytes) {
    char *copy = malloc(bytes.len ? bytes.len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes.at, bytes.len);
    return copy;
}

struct outcome parse_in_pieces(struct bytes head, struct http_limits limits, size_t first,
                               size_t step, struct http_request *req, char **kept) {
    struct outcome outcome = {0};
    size_t scanned = 0;
    outcome.at = first < head.len ? first : head.len;
    for (;;) {
        *kept = copy_of(bytes_make(head.at, outcome.at));
        outcome.rc = http_request_parse(req, limits, *kept, outcome.at, &scanned);
        if (outcome.rc || outcome.at == head.len) {
            return outcome;
        }
        free(*kept);
        outcome.at = head.len - outcome.at > step ? outcome.at + step : head.len;
    }
}

void assert_bytes(struct bytes got, const char *want) {
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.at, want, got.len);
}

static void assert_same_bytes(struct bytes a, struct bytes b) {
    assert_true(bytes_equal(a, b));
    assert_int_equal(a.at == NULL, b.at == NULL);
}

static void assert_same(const struct http_request *a, const struct http_request *b) {
    assert_int_equal(a->method, b->method);
    assert_same_bytes(a->method_text, b->method_text);
    assert_same_bytes(a->target, b->target);
    assert_same_bytes(a->path, b->path);
    assert_same_bytes(a->query, b->query);
    assert_same_bytes(a->authority, b->authority);
    assert_int_equal(a->minor, b->minor);
    assert_int_equal(a->body, b->body);
    assert_int_equal(a->content_length, b->content_length);
    assert_int_equal(a->keep_alive, b->keep_alive);
    assert_int_equal(a->expect_continue, b->expect_continue);
    assert_int_equal(a->header_count, b->header_count);
    for (size_t i = 0; i < a->header_count; i++) {
        assert_same_bytes(a->headers[i].name, b->headers[i].name);
        assert_same_bytes(a->headers[i].value, b->headers[i].value);
    }
}

int parse_every_way(struct bytes head, struct http_limits limits, struct http_request *req,
                    char **kept) {
    struct outcome whole = parse_in_pieces(head, limits, head.len, head.len, req, kept);
    size_t furthest = whole.rc > 0 ? (size_t)whole.rc : head.len;
    for (size_t first = 0; first <= furthest; first++) {
        struct http_request other;
        char *other_kept;
        size_t step = first ? head.len : 1;
        struct outcome outcome = parse_in_pieces(head, limits, first, step, &other, &other_kept);
        assert_int_equal(outcome.rc, whole.rc);
        if (whole.rc > 0) {
            assert_same(req, &other);
        }
        free(other_kept);
    }
    return whole.rc;
}
