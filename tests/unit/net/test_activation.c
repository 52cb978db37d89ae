// Sockets that are handed over: the words in the environment, and what the descriptors have to be.
#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "net/activation.h"

static struct activation activation;

static const char *get(const char *pid, const char *fds, const char *names) {
    struct activation_words words = {pid, fds, names};
    memset(&activation, 0xff, sizeof(activation));
    return activation_read(&words, 42, &activation);
}

static void test_nothing(void **state) {
    assert_null(get(NULL, NULL, NULL));
    assert_int_equal(activation.count, 0);
    assert_null(get("42", NULL, "web"));
    assert_int_equal(activation.count, 0);
    assert_null(get("42", "0", NULL));
    assert_int_equal(activation.count, 0);
}

// The environment of a parent that was activated itself.
static void test_for_another_process(void **state) {
    assert_null(get("43", "2", "a:b"));
    assert_int_equal(activation.count, 0);
}

static void assert_names(const char *names, const char *a, const char *b, const char *c) {
    assert_null(get("42", "3", names));
    assert_int_equal(activation.count, 3);
    assert_true(bytes_is(activation.names[0], a));
    assert_true(bytes_is(activation.names[1], b));
    assert_true(bytes_is(activation.names[2], c));
}

static void test_names(void **state) {
    assert_names("web:admin:web", "web", "admin", "web");
    assert_names("web", "web", "", "");
    assert_names(NULL, "", "", "");
    assert_names("", "", "", "");
    assert_names("::x", "", "", "x");
    assert_names("a:b:c:d", "a", "b", "c");
}

static void test_refusals(void **state) {
    assert_non_null(get("x", "1", NULL));
    assert_non_null(get("42", "x", NULL));
    assert_non_null(get("42", "-1", NULL));
    assert_non_null(get("42", "", NULL));
    assert_null(get("42", "16", NULL));
    assert_int_equal(activation.count, 16);
    assert_non_null(get("42", "17", NULL));
    assert_non_null(get("42", "99999999999999999999", NULL));
    assert_int_equal(activation.count, 0);
}

static void test_a_listening_socket(void **state) {
    struct address address, found;
    assert_null(address_parse("127.0.0.1:0", &address));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, &address.any, address.len), 0);
    assert_non_null(strstr(activation_check(fd, &found), "ListenStream"));
    assert_int_equal(listen(fd, 1), 0);
    assert_null(activation_check(fd, &found));
    assert_true(address_is_local(&found));
    assert_true(found.v4.sin_port != 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static void test_other_descriptors(void **state) {
    struct address found;
    int pipes[2], fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(pipe(pipes), 0);
    assert_non_null(activation_check(fd, &found));
    assert_non_null(activation_check(pipes[0], &found));
    close(pipes[0]);
    assert_non_null(activation_check(pipes[0], &found));
    close(pipes[1]);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_for_another_process),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_listening_socket),
        cmocka_unit_test(test_other_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
