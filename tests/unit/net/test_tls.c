// What passes over an encrypted connection, and its end.
#include "net/tls_end.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"

static struct end *const a = ends;

static void test_handshake_and_talk(void **state) {
    char answer[32];
    struct bytes pieces[] = {bytes_of("one "), bytes_of(""), bytes_of("two "), bytes_of("three")};
    assert_int_equal(conn_send(&a->conn, pieces, 4), 0); // not yet
    assert_int_equal(conn_recv(&a->conn, a->got, 10), 0);
    assert_int_equal(conn_protocol(&a->conn).len, 0);
    assert_int_equal(end_shake(a), 1);
    assert_int_equal(a->secured, 1);
    assert_true(bytes_is(conn_protocol(&a->conn), "http/1.1"));
    assert_int_equal(SSL_version(a->client), TLS1_3_VERSION);
    assert_int_equal(SSL_write(a->client, "hello", 5), 5);
    end_turns(2);
    assert_int_equal(a->got_len, 5);
    assert_memory_equal(a->got, "hello", 5);
    assert_int_equal(conn_send(&a->conn, pieces, 4), 13);
    assert_int_equal(SSL_read(a->client, answer, sizeof(answer)), 13); // in one record
    assert_memory_equal(answer, "one two three", 13);
    assert_int_equal(end_net.tls.full, 1);
    assert_int_equal(end_net.tls.begun_count, 0);
}

// What OpenSSL has taken from the socket is told of without any more from there.
static void test_nothing_is_forgotten_behind_the_socket(void **state) {
    assert_int_equal(end_shake(a), 1);
    a->read_size = 7;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(SSL_write(a->client, "0123456789", 10), 10);
    }
    end_turns(40);
    assert_int_equal(a->got_len, 100);
}

static void test_who_does_not_want_to_read_is_not_told(void **state) {
    assert_int_equal(end_shake(a), 1);
    a->read_size = 1;
    assert_int_equal(SSL_write(a->client, "abc", 3), 3);
    end_turns(1);
    conn_wait_for(&a->conn, 0);
    int before = a->readable;
    end_turns(10);
    assert_in_range(a->readable, before, before + 1);
    conn_wait_for(&a->conn, CONN_READ);
    end_turns(10);
    assert_int_equal(a->got_len, 3);
}

static void test_the_end_comes_after_what_was_said(void **state) {
    assert_int_equal(end_shake(a), 1);
    assert_int_equal(SSL_write(a->client, "bye", 3), 3);
    SSL_shutdown(a->client);
    end_turns(5);
    assert_int_equal(a->got_len, 3);
    assert_int_equal(a->last, ERR_GONE);
    assert_int_equal(a->closed, 1);
    assert_int_equal(SSL_shutdown(a->client), 1); // a goodbye came back
}

static void test_the_end_without_a_goodbye(void **state) {
    struct bytes answer = bytes_of("answer");
    char got[16];
    assert_int_equal(end_shake(a), 1);
    shutdown(a->fd, SHUT_WR);
    assert_int_equal(conn_recv(&a->conn, a->got, 10), ERR_GONE);
    assert_int_equal(conn_send(&a->conn, &answer, 1), 6); // it can still listen
    assert_int_equal(SSL_read(a->client, got, sizeof(got)), 6);
}

static size_t send_until_full(size_t size) {
    char *bytes = malloc(size);
    size_t sent = 0;
    memset(bytes, 'x', size);
    for (;;) {
        struct bytes piece = bytes_make(bytes, size);
        ptrdiff_t n = conn_send(&a->conn, &piece, 1);
        assert_true(n >= 0);
        sent += (size_t)n;
        if ((size_t)n < size) {
            break;
        }
    }
    free(bytes);
    return sent;
}

static size_t read_all(int *end) {
    static char bytes[LARGE];
    size_t got = 0;
    int n;
    while ((n = SSL_read(a->client, bytes, sizeof(bytes))) > 0) {
        got += (size_t)n;
        end_turns(1);
    }
    *end = SSL_get_error(a->client, n);
    return got;
}

static void test_a_full_socket(void **state) {
    int end;
    assert_int_equal(end_shake(a), 1);
    size_t sent = send_until_full(100000);
    conn_wait_for(&a->conn, CONN_READ | CONN_WRITE);
    end_turns(3);
    assert_int_equal(a->writable, 0);
    struct bytes more = bytes_of("more");
    assert_int_equal(conn_send(&a->conn, &more, 1), 0);
    size_t got = read_all(&end);
    assert_int_equal(got, sent);
    assert_int_equal(end, SSL_ERROR_WANT_READ);
    end_turns(1);
    assert_true(a->writable > 0);
    assert_int_equal(conn_send(&a->conn, &more, 1), 4);
}

// Nobody waits to write, and yet the rest of a record leaves by itself.
static void test_the_rest_leaves_by_itself(void **state) {
    int end;
    assert_int_equal(end_shake(a), 1);
    size_t sent = send_until_full(1000);
    assert_int_equal(read_all(&end), sent);
    assert_int_equal(a->writable, 0);
}

static void test_closing_waits_for_the_rest(void **state) {
    int end;
    assert_int_equal(end_shake(a), 1);
    size_t sent = send_until_full(1000);
    conn_close(&a->conn);
    end_turns(3);
    assert_int_equal(a->closed, 0);
    assert_int_equal(read_all(&end), sent);
    assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
    end_turns(3);
    assert_int_equal(a->closed, 1);
}

static void test_closing_does_not_wait_for_ever(void **state) {
    assert_int_equal(end_shake(a), 1);
    send_until_full(1000);
    conn_close(&a->conn);
    end_turns(3);
    assert_int_equal(a->closed, 0);
    end_tick_at(end_net.now + 3000);
    end_turns(3);
    assert_int_equal(a->closed, 1);
    assert_int_equal(a->expired, 0);
}

static void test_closing_when_the_peer_goes(void **state) {
    assert_int_equal(end_shake(a), 1);
    send_until_full(1000);
    conn_close(&a->conn);
    shutdown(a->fd, SHUT_RDWR);
    end_turns(3);
    assert_int_equal(a->closed, 1);
}

static void test_the_loop_ends_while_one_is_leaving(void **state) {
    assert_int_equal(end_shake(a), 1);
    send_until_full(1000);
    conn_close(&a->conn); // the rest is teardown's
}

static void test_shutdown_waits_for_the_rest(void **state) {
    int end;
    assert_int_equal(end_shake(a), 1);
    size_t sent = send_until_full(1000);
    conn_shutdown(&a->conn);
    assert_int_equal(read_all(&end), sent);
    assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
    assert_int_equal(a->closed, 0);
    char byte;
    end_turns(1);
    assert_int_equal(recv(a->fd, &byte, 1, 0), 0);
    assert_int_equal(SSL_write(a->client, "late", 4), 4); // the other direction is open
    end_turns(2);
    assert_int_equal(a->got_len, 4);
}

static void test_closed_in_its_callbacks(void **state) {
    end_open(&ends[1]);
    a->close_when_secured = true;
    ends[1].close_when_readable = true;
    end_shake(a);
    end_shake(&ends[1]);
    assert_int_equal(a->closed, 1);
    assert_int_equal(ends[1].closed, 1);
    assert_int_equal(a->readable, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ends_setup, ends_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_handshake_and_talk),
        TEST(test_nothing_is_forgotten_behind_the_socket),
        TEST(test_who_does_not_want_to_read_is_not_told),
        TEST(test_the_end_comes_after_what_was_said),
        TEST(test_the_end_without_a_goodbye),
        TEST(test_a_full_socket),
        TEST(test_the_rest_leaves_by_itself),
        TEST(test_closing_waits_for_the_rest),
        TEST(test_closing_does_not_wait_for_ever),
        TEST(test_closing_when_the_peer_goes),
        TEST(test_the_loop_ends_while_one_is_leaving),
        TEST(test_shutdown_waits_for_the_rest),
        TEST(test_closed_in_its_callbacks),
    };
    return cmocka_run_group_tests(tests, ends_prepare, ends_clean);
}
