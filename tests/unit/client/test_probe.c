// Inquiries: what can be said of them without a server, and the fields of a head.
#include "client/probe.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "support.h"

// A socket that is bound and does not listen: connecting to it is refused.
static int closed_port(char url[64]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return fd;
}

static void fields_are_found(void **state) {
    struct bytes head = bytes_of("Server: a\nX-Empty:\nbroken\nVia:  b \nVIA: c");
    assert_true(bytes_is(probe_field(head, "server"), "a"));
    assert_true(bytes_is(probe_field(head, "via"), "b"));
    assert_int_equal(probe_field(head, "x-empty").len, 0);
    assert_int_equal(probe_field(head, "broken").len, 0);
    assert_int_equal(probe_field(head, "serve").len, 0);
    assert_int_equal(probe_field(bytes_of(""), "server").len, 0);
}

static void a_refused_connection_ends_an_inquiry(void **state) {
    char url[64];
    int fd = closed_port(url);
    struct probe *probe;
    struct inquiry *one, *other;
    struct probe_request request = {.url = url, .method = "GET", .connect_timeout_ms = 10000};
    assert_int_equal(probe_create(&probe, &mem_libc, -1), 0);
    assert_int_equal(inquiry_begin(&one, probe, &request), 0);
    assert_int_equal(inquiry_begin(&other, probe, &request), 0);
    int64_t until = clock_mono_ms() + 10000;
    while (!inquiry_answer(one)->ended || !inquiry_answer(other)->ended) {
        assert_true(probe_wait(probe, until));
        assert_true(clock_mono_ms() < until);
    }
    assert_true(inquiry_answer(one)->broken);
    assert_true(inquiry_answer(one)->reason[0] != '\0');
    assert_int_equal(inquiry_answer(one)->status, 0);
    inquiry_end(&one);
    assert_null(one);
    inquiry_end(&one);
    inquiry_end(&other);
    probe_destroy(probe);
    close(fd);
}

static void a_stop_ends_the_wait(void **state) {
    int ends[2];
    struct probe *probe;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "", 1), 1);
    assert_int_equal(probe_create(&probe, &mem_libc, ends[0]), 0);
    assert_false(probe_wait(probe, clock_mono_ms() + 60000));
    probe_destroy(probe);
    close(ends[0]);
    close(ends[1]);
}

static void other_schemes_are_refused(void **state) {
    struct probe *probe;
    struct inquiry *inquiry;
    struct probe_request request = {.url = "file:///etc/hostname", .method = "GET"};
    assert_int_equal(probe_create(&probe, &mem_libc, -1), 0);
    assert_int_equal(inquiry_begin(&inquiry, probe, &request), 0);
    assert_true(probe_wait(probe, clock_mono_ms() + 1000));
    assert_true(inquiry_answer(inquiry)->ended && inquiry_answer(inquiry)->broken);
    inquiry_end(&inquiry);
    probe_destroy(probe);
}

static void memory_runs_out(void **state) {
    struct test_mem mem;
    int rc = ERR_NOMEM;
    for (long at = 1; rc; at++) {
        struct probe *probe = NULL;
        struct inquiry *inquiry = NULL;
        struct probe_request request = {.url = "http://127.0.0.1:1/", .method = "GET"};
        test_mem_init(&mem);
        mem.fail_at = at;
        rc = probe_create(&probe, &mem.mem, -1);
        rc = rc ? rc : inquiry_begin(&inquiry, probe, &request);
        assert_true(rc == 0 || rc == ERR_NOMEM);
        assert_true(at < 10);
        inquiry_end(&inquiry);
        probe_destroy(probe);
        test_mem_finish(&mem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(a_refused_connection_ends_an_inquiry),
        cmocka_unit_test(a_stop_ends_the_wait),
        cmocka_unit_test(other_schemes_are_refused),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
