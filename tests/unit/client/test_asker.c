// Questions: what can be said of them without a server, and when memory runs out.
#include "client/asker.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void on_done(void *ctx, const struct asker_answer *answer) {
    int *ended = ctx;
    assert_non_null(answer->problem);
    ++*ended;
}

static struct asker_request request_to(const char *url) {
    return (struct asker_request){.url = url,
                                  .headers = bytes_make("A: b\0C: d", 10),
                                  .body = bytes_of("{}"),
                                  .timeout_ms = 10000,
                                  .max_answer = 100};
}

static void each_question_ends_once(void **state) {
    char url[64];
    int fd = closed_port(url), ended = 0;
    struct asker *asker;
    struct asker_request request = request_to(url);
    assert_int_equal(asker_create(&asker, &mem_libc), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(asker_begin(asker, &request, on_done, &ended), 0);
    }
    while (ended < 5) {
        asker_wait(asker, 10000);
    }
    asker_wake(asker);
    asker_wait(asker, 60000); // it was woken
    assert_int_equal(ended, 5);
    asker_destroy(asker);
    close(fd);
}

static void what_is_under_way_ends_without_a_word(void **state) {
    char url[64];
    int fd = closed_port(url), ended = 0;
    struct asker *asker;
    struct asker_request request = request_to(url);
    assert_int_equal(asker_create(&asker, &mem_libc), 0);
    assert_int_equal(asker_begin(asker, &request, on_done, &ended), 0);
    asker_destroy(asker);
    assert_int_equal(ended, 0);
    asker_destroy(NULL);
    close(fd);
}

static void without_memory_nothing_begins(void **state) {
    struct test_mem test;
    struct asker *asker;
    struct asker_request request = request_to("http://127.0.0.1:9/");
    test_mem_init(&test);
    test.fail_at = 1;
    assert_int_equal(asker_create(&asker, &test.mem), ERR_NOMEM);
    assert_null(asker);
    test.fail_at = 0;
    assert_int_equal(asker_create(&asker, &test.mem), 0);
    test.fail_at = test.calls + 1;
    assert_int_equal(asker_begin(asker, &request, on_done, NULL), ERR_NOMEM);
    asker_destroy(asker);
    test_mem_finish(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_question_ends_once),
        cmocka_unit_test(what_is_under_way_ends_without_a_word),
        cmocka_unit_test(without_memory_nothing_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
