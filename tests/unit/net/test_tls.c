// Encrypted connections on a real loop: the other end of the pair of sockets is OpenSSL's client, in
// the same thread, so that every test decides whose turn it is.
#include "support.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "net/conn.h"
#include "net/tls_self_signed.h"
#include "net/tls_source.h"

enum { ENDS_MAX = 40, LARGE = 1 << 20 };

static uv_loop_t uv;
static struct conn_loop net;
static struct tls_source source;
static SSL_CTX *client_context;
static char folder[] = "/tmp/test-tls-XXXXXX";
static struct tls_self_signed made;

// A connection that notes what it is told, and its peer.
static struct end {
    struct conn conn;
    SSL *client;
    int fd; // the client's
    int readable, writable, expired, closed, secured;
    size_t read_size;
    ptrdiff_t last;
    char *got;
    size_t got_len;
    bool close_when_secured, close_when_readable;
} ends[ENDS_MAX], *a = ends;

static struct end *end_of(struct conn *conn) {
    return container_of(conn, struct end, conn);
}

static void on_secured(struct conn *conn) {
    struct end *end = end_of(conn);
    assert_int_equal(end->readable, 0);
    end->secured++;
    if (end->close_when_secured) {
        conn_close(conn);
    }
}

static void on_readable(struct conn *conn) {
    struct end *end = end_of(conn);
    end->readable++;
    if (end->close_when_readable) {
        conn_close(conn);
        return;
    }
    end->last = conn_recv(conn, end->got + end->got_len, end->read_size);
    if (end->last < 0) {
        conn_close(conn);
    } else {
        end->got_len += (size_t)end->last;
    }
}

static void on_writable(struct conn *conn) {
    end_of(conn)->writable++;
}

static void on_expired(struct conn *conn) {
    end_of(conn)->expired++;
    conn_close(conn);
}

static void on_closed(struct conn *conn) {
    end_of(conn)->closed++;
}

static const struct conn_ops ops = {
    .readable = on_readable,
    .writable = on_writable,
    .expired = on_expired,
    .closed = on_closed,
    .secured = on_secured,
};

static int load(void) {
    static const struct texts no_keys;
    char *files[] = {made.server};
    struct texts certs = {.items = files, .count = 1};
    struct tls_settings settings = {.certs = &certs, .keys = &no_keys, .protocols = "\x08http/1.1"};
    struct tls_certs *set;
    char problem[TLS_PROBLEM_MAX];
    int rc = tls_certs_create(&set, &settings, &source.tickets, problem);
    if (rc == 0) {
        tls_source_replace(&source, set);
    }
    return rc;
}

static int prepare(void **state) {
    assert_non_null(mkdtemp(folder));
    assert_int_equal(tls_self_signed_prepare(&made, folder, "host.test"), 0);
    client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_alpn_protos(client_context, (const unsigned char *)"\x08http/1.1", 9);
    assert_int_equal(SSL_CTX_load_verify_file(client_context, made.cert), 1);
    SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
    return 0;
}

static int clean(void **state) {
    SSL_CTX_free(client_context);
    unlink(made.server);
    unlink(made.cert);
    rmdir(folder);
    return 0;
}

static void open_end(struct end *end) {
    static const struct peer nobody;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *end = (struct end){.fd = pair[1], .read_size = 4096, .got = malloc(LARGE)};
    conn_attach(&end->conn, &net, pair[0], &nobody, &ops);
    assert_false(conn_is_secure(&end->conn));
    assert_int_equal(conn_secure(&end->conn, &source), 0);
    assert_true(conn_is_secure(&end->conn));
    assert_int_equal(conn_start(&end->conn), 0);
    end->client = SSL_new(client_context);
    SSL_set_fd(end->client, end->fd);
    SSL_set_connect_state(end->client);
}

static int setup(void **state) {
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(conn_loop_init(&net, &uv), 0);
    assert_int_equal(tls_source_init(&source, 0), 0);
    assert_int_equal(load(), 0);
    open_end(a);
    return 0;
}

static int teardown(void **state) {
    int count = 0;
    for (struct end *end = ends; end < ends + ENDS_MAX && end->got; end++, count++) {
        conn_close(&end->conn);
    }
    conn_loop_close(&net);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);
    assert_int_equal(net.open, 0);
    for (int i = 0; i < count; i++) {
        assert_int_equal(ends[i].closed, 1);
        SSL_free(ends[i].client);
        close(ends[i].fd);
        free(ends[i].got);
        ends[i].got = NULL;
    }
    tls_source_finish(&source);
    return 0;
}

static void turns(int count) {
    while (count--) {
        uv_run(&uv, UV_RUN_NOWAIT);
    }
}

static int shake(struct end *end) {
    int rc = 0;
    for (int i = 0; i < 20 && rc != 1 && !end->closed; i++) {
        ERR_clear_error();
        rc = SSL_do_handshake(end->client);
        turns(3);
    }
    turns(3);
    return rc;
}

static void tick_at(int64_t now) {
    uv.time = (uint64_t)now;
    conn_loop_tick(&net);
}

static void test_handshake_and_talk(void **state) {
    char answer[32];
    struct bytes pieces[] = {bytes_of("one "), bytes_of(""), bytes_of("two "), bytes_of("three")};
    assert_int_equal(conn_send(&a->conn, pieces, 4), 0); // not yet
    assert_int_equal(conn_recv(&a->conn, a->got, 10), 0);
    assert_int_equal(conn_protocol(&a->conn).len, 0);
    assert_int_equal(shake(a), 1);
    assert_int_equal(a->secured, 1);
    assert_true(bytes_is(conn_protocol(&a->conn), "http/1.1"));
    assert_int_equal(SSL_version(a->client), TLS1_3_VERSION);
    assert_int_equal(SSL_write(a->client, "hello", 5), 5);
    turns(2);
    assert_int_equal(a->got_len, 5);
    assert_memory_equal(a->got, "hello", 5);
    assert_int_equal(conn_send(&a->conn, pieces, 4), 13);
    assert_int_equal(SSL_read(a->client, answer, sizeof(answer)), 13); // in one record
    assert_memory_equal(answer, "one two three", 13);
    assert_int_equal(net.tls.full, 1);
    assert_int_equal(net.tls.begun_count, 0);
}

// What OpenSSL has taken from the socket is told of without any more from there.
static void test_nothing_is_forgotten_behind_the_socket(void **state) {
    assert_int_equal(shake(a), 1);
    a->read_size = 7;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(SSL_write(a->client, "0123456789", 10), 10);
    }
    turns(40);
    assert_int_equal(a->got_len, 100);
}

static void test_who_does_not_want_to_read_is_not_told(void **state) {
    assert_int_equal(shake(a), 1);
    a->read_size = 1;
    assert_int_equal(SSL_write(a->client, "abc", 3), 3);
    turns(1);
    conn_wait_for(&a->conn, 0);
    int before = a->readable;
    turns(10);
    assert_in_range(a->readable, before, before + 1);
    conn_wait_for(&a->conn, CONN_READ);
    turns(10);
    assert_int_equal(a->got_len, 3);
}

static void test_the_end_comes_after_what_was_said(void **state) {
    assert_int_equal(shake(a), 1);
    assert_int_equal(SSL_write(a->client, "bye", 3), 3);
    SSL_shutdown(a->client);
    turns(5);
    assert_int_equal(a->got_len, 3);
    assert_int_equal(a->last, ERR_GONE);
    assert_int_equal(a->closed, 1);
    assert_int_equal(SSL_shutdown(a->client), 1); // a goodbye came back
}

static void test_the_end_without_a_goodbye(void **state) {
    struct bytes answer = bytes_of("answer");
    char got[16];
    assert_int_equal(shake(a), 1);
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
        turns(1);
    }
    *end = SSL_get_error(a->client, n);
    return got;
}

static void test_a_full_socket(void **state) {
    int end;
    assert_int_equal(shake(a), 1);
    size_t sent = send_until_full(100000);
    conn_wait_for(&a->conn, CONN_READ | CONN_WRITE);
    turns(3);
    assert_int_equal(a->writable, 0);
    struct bytes more = bytes_of("more");
    assert_int_equal(conn_send(&a->conn, &more, 1), 0);
    size_t got = read_all(&end);
    assert_int_equal(got, sent);
    assert_int_equal(end, SSL_ERROR_WANT_READ);
    turns(1);
    assert_true(a->writable > 0);
    assert_int_equal(conn_send(&a->conn, &more, 1), 4);
}

// Nobody waits to write, and yet the rest of a record leaves by itself.
static void test_the_rest_leaves_by_itself(void **state) {
    int end;
    assert_int_equal(shake(a), 1);
    size_t sent = send_until_full(1000);
    assert_int_equal(read_all(&end), sent);
    assert_int_equal(a->writable, 0);
}

static void test_closing_waits_for_the_rest(void **state) {
    int end;
    assert_int_equal(shake(a), 1);
    size_t sent = send_until_full(1000);
    conn_close(&a->conn);
    turns(3);
    assert_int_equal(a->closed, 0);
    assert_int_equal(read_all(&end), sent);
    assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
    turns(3);
    assert_int_equal(a->closed, 1);
}

static void test_closing_does_not_wait_for_ever(void **state) {
    assert_int_equal(shake(a), 1);
    send_until_full(1000);
    conn_close(&a->conn);
    turns(3);
    assert_int_equal(a->closed, 0);
    tick_at(net.now + 3000);
    turns(3);
    assert_int_equal(a->closed, 1);
    assert_int_equal(a->expired, 0);
}

static void test_closing_when_the_peer_goes(void **state) {
    assert_int_equal(shake(a), 1);
    send_until_full(1000);
    conn_close(&a->conn);
    shutdown(a->fd, SHUT_RDWR);
    turns(3);
    assert_int_equal(a->closed, 1);
}

static void test_the_loop_ends_while_one_is_leaving(void **state) {
    assert_int_equal(shake(a), 1);
    send_until_full(1000);
    conn_close(&a->conn); // the rest is teardown's
}

static void test_shutdown_waits_for_the_rest(void **state) {
    int end;
    assert_int_equal(shake(a), 1);
    size_t sent = send_until_full(1000);
    conn_shutdown(&a->conn);
    assert_int_equal(read_all(&end), sent);
    assert_int_equal(end, SSL_ERROR_ZERO_RETURN);
    assert_int_equal(a->closed, 0);
    char byte;
    turns(1);
    assert_int_equal(recv(a->fd, &byte, 1, 0), 0);
    assert_int_equal(SSL_write(a->client, "late", 4), 4); // the other direction is open
    turns(2);
    assert_int_equal(a->got_len, 4);
}

static void test_closed_in_its_callbacks(void **state) {
    open_end(&ends[1]);
    a->close_when_secured = true;
    ends[1].close_when_readable = true;
    shake(a);
    shake(&ends[1]);
    assert_int_equal(a->closed, 1);
    assert_int_equal(ends[1].closed, 1);
    assert_int_equal(a->readable, 0);
}

static void test_expired_while_shaking_hands(void **state) {
    conn_set_deadline(&a->conn, net.now + 100);
    assert_int_equal(SSL_do_handshake(a->client), -1);
    tick_at(net.now + 500); // before its turn has come
    turns(3);
    assert_int_equal(a->closed, 1);
    assert_int_equal(a->secured, 0);
}

static void test_garbage(void **state) {
    assert_int_equal(send(a->fd, "garbage garbage\n", 16, 0), 16);
    turns(5);
    assert_int_equal(a->closed, 1);
    assert_int_equal(a->secured, 0);
    assert_int_equal(net.tls.failed, 1);
}

static void test_plain_http(void **state) {
    char answer[512];
    assert_int_equal(send(a->fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    turns(5);
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
    conn_loop_limit_handshakes(&net, 3);
    for (int i = 1; i < 6; i++) {
        open_end(&ends[i]);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(send(ends[i].fd, "\x16\x03\x01\x02", 4, 0), 4);
        turns(4);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ends[i].closed, i < 3);
    }
    assert_int_equal(net.tls.evicted, 3);
    assert_int_equal(net.tls.begun_count, 3);
}

// One turn does not do all of them, and all of them are done.
static void test_many_at_once(void **state) {
    for (int i = 1; i < ENDS_MAX; i++) {
        open_end(&ends[i]);
    }
    for (int i = 0; i < ENDS_MAX; i++) {
        assert_int_equal(SSL_do_handshake(ends[i].client), -1);
    }
    turns(2);
    assert_in_range(net.tls.begun_count, 1, ENDS_MAX / 2);
    for (int i = 0; i < ENDS_MAX; i++) {
        assert_int_equal(shake(&ends[i]), 1);
    }
    turns(ENDS_MAX);
    assert_int_equal(net.tls.full, ENDS_MAX);
}

static void test_other_certificates_in_the_middle(void **state) {
    SSL_do_handshake(a->client);
    turns(2);
    assert_int_equal(load(), 0);
    assert_int_equal(load(), 0);
    assert_int_equal(shake(a), 1);
    open_end(&ends[1]);
    assert_int_equal(shake(&ends[1]), 1);
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
        open_end(end);
        for (int i = 0; i < 6 && !end->closed; i++) {
            ERR_clear_error();
            SSL_do_handshake(end->client);
            allocations = 0;
            fail_at = n;
            turns(3);
            if (end->secured && !end->closed) {
                (void)conn_send(&end->conn, &piece, 1);
            }
            fail_at = 0;
        }
        conn_close(&end->conn);
        turns(3);
        assert_int_equal(end->closed, 1);
        SSL_free(end->client);
        close(end->fd);
        free(end->got);
        end->got = NULL;
    }
    assert_int_equal(net.tls.begun_count, 0);
    assert_int_equal(shake(a), 1); // and the others go on
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    CRYPTO_set_mem_functions(take, take_again, give);
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
        TEST(test_expired_while_shaking_hands),
        TEST(test_garbage),
        TEST(test_plain_http),
        TEST(test_too_many_handshakes),
        TEST(test_many_at_once),
        TEST(test_other_certificates_in_the_middle),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
