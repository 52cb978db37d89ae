// The ends, their loop and their certificate.
#include "net/tls_end.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls_self_signed.h"

struct conn_loop end_net;
struct tls_source end_source;
struct end ends[ENDS_MAX];

static uv_loop_t uv;
static SSL_CTX *client_context;
static char folder[] = "/tmp/test-tls-XXXXXX";
static struct tls_self_signed made;

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

int ends_load(void) {
    static const struct texts no_keys;
    char *files[] = {made.server};
    struct texts certs = {.items = files, .count = 1};
    struct tls_settings settings = {.certs = &certs, .keys = &no_keys, .protocols = "\x08http/1.1"};
    struct tls_certs *set;
    char problem[TLS_PROBLEM_MAX];
    int rc = tls_certs_create(&set, &settings, &end_source.tickets, problem);
    if (rc == 0) {
        tls_source_replace(&end_source, set);
    }
    return rc;
}

int ends_prepare(void **state) {
    assert_non_null(mkdtemp(folder));
    assert_int_equal(tls_self_signed_prepare(&made, folder, "host.test"), 0);
    client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_alpn_protos(client_context, (const unsigned char *)"\x08http/1.1", 9);
    assert_int_equal(SSL_CTX_load_verify_file(client_context, made.cert), 1);
    SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
    return 0;
}

int ends_clean(void **state) {
    SSL_CTX_free(client_context);
    unlink(made.server);
    unlink(made.cert);
    rmdir(folder);
    return 0;
}

void end_open(struct end *end) {
    static const struct peer nobody;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *end = (struct end){.fd = pair[1], .read_size = 4096, .got = malloc(LARGE)};
    conn_attach(&end->conn, &end_net, pair[0], &nobody, &ops);
    assert_false(conn_is_secure(&end->conn));
    assert_int_equal(conn_secure(&end->conn, &end_source), 0);
    assert_true(conn_is_secure(&end->conn));
    assert_int_equal(conn_start(&end->conn), 0);
    end->client = SSL_new(client_context);
    SSL_set_fd(end->client, end->fd);
    SSL_set_connect_state(end->client);
}

int ends_setup(void **state) {
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(conn_loop_init(&end_net, &uv), 0);
    assert_int_equal(tls_source_init(&end_source, 0), 0);
    assert_int_equal(ends_load(), 0);
    end_open(ends);
    return 0;
}

int ends_teardown(void **state) {
    int count = 0;
    for (struct end *end = ends; end < ends + ENDS_MAX && end->got; end++, count++) {
        conn_close(&end->conn);
    }
    conn_loop_close(&end_net);
    uv_run(&uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&uv), 0);
    assert_int_equal(end_net.open, 0);
    for (int i = 0; i < count; i++) {
        assert_int_equal(ends[i].closed, 1);
        SSL_free(ends[i].client);
        close(ends[i].fd);
        free(ends[i].got);
        ends[i].got = NULL;
    }
    tls_source_finish(&end_source);
    return 0;
}

void end_turns(int count) {
    while (count--) {
        uv_run(&uv, UV_RUN_NOWAIT);
    }
}

int end_shake(struct end *end) {
    int rc = 0;
    for (int i = 0; i < 20 && rc != 1 && !end->closed; i++) {
        ERR_clear_error();
        rc = SSL_do_handshake(end->client);
        end_turns(3);
    }
    end_turns(3);
    return rc;
}

void end_tick_at(int64_t now) {
    uv.time = (uint64_t)now;
    conn_loop_tick(&end_net);
}
