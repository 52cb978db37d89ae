// Files of Unix sockets, in a folder of their own: who may connect, what is taken over, what is
// left alone, and what is removed.
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "net/unix_socket.h"

static const struct unix_access as_it_comes = {-1, (uid_t)-1, (gid_t)-1};
static char folder[32], path[64];
static struct address address;
static struct unix_file file;

static int setup(void **state) {
    strcpy(folder, "/tmp/freshet-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
    assert_null(address_parse_unix(bytes_of(path), &address));
    return 0;
}

static int teardown(void **state) {
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static int open_with(const struct unix_access *access) {
    return unix_socket_bind(&address, access, &file);
}

static mode_t mode_of(const char *at) {
    struct stat there;
    assert_int_equal(lstat(at, &there), 0);
    return there.st_mode & 07777;
}

static bool exists(void) {
    return access(path, F_OK) == 0;
}

static void test_mode(void **state) {
    mode_t before = umask(022);
    struct unix_access access = as_it_comes;
    int fd = open_with(&access);
    assert_true(fd >= 0);
    assert_int_equal(mode_of(path), 0755);
    unix_socket_remove(&file);
    close(fd);
    for (int mode = 0; mode <= 0777; mode += 0111) {
        access.mode = mode;
        fd = open_with(&access);
        assert_int_equal(mode_of(path), mode);
        unix_socket_remove(&file);
        close(fd);
    }
    assert_int_equal(umask(before), 022); // left as it was
}

static void test_nobody_can_connect_before_it_listens(void **state) {
    int fd = open_with(&as_it_comes), dial = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(dial, &address.any, address.len), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(connect(dial, &address.any, address.len), 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(dial);
    close(fd);
}

static void test_owner(void **state) {
    struct stat there;
    struct unix_access access = {.mode = 0660};
    if (getuid() != 0) {
        skip(); // only root gives files away
    }
    assert_null(unix_socket_owner(bytes_of("123"), bytes_of("456"), &access));
    int fd = open_with(&access);
    assert_int_equal(lstat(path, &there), 0);
    assert_int_equal(there.st_uid, 123);
    assert_int_equal(there.st_gid, 456);
    assert_int_equal(there.st_mode & 07777, 0660);
    close(fd);
}

static void test_names_of_owners(void **state) {
    struct unix_access access = as_it_comes;
    char longest[200];
    memset(longest, 'a', sizeof(longest));
    assert_null(unix_socket_owner(bytes_of("root"), bytes_of("root"), &access));
    assert_int_equal(access.user, 0);
    assert_int_equal(access.group, 0);
    assert_null(unix_socket_owner(bytes_of(""), bytes_of(""), &access));
    assert_int_equal(access.user, (uid_t)-1);
    assert_int_equal(access.group, (gid_t)-1);
    assert_non_null(unix_socket_owner(bytes_of("no such user"), bytes_of(""), &access));
    assert_non_null(unix_socket_owner(bytes_of(""), bytes_of("no such group"), &access));
    assert_non_null(unix_socket_owner(bytes_make(longest, 200), bytes_of(""), &access));
}

static void test_one_that_is_left_over_is_taken_over(void **state) {
    int fd = open_with(&as_it_comes);
    close(fd);
    assert_true(exists());
    fd = open_with(&as_it_comes);
    assert_true(fd >= 0);
    close(fd);
}

static void test_one_in_use_is_left_alone(void **state) {
    struct stat before, after;
    int fd = open_with(&as_it_comes);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(lstat(path, &before), 0);
    assert_int_equal(open_with(&as_it_comes), ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(lstat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    close(fd);
}

// Nobody accepts, and no more can wait: it is in use all the same, and asking does not wait either.
static void test_one_whose_backlog_is_full(void **state) {
    int fd = open_with(&as_it_comes), dials[8], count = 0;
    assert_int_equal(listen(fd, 0), 0);
    do {
        dials[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    } while (connect(dials[count++], &address.any, address.len) == 0 && count < 8);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(open_with(&as_it_comes), ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    while (count) {
        close(dials[--count]);
    }
    close(fd);
}

static void test_other_files_are_left_alone(void **state) {
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "dear diary", 10), 10);
    close(fd);
    assert_int_equal(open_with(&as_it_comes), ERR_SYSTEM);
    assert_int_equal(errno, EEXIST);
    struct stat there;
    assert_int_equal(lstat(path, &there), 0);
    assert_int_equal(there.st_size, 10);
}

// A link is not followed, wherever it leads.
static void test_a_link_is_left_alone(void **state) {
    assert_int_equal(symlink("nowhere", path), 0);
    assert_int_equal(open_with(&as_it_comes), ERR_SYSTEM);
    assert_int_equal(errno, EEXIST);
    assert_true(mode_of(path) != 0);
}

static void test_no_folder(void **state) {
    struct address nowhere;
    struct unix_file none;
    assert_null(address_parse_unix(bytes_of("/nonexistent/s"), &nowhere));
    assert_int_equal(unix_socket_bind(&nowhere, &as_it_comes, &none), ERR_SYSTEM);
    assert_int_equal(errno, ENOENT);
    unix_socket_remove(&none); // there is none
}

static void test_remove(void **state) {
    int fd = open_with(&as_it_comes);
    unix_socket_remove(&file);
    assert_false(exists());
    unix_socket_remove(&file); // harmless
    close(fd);
}

// The next server has its socket there by now.
static void test_remove_leaves_what_is_not_ours(void **state) {
    int fd = open_with(&as_it_comes);
    struct unix_file ours = file;
    unlink(path);
    int other = open_with(&as_it_comes);
    assert_true(other >= 0);
    unix_socket_remove(&ours);
    assert_true(exists());
    close(fd);
    close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_mode),
        TEST(test_nobody_can_connect_before_it_listens),
        TEST(test_owner),
        TEST(test_names_of_owners),
        TEST(test_one_that_is_left_over_is_taken_over),
        TEST(test_one_in_use_is_left_alone),
        TEST(test_one_whose_backlog_is_full),
        TEST(test_other_files_are_left_alone),
        TEST(test_a_link_is_left_alone),
        TEST(test_no_folder),
        TEST(test_remove),
        TEST(test_remove_leaves_what_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
