// Handshakes: those that fail, those that stall, and many at once.
#include "net/tls_end.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct end *const a = ends;

static void test_expired_while_shaking_hands(void **state) {
    conn_set_deadline(&a->conn, end_net.now + 100);
    assert_int_equal(SSL_do_handshake(a->client), -1);
    end_tick_at(end_net.now + 500); // before its turn has come
    end_turns(3);
    assert_int_equal(a->closed, 1);
    assert_int_equal(a->secured, 0);
}

static void test_garbage(void **state) {
    assert_int_equal(send(a->fd, "garbage garbage\n", 16, 0), 16);
    end_turns(5);
    assert_int_equal(a->closed, 1);
    assert_int_equal(a->secured, 0);
    assert_int_equal(end_net.tls.failed, 1);
}

static void test_plain_http(void **state) {
    char answer[512];
    assert_int_equal(send(a->fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    end_turns(5);
    ssize_t n = recv(a->fd, answer, sizeof(answer) - 1, 0);
    assert_true(n > 0);
    answer[n] = '\0';
    assert_memory_equal(answer, "HTTP/1.1 400 ", 13);
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    char length[48];
    snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
    assert_non_null(strstr(answer, length));
    assert_int_equal(a->closed, 1);
}

static void test_too_many_handshakes(void **state) {
    conn_loop_limit_handshakes(&end_net, 3);
    for (int i = 1; i < 6; i++) {
        end_open(&ends[i]);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(send(ends[i].fd, "\x16\x03\x01\x02", 4, 0), 4);
        end_turns(4);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ends[i].closed, i < 3);
    }
    assert_int_equal(end_net.tls.evicted, 3);
    assert_int_equal(end_net.tls.begun_count, 3);
}

// One turn does not do all of them, and all of them are done.
static void test_many_at_once(void **state) {
    for (int i = 1; i < ENDS_MAX; i++) {
        end_open(&ends[i]);
    }
    for (int i = 0; i < ENDS_MAX; i++) {
        assert_int_equal(SSL_do_handshake(ends[i].client), -1);
    }
    end_turns(2);
    assert_in_range(end_net.tls.begun_count, 1, ENDS_MAX / 2);
    for (int i = 0; i < ENDS_MAX; i++) {
        assert_int_equal(end_shake(&ends[i]), 1);
    }
    end_turns(ENDS_MAX);
    assert_int_equal(end_net.tls.full, ENDS_MAX);
}

static void test_other_certificates_in_the_middle(void **state) {
    SSL_do_handshake(a->client);
    end_turns(2);
    assert_int_equal(ends_load(), 0);
    assert_int_equal(ends_load(), 0);
    assert_int_equal(end_shake(a), 1);
    end_open(&ends[1]);
    assert_int_equal(end_shake(&ends[1]), 1);
}

// OpenSSL's memory, which fails once.
static long allocations, fail_at;

static bool fails(void) {
    return fail_at && ++allocations == fail_at;
}

static void *take(size_t size, const char *file, int line) {
    return fails() ? NULL : malloc(size);
}

static void *take_again(void *old, size_t size, const char *file, int line) {
    return fails() ? NULL : realloc(old, size);
}

static void give(void *old, const char *file, int line) {
    free(old);
}

// Whatever allocation fails, it is the end of one connection at most.
static void test_without_memory(void **state) {
    for (long n = 1; n < 1200; n += n < 400 ? 1 : 7) {
        struct bytes piece = bytes_of("hello");
        struct end *end = &ends[1];
        end_open(end);
        for (int i = 0; i < 6 && !end->closed; i++) {
            ERR_clear_error();
            SSL_do_handshake(end->client);
            allocations = 0;
            fail_at = n;
            end_turns(3);
            if (end->secured && !end->closed) {
                (void)conn_send(&end->conn, &piece, 1);
            }
            fail_at = 0;
        }
        conn_close(&end->conn);
        end_turns(3);
        assert_int_equal(end->closed, 1);
        SSL_free(end->client);
        close(end->fd);
        free(end->got);
        end->got = NULL;
    }
    assert_int_equal(end_net.tls.begun_count, 0);
    assert_int_equal(end_shake(a), 1); // and the others go on
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ends_setup, ends_teardown)

int main(void) {
    CRYPTO_set_mem_functions(take, take_again, give);
    const struct CMUnitTest tests[] = {
        TEST(test_expired_while_shaking_hands),
        TEST(test_garbage),
        TEST(test_plain_http),
        TEST(test_too_many_handshakes),
        TEST(test_many_at_once),
        TEST(test_other_certificates_in_the_middle),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, ends_prepare, ends_clean);
}
