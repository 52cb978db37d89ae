// A copy of a head says the same as the head, long after it.
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "server/held_request.h"

static void it_outlives_the_head(void **state) {
    static const char head[] =
        "GET /events/a?x=1 HTTP/1.1\r\nHost: h:80\r\nCookie: c=1\r\nX-Empty:\r\n\r\n";
    struct http_request req;
    size_t scanned = 0;
    char *text = malloc(sizeof(head) - 1);
    assert_non_null(text);
    memcpy(text, head, sizeof(head) - 1);
    assert_int_equal(http_request_parse(&req, (struct http_limits){.max_head = 1000}, text,
                                        sizeof(head) - 1, &scanned),
                     sizeof(head) - 1);
    struct held_request *held = held_request_create(&req);
    assert_non_null(held);
    free(text);
    memset(&req, 0xff, sizeof(req));
    const struct http_request *copy = held_request_get(held);
    assert_int_equal(copy->method, HTTP_GET);
    assert_true(bytes_is(copy->method_text, "GET"));
    assert_true(bytes_is(copy->target, "/events/a?x=1"));
    assert_true(bytes_is(copy->path, "/events/a"));
    assert_true(bytes_is(copy->query, "x=1"));
    assert_true(bytes_is(copy->authority, "h:80"));
    assert_int_equal(copy->header_count, 3);
    assert_true(bytes_is(http_request_header(copy, "cookie"), "c=1"));
    assert_non_null(http_request_header(copy, "x-empty").at);
    assert_int_equal(http_request_header(copy, "x-empty").len, 0);
    held_request_destroy(held);
    held_request_destroy(NULL);
}

static void what_is_absent_stays_absent(void **state) {
    static const char head[] = "GET / HTTP/1.0\r\n\r\n";
    struct http_request req;
    size_t scanned = 0;
    assert_true(http_request_parse(&req, (struct http_limits){.max_head = 1000}, head,
                                   sizeof(head) - 1, &scanned) > 0);
    struct held_request *held = held_request_create(&req);
    assert_non_null(held);
    assert_null(held_request_get(held)->query.at);
    assert_null(held_request_get(held)->authority.at);
    held_request_destroy(held);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_outlives_the_head),
        cmocka_unit_test(what_is_absent_stays_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
