// Words to a service manager, over a socket that stands in for it.
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "net/notify.h"

static int manager_at(const char *name, size_t len) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    memcpy(address.sun_path, name, len);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    return fd;
}

static void assert_hears(int manager, const char *words) {
    char got[64];
    ssize_t n = recv(manager, got, sizeof(got), 0);
    assert_int_equal(n, strlen(words));
    assert_memory_equal(got, words, (size_t)n);
}

static void test_a_path(void **state) {
    char folder[] = "/tmp/freshet-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/notify", folder);
    int manager = manager_at(path, strlen(path));
    assert_int_equal(notify_send(path, "READY=1"), 0);
    assert_hears(manager, "READY=1");
    close(manager);
    assert_int_equal(notify_send(path, "STOPPING=1"), ERR_SYSTEM);
    assert_int_equal(errno, ECONNREFUSED);
    unlink(path);
    rmdir(folder);
}

static void test_an_abstract_name(void **state) {
    char name[64];
    int len = snprintf(name, sizeof(name), "@freshet-test-%d", (int)getpid());
    char bound[64];
    memcpy(bound, name, sizeof(bound));
    bound[0] = '\0';
    int manager = manager_at(bound, (size_t)len);
    assert_int_equal(notify_send(name, "READY=1"), 0);
    assert_hears(manager, "READY=1");
    close(manager);
}

static void test_reloading(void **state) {
    char name[64];
    int len = snprintf(name, sizeof(name), "@freshet-reload-%d", (int)getpid());
    char bound[64];
    memcpy(bound, name, sizeof(bound));
    bound[0] = '\0';
    int manager = manager_at(bound, (size_t)len);
    assert_int_equal(notify_reloading(name, 1234567890123), 0);
    assert_hears(manager, "RELOADING=1\nMONOTONIC_USEC=1234567890123");
    close(manager);
    assert_int_equal(notify_reloading(name, 1), ERR_SYSTEM);
    assert_int_equal(notify_reloading(NULL, 1), 0);
}

static void test_nobody_wants_to_know(void **state) {
    assert_int_equal(notify_send(NULL, "READY=1"), 0);
}

static void test_names_that_are_none(void **state) {
    char longest[200];
    memset(longest, '/', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    const char *const names[] = {"", "/", "@", "notify", "vsock:2:1234", longest};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(notify_send(names[i], "READY=1"), ERR_SYSTEM);
        assert_int_equal(errno, EINVAL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path),
        cmocka_unit_test(test_an_abstract_name),
        cmocka_unit_test(test_reloading),
        cmocka_unit_test(test_nobody_wants_to_know),
        cmocka_unit_test(test_names_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
