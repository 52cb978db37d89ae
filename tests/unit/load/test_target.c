// URL templates: what they name, what is filled in, what is refused.
#include "support.h"

#include <string.h>

#include "load/target.h"

static void urls_are_taken_apart(void **state) {
    struct target target;
    assert_null(target_parse("http://127.0.0.1:8042/events/{topic}", &target));
    assert_int_equal(target.host_len, strlen("127.0.0.1:8042"));
    assert_string_equal(target.path, "/events/{topic}");
    assert_int_equal(ntohs(target.address.v4.sin_port), 8042);
    assert_null(target_parse("HTTP://localhost", &target));
    assert_string_equal(target.path, "/");
    assert_int_equal(ntohs(target.address.v4.sin_port), 80);
    assert_null(target_parse("http://[::1]:81/x", &target));
    assert_null(target_parse("http://[::1]/x", &target));
}

static void others_are_refused(void **state) {
    static const char *const wrong[] = {"",           "127.0.0.1:80", "https://127.0.0.1/",
                                        "http://",    "http:///x",    "http://127.0.0.1:99999/",
                                        "http://:80/"};
    struct target target;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_non_null(target_parse(wrong[i], &target));
    }
}

static void check_fill(const char *template, const char *topic, const char *data, bool encode,
                       const char *expected) {
    struct buf out;
    struct bytes none = {0};
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(
        target_fill(&out, template, bytes_of(topic), data ? bytes_of(data) : none, encode), 0);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.at, expected, out.len);
    buf_finish(&out);
}

static void templates_are_filled(void **state) {
    check_fill("/events/{topic}", "a/b 1", NULL, true, "/events/a/b%201");
    check_fill("/{x}{topic}?{topic}{", "t", NULL, true, "/{x}t?t{");
    check_fill("{\"c\":\"{topic}\",\"d\":\"{data}\"}", "a/b", "xyz", false,
               "{\"c\":\"a/b\",\"d\":\"xyz\"}");
    check_fill("{data}", "t", NULL, false, "{data}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(templates_are_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
