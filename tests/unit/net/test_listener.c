// Listening sockets on a real loop: accepting, running out of descriptors and coming back, sharing
// an address, closing.
#include "support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "net/listener.h"

enum { MANY = 300 };

static uv_loop_t uv;
static struct listener listener;
static struct address address;
static int accepted[MANY], accepted_count, exhausted_count;
static struct peer last_peer;
static int clients[MANY], client_count;
static bool close_when_accepted;

static void on_accepted(struct listener *from, int fd, const struct peer *peer) {
    accepted[accepted_count++] = fd;
    last_peer = *peer;
    if (close_when_accepted) {
        listener_close(from);
    }
}

static void on_exhausted(struct listener *from) {
    assert_true(from->paused);
    exhausted_count++;
}

static const struct listener_settings settings = {.backlog = 512};

static int listen_on(const char *text, bool share, const struct listener_settings *with) {
    assert_null(address_parse(text, &address));
    return listener_bind(&address, share, with);
}

static void open_listener(struct listener *l, int fd) {
    l->accepted = on_accepted;
    l->exhausted = on_exhausted;
    assert_true(fd >= 0);
    assert_int_equal(listener_open(l, &uv, fd), 0);
}

static int setup(void **state) {
    accepted_count = exhausted_count = client_count = 0;
    close_when_accepted = false;
    assert_int_equal(uv_loop_init(&uv), 0);
    open_listener(&listener, listen_on("127.0.0.1:0", false, &settings));
    return 0;
}

static void hang_up(void) {
    while (client_count) {
        close(clients[--client_count]);
    }
    while (accepted_count) {
        close(accepted[--accepted_count]);
    }
}

static int teardown(void **state) {
    hang_up();
    listener_close(&listener);
    listener_close(&listener); // harmless
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);
    return 0;
}

static int dial(void) {
    int fd = socket(address.any.sa_family, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &address.any, address.len), 0);
    clients[client_count++] = fd;
    return fd;
}

static void turn(void) {
    uv_run(&uv, UV_RUN_NOWAIT);
}

static void test_port_0_gets_a_port(void **state) {
    assert_true(ntohs(address.v4.sin_port) > 0);
}

static void test_accepts(void **state) {
    struct sockaddr_in own;
    socklen_t len = sizeof(own);
    turn();
    assert_int_equal(accepted_count, 0);
    int fd = dial();
    turn();
    assert_int_equal(accepted_count, 1);
    getsockname(fd, (struct sockaddr *)&own, &len);
    assert_int_equal(last_peer.port, ntohs(own.sin_port));
    char text[ADDRESS_TEXT_MAX];
    peer_format(&last_peer, text);
    assert_memory_equal(text, "127.0.0.1:", 10);
    assert_true(fcntl(accepted[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(accepted[0], F_GETFD) & FD_CLOEXEC);
}

static void test_a_batch_a_turn(void **state) {
    int before = 0, turns = 0;
    for (int i = 0; i < MANY; i++) {
        dial();
    }
    while (accepted_count < MANY && turns++ < MANY) {
        turn();
        assert_true(accepted_count - before <= 32);
        before = accepted_count;
    }
    assert_int_equal(accepted_count, MANY);
    assert_true(turns >= MANY / 32);
    assert_int_equal(exhausted_count, 0);
}

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

// What was set once on the listening socket is what each connection has.
static void test_options_are_inherited(void **state) {
    struct listener_settings with = {.backlog = 8, .unsent_max = 4321, .dead_peer_ms = 1234};
    struct listener other;
    open_listener(&other, listen_on("127.0.0.1:0", false, &with));
    dial();
    turn();
    assert_int_equal(accepted_count, 1);
    assert_int_equal(option(accepted[0], IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(accepted[0], SOL_SOCKET, SO_KEEPALIVE), 1);
#ifdef __linux__
    assert_int_equal(option(accepted[0], IPPROTO_TCP, TCP_NOTSENT_LOWAT), 4321);
    assert_int_equal(option(accepted[0], IPPROTO_TCP, TCP_USER_TIMEOUT), 1234);
#endif
    listener_close(&other);
    turn();
}

// The lowest descriptor number that is free, which is what a limit has to be to leave none.
static rlim_t free_descriptor(void) {
    int fd = dup(0);
    assert_true(fd >= 0);
    close(fd);
    return (rlim_t)fd;
}

static void test_pauses_when_descriptors_run_out(void **state) {
    struct rlimit before, none;
    dial();
    dial();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = free_descriptor(), .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn();
    for (int i = 0; i < 100; i++) {
        turn(); // turns that would all fail in the same way if it did not pause
    }
    bool paused = listener.paused;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(accepted_count, 0);
    assert_true(paused);
    assert_true(exhausted_count == 1 || exhausted_count == 2); // 2 on a machine slower than a pause
    int turns = 0;
    while (accepted_count < 2) {
        uv_run(&uv, UV_RUN_ONCE); // waits for its timer, then for the connections
        turns++;
    }
    assert_true(turns < 10); // it waited, rather than being called in vain
    assert_false(listener.paused);
}

static void test_close_while_paused(void **state) {
    struct rlimit before, none;
    dial();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = free_descriptor(), .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(listener.paused);
    listener_close(&listener);
    uv_run(&uv, UV_RUN_DEFAULT); // ends: neither the timer nor the socket holds it
    assert_int_equal(accepted_count, 0);
}

static void test_close_in_the_callback(void **state) {
    close_when_accepted = true;
    dial();
    dial();
    turn();
    assert_int_equal(accepted_count, 1);
}

static void test_closed_refuses(void **state) {
    listener_close(&listener);
    turn();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, &address.any, address.len), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
}

static void test_an_address_that_is_taken(void **state) {
    struct address same = address;
    assert_int_equal(listener_probe(&same), ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(listener_bind(&same, false, &settings), ERR_SYSTEM);
    assert_int_equal(errno, EADDRINUSE);
    // Nor does sharing help against a socket that does not share.
    assert_int_equal(listener_bind(&same, true, &settings), ERR_SYSTEM);
}

static void test_an_address_that_is_not_here(void **state) {
    assert_int_equal(listen_on("192.0.2.1:0", false, &settings), ERR_SYSTEM);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(listener_probe(&address), ERR_SYSTEM);
}

static void test_probe_leaves_it_free(void **state) {
    struct address fresh;
    assert_null(address_parse("127.0.0.1:0", &fresh));
    assert_int_equal(listener_probe(&fresh), 0);
    assert_int_equal(ntohs(fresh.v4.sin_port), 0); // what was chosen for the probe is not kept
}

static void test_sharing(void **state) {
    struct listener one, two;
    if (!listener_can_share()) {
        skip();
    }
    open_listener(&one, listen_on("127.0.0.1:0", true, &settings));
    struct address same = address;
    open_listener(&two, listener_bind(&same, true, &settings));
    assert_memory_equal(&same, &address, sizeof(same));
    // A probe finds an address that others share taken as well.
    assert_int_equal(listener_probe(&same), ERR_SYSTEM);
    for (int i = 0; i < 20; i++) {
        dial();
    }
    for (int i = 0; accepted_count < 20 && i < 100; i++) {
        turn();
    }
    assert_int_equal(accepted_count, 20);
    listener_close(&one);
    listener_close(&two);
    turn();
}

// Where addresses cannot be shared, loops listen on copies of one descriptor.
static void test_two_listeners_on_one_socket(void **state) {
    struct listener copy;
    open_listener(&copy, dup(listener.fd));
    dial();
    turn();
    assert_int_equal(accepted_count, 1); // one of them got it, the other nothing
    listener_close(&listener);
    turn();
    dial();
    turn();
    assert_int_equal(accepted_count, 2);
    listener_close(&copy);
    turn();
}

static void test_ipv6(void **state) {
    struct listener six;
    int fd = listen_on("[::1]:0", false, &settings);
    if (fd < 0) {
        skip(); // a machine without it
    }
    open_listener(&six, fd);
    assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    dial();
    turn();
    char text[ADDRESS_TEXT_MAX];
    peer_format(&last_peer, text);
    assert_memory_equal(text, "[::1]:", 6);
    listener_close(&six);
    turn();
}

static int open_descriptors(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) {
        count++;
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

static void test_failures_leak_nothing(void **state) {
    struct address same = address;
    int before = open_descriptors();
    for (int i = 0; i < 10; i++) {
        listener_bind(&same, false, &settings);
        listener_probe(&same);
    }
    assert_int_equal(open_descriptors(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_port_0_gets_a_port),
        TEST(test_accepts),
        TEST(test_a_batch_a_turn),
        TEST(test_options_are_inherited),
        TEST(test_pauses_when_descriptors_run_out),
        TEST(test_close_while_paused),
        TEST(test_close_in_the_callback),
        TEST(test_closed_refuses),
        TEST(test_an_address_that_is_taken),
        TEST(test_an_address_that_is_not_here),
        TEST(test_probe_leaves_it_free),
        TEST(test_sharing),
        TEST(test_two_listeners_on_one_socket),
        TEST(test_ipv6),
        TEST(test_failures_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
