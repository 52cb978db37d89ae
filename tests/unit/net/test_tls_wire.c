// The wire over a pair of sockets: records are taken whole or not at all, leave in order, and reading
// stops at its bound.
#include "support.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "net/tls_wire.h"

enum { RECORD = 16 * 1024 };

static BIO_METHOD *method;
static struct tls_wire wire;
static BIO *bio;
static int peer;

static int setup(void **state) {
    int ends[2], small = 4096;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    method = tls_wire_method();
    wire = (struct tls_wire){.fd = ends[0]};
    peer = ends[1];
    bio = tls_wire_bio(method, &wire);
    assert_non_null(bio);
    return 0;
}

static int teardown(void **state) {
    BIO_free(bio);
    BIO_meth_free(method);
    tls_wire_drop(&wire);
    close(wire.fd);
    close(peer);
    return 0;
}

// A record that differs from every other.
static const char *record(int number) {
    static char bytes[RECORD];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)((i * 7 + (size_t)number * 31) % 251);
    }
    return bytes;
}

// Reads what has come and asserts that it goes on where the last call stopped.
static size_t check_peer(size_t from) {
    char bytes[RECORD];
    ssize_t n = recv(peer, bytes, sizeof(bytes), 0);
    for (ssize_t i = 0; i < n; i++, from++) {
        assert_int_equal(bytes[i], record((int)(from / RECORD))[from % RECORD]);
    }
    return from;
}

static void test_what_does_not_fit_is_kept(void **state) {
    int taken = 0;
    while (BIO_write(bio, record(taken), RECORD) == RECORD) {
        taken++;
    }
    assert_true(BIO_should_retry(bio) && BIO_should_write(bio));
    assert_non_null(wire.rest);
    assert_in_range(wire.len, RECORD, TLS_WIRE_MAX);
    size_t seen = 0;
    while (wire.rest || seen < (size_t)taken * RECORD) {
        seen = check_peer(seen);
        assert_int_equal(tls_wire_flush(&wire), 0);
    }
    assert_int_equal(seen, (size_t)taken * RECORD);
    assert_int_equal(BIO_write(bio, "x", 1), 1);
}

static void test_a_peer_that_is_gone(void **state) {
    assert_int_equal(BIO_write(bio, record(0), RECORD), RECORD);
    while (!wire.rest) {
        BIO_write(bio, record(0), RECORD);
    }
    close(peer);
    peer = -1;
    assert_int_equal(tls_wire_flush(&wire), ERR_GONE); // and no SIGPIPE
    tls_wire_drop(&wire);
    assert_int_equal(BIO_write(bio, "x", 1), -1);
    assert_false(BIO_should_retry(bio));
}

static void test_a_short_read_is_the_last_of_its_turn(void **state) {
    char bytes[64];
    tls_wire_begin(&wire);
    assert_int_equal(send(peer, "abc", 3, 0), 3);
    assert_int_equal(BIO_read(bio, bytes, sizeof(bytes)), 3);
    assert_int_equal(send(peer, "def", 3, 0), 3);
    assert_int_equal(BIO_read(bio, bytes, sizeof(bytes)), -1);
    assert_true(BIO_should_read(bio));
    tls_wire_begin(&wire);
    assert_int_equal(BIO_read(bio, bytes, sizeof(bytes)), 3);
    assert_memory_equal(bytes, "def", 3);
}

static void test_reading_is_bounded(void **state) {
    char bytes[1000];
    size_t sent = 0, got = 0;
    ssize_t n;
    while ((n = send(peer, record(0), RECORD, 0)) > 0) {
        sent += (size_t)n;
    }
    assert_true(sent > TLS_WIRE_READ);
    tls_wire_begin(&wire);
    while ((n = BIO_read(bio, bytes, sizeof(bytes))) > 0) {
        got += (size_t)n;
    }
    assert_int_equal(got, TLS_WIRE_READ);
    assert_true(BIO_should_read(bio));
}

static void test_the_end(void **state) {
    char bytes[16];
    tls_wire_begin(&wire);
    assert_false(BIO_eof(bio));
    assert_int_equal(BIO_read(bio, bytes, sizeof(bytes)), -1);
    assert_true(BIO_should_read(bio));
    assert_false(BIO_eof(bio));
    shutdown(peer, SHUT_WR);
    tls_wire_begin(&wire);
    assert_int_equal(BIO_read(bio, bytes, sizeof(bytes)), 0);
    assert_false(BIO_should_retry(bio));
    assert_true(BIO_eof(bio));
    assert_int_equal(BIO_write(bio, "still", 5), 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_what_does_not_fit_is_kept),
        TEST(test_a_peer_that_is_gone),
        TEST(test_a_short_read_is_the_last_of_its_turn),
        TEST(test_reading_is_bounded),
        TEST(test_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
