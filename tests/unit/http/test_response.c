// Heads and problem documents; headers that would split a response; memory that runs out.
#include "support.h"

#include "base/error.h"
#include "http/response.h"

static struct http_header header(const char *name, const char *value) {
    return (struct http_header){bytes_of(name), bytes_of(value)};
}

static void composes_heads(void **state) {
    struct http_header headers[] = {header("Content-Type", "text/event-stream"), header("X", "")};
    struct http_response response = {.status = 200, .headers = headers, .header_count = 2};
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(http_response_head(&out, &response), 0);
    assert_true(bytes_is(buf_bytes(&out), "HTTP/1.1 200 OK\r\n"
                                          "Content-Type: text/event-stream\r\nX: \r\n\r\n"));
    buf_clear(&out);
    response = (struct http_response){
        .status = 413,
        .date = bytes_of("Sun, 06 Nov 1994 08:49:37 GMT"),
        .has_length = true,
        .length = UINT64_MAX,
        .connection = HTTP_CONNECTION_CLOSE,
    };
    assert_int_equal(http_response_head(&out, &response), 0);
    assert_true(bytes_is(buf_bytes(&out), "HTTP/1.1 413 Content Too Large\r\n"
                                          "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                          "Content-Length: 18446744073709551615\r\n"
                                          "Connection: close\r\n\r\n"));
    buf_clear(&out);
    response = (struct http_response){.status = 299, .connection = HTTP_CONNECTION_KEEP_ALIVE};
    assert_int_equal(http_response_head(&out, &response), 0);
    assert_true(
        bytes_is(buf_bytes(&out), "HTTP/1.1 299 Success\r\nConnection: keep-alive\r\n\r\n"));
    buf_finish(&out);
}

static void refuses_what_would_split_it(void **state) {
    struct http_header bad[] = {
        header("A", "b\r\nSet-Cookie: c"),
        header("A", "b\n"),
        header("A", "\r"),
        header("A", "\x7f"),
        header("A b", "c"),
        header("", "c"),
        header("A:", "c"),
        header("A", "b"),
    };
    bad[7].value.len = 2; // with its NUL
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_response response = {.status = 200, .headers = &bad[i], .header_count = 1};
        struct buf out;
        buf_init(&out, &mem_libc, 0);
        assert_int_equal(buf_append_text(&out, "kept"), 0);
        assert_int_equal(http_response_head(&out, &response), ERR_INVALID);
        assert_true(bytes_is(buf_bytes(&out), "kept"));
        buf_finish(&out);
    }
}

static void refuses_odd_statuses(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    struct http_response response = {.status = 99};
    assert_int_equal(http_response_head(&out, &response), ERR_INVALID);
    response.status = 1000;
    assert_int_equal(http_response_head(&out, &response), ERR_INVALID);
    assert_string_equal(http_reason(-1), "Unknown");
    assert_string_equal(http_reason(999), "Unknown");
    assert_string_equal(http_reason(499), "Client Error");
    buf_finish(&out);
}

static const char problem_text[] =
    "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
    "\"detail\":\"No \\\"id\\\"\\n.\"}\n";

static void composes_problems(void **state) {
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(http_problem_body(&out, 400, bytes_of("No \"id\"\n.")), 0);
    assert_true(bytes_is(buf_bytes(&out), problem_text));
    buf_clear(&out);
    assert_int_equal(http_problem_body(&out, 404, (struct bytes){0}), 0);
    assert_true(bytes_is(buf_bytes(&out),
                         "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}\n"));
    buf_finish(&out);
}

// With every ceiling the buffer ends up whole or as it was.
static void fails_without_a_trace(void **state) {
    static const char detail[] = "Something long enough to make the buffer grow once or twice, "
                                 "so that the second allocation can be the one that fails.";
    for (size_t max = 5; max < 1000; max++) {
        struct test_mem test;
        struct buf out;
        test_mem_init(&test);
        test.fail_at = (long)(max % 4);
        buf_init(&out, &test.mem, max);
        int rc = http_problem_body(&out, 500, bytes_of(detail));
        assert_true(rc == 0 || rc == ERR_TOO_LARGE || rc == ERR_NOMEM);
        assert_int_equal(out.len == 0, rc != 0);
        buf_finish(&out);
        test_mem_finish(&test);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(composes_heads),        cmocka_unit_test(refuses_what_would_split_it),
        cmocka_unit_test(refuses_odd_statuses),  cmocka_unit_test(composes_problems),
        cmocka_unit_test(fails_without_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
