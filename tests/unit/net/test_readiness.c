// Readiness over pairs of sockets. Linked with either implementation, which must not differ.
#include "support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "net/readiness.h"

enum { MANY = 400 };

static uv_loop_t uv;
static struct readiness readiness;

// A pair of sockets: this end is watched, the peer is the test's.
static struct end {
    int fd, peer;
    int reads, writes, errors;
    bool leave; // what is there unread
} ends[MANY];

static void on_told(void *who, unsigned events) {
    struct end *end = who;
    char bytes[16];
    end->reads += (events & READY_READ) != 0;
    end->writes += (events & READY_WRITE) != 0;
    end->errors += (events & READY_ERROR) != 0;
    if (!end->leave) {
        (void)!read(end->fd, bytes, sizeof(bytes));
    }
}

static struct end *open_end(int i, unsigned events) {
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    ends[i] = (struct end){.fd = pair[0], .peer = pair[1]};
    assert_int_equal(readiness_add(&readiness, pair[0], events, &ends[i]), 0);
    return &ends[i];
}

static void close_end(struct end *end) {
    readiness_drop(&readiness, end->fd);
    close(end->fd);
    close(end->peer);
}

static int setup(void **state) {
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(readiness_open(&readiness, &uv, on_told), 0);
    return 0;
}

static int teardown(void **state) {
    readiness_close(&readiness);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);
    return 0;
}

static void turns(int count) {
    while (count--) {
        uv_run(&uv, UV_RUN_NOWAIT);
    }
}

static void say(const struct end *end) {
    assert_int_equal(write(end->peer, "x", 1), 1);
}

static void test_tells_of_what_was_asked(void **state) {
    struct end *reader = open_end(0, READY_READ);
    struct end *writer = open_end(1, READY_WRITE);
    turns(2);
    assert_int_equal(reader->reads + reader->writes, 0);
    assert_int_equal(writer->writes, 2);
    say(reader);
    say(writer);
    turns(1);
    assert_int_equal(reader->reads, 1);
    assert_int_equal(reader->writes, 0);
    assert_int_equal(writer->reads, 0);
    close_end(reader);
    close_end(writer);
}

static void test_tells_again_of_what_is_left(void **state) {
    struct end *end = open_end(0, READY_READ);
    end->leave = true;
    say(end);
    turns(3);
    assert_int_equal(end->reads, 3);
    end->leave = false;
    turns(2);
    assert_int_equal(end->reads, 4);
    close_end(end);
}

static void test_changes(void **state) {
    struct end *end = open_end(0, READY_READ);
    readiness_change(&readiness, end->fd, 0, end);
    say(end);
    turns(2);
    assert_int_equal(end->reads, 0);
    readiness_change(&readiness, end->fd, READY_READ | READY_WRITE, end);
    turns(1);
    assert_int_equal(end->reads, 1); // what came while nobody asked
    assert_int_equal(end->writes, 1);
    readiness_change(&readiness, end->fd, READY_READ, end);
    turns(2);
    assert_int_equal(end->writes, 1);
    close_end(end);
}

static void test_tells_of_the_end(void **state) {
    struct end *end = open_end(0, READY_READ);
    shutdown(end->peer, SHUT_WR);
    turns(1);
    assert_int_equal(end->reads, 1);
    close_end(end);
}

// A peer that is gone must not keep a loop busy on behalf of someone who wants nothing.
static void test_who_wants_nothing_is_not_told_for_ever(void **state) {
    struct end *end = open_end(0, READY_READ);
    readiness_change(&readiness, end->fd, 0, end);
    say(end);
    end->leave = true;
    close(end->peer);
    turns(5);
    assert_true(end->reads + end->writes + end->errors <= 1 + 1); // both of one telling
    end->leave = false;
    end->reads = 0;
    readiness_change(&readiness, end->fd, READY_READ, end);
    turns(1);
    assert_int_equal(end->reads, 1);
    end->peer = -1;
    close_end(end);
}

static int told_so_far(void) {
    int told = 0;
    for (int i = 0; i < MANY; i++) {
        told += ends[i].reads;
    }
    return told;
}

static void test_many(void **state) {
    for (int i = 0; i < MANY; i++) {
        say(open_end(i, READY_READ));
    }
    turns(8);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(ends[i].reads, 1);
    }
    assert_int_equal(told_so_far(), MANY);
    for (int i = 0; i < MANY; i++) {
        close_end(&ends[i]);
    }
    turns(1);
}

static void test_what_cannot_be_watched(void **state) {
    char name[] = "/tmp/readiness-XXXXXX";
    int file = mkstemp(name);
    struct end who = {0};
    unlink(name);
    assert_int_equal(readiness_add(&readiness, 9999, READY_READ, &who), ERR_SYSTEM);
    assert_int_equal(readiness_add(&readiness, file, READY_READ, &who), ERR_SYSTEM);
    turns(1);
    assert_int_equal(who.reads, 0);
    close(file);
}

// Where opening takes a descriptor and there is none, nothing is left on the loop.
static void test_open_without_descriptors(void **state) {
    uv_loop_t other;
    struct readiness one;
    struct rlimit before, none;
    assert_int_equal(uv_loop_init(&other), 0);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    int rc = readiness_open(&one, &other, on_told);
    setrlimit(RLIMIT_NOFILE, &before);
    if (rc == 0) {
        readiness_close(&one);
    } else {
        assert_int_equal(rc, ERR_SYSTEM);
    }
    uv_run(&other, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&other), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_tells_of_what_was_asked),
        TEST(test_tells_again_of_what_is_left),
        TEST(test_changes),
        TEST(test_tells_of_the_end),
        TEST(test_who_wants_nothing_is_not_told_for_ever),
        TEST(test_many),
        TEST(test_what_cannot_be_watched),
        TEST(test_open_without_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
