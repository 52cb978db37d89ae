// Handshakes, and what else waits for the loop's next turn. A handshake costs as much as dozens of
// deliveries, nearly all of it in one step (the private key's), so the steps wait in a queue that has
// a bounded time of each turn. A peer that stalls holds memory, so there is a bound on those too.
#include <openssl/err.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/log.h"
#include "net/tls_private.h"

enum { STEPS_NS = 250 * 1000 }; // of handshakes in one turn; at least one step

static void on_step(uv_idle_t *stepper);

void tls_queue(struct tls *tls, struct list *where) {
    if (!tls_is_queued(tls)) {
        list_push_back(where, &tls->link);
        uv_idle_start(&tls_loop_of(tls)->stepper, on_step);
    }
}

void tls_shake_leave(struct tls *tls) {
    if (!list_empty(&tls->age)) {
        list_remove(&tls->age);
        tls_loop_of(tls)->begun_count--;
    }
    tls_certs_unref(tls->certs);
    tls->certs = NULL;
}

// The session learns of it as of any other end.
static void break_off(struct tls *tls, atomic_ullong *counter) {
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    tls_shake_leave(tls);
    list_remove(&tls->link);
    tls->state = TLS_BROKEN;
    tls_arm(tls);
    tls->conn->ops->readable(tls->conn);
}

static void make_room(struct tls_loop *loop) {
    while (loop->begun_count > loop->begun_max) {
        // Who takes longest is most likely to be someone who never ends.
        break_off(container_of(loop->begun.next, struct tls, age), &loop->evicted);
    }
}

static int begin(struct tls *tls) {
    struct tls_loop *loop = tls_loop_of(tls);
    tls->certs = tls_source_take(tls->source);
    tls->ssl = tls_certs_open(tls->certs);
    BIO *bio = tls->ssl ? tls_wire_bio(tls->source->wire, &tls->wire) : NULL;
    if (!bio) {
        return ERR_NOMEM;
    }
    SSL_set_bio(tls->ssl, bio, bio);
    tls->state = TLS_SHAKING;
    list_push_back(&loop->begun, &tls->age);
    loop->begun_count++;
    return 0;
}

// Somebody typed http:// for https://.
static void answer_in_plain(const struct tls *tls) {
    static const char answer[] =
        "HTTP/1.1 400 Bad Request\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 54\r\nConnection: close\r\n\r\n"
        "this port speaks HTTPS: write https:// in the address\n";
    (void)!send(tls->conn->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
    shutdown(tls->conn->fd, SHUT_WR);
}

static void fail(struct tls *tls) {
    unsigned long error = ERR_peek_error();
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST) {
        answer_in_plain(tls);
    }
    if (log_wants(LOG_DEBUG)) {
        char peer[ADDRESS_TEXT_MAX];
        const char *reason = error ? ERR_reason_error_string(error) : NULL;
        peer_format(&tls->conn->peer, peer);
        log_write(LOG_DEBUG, "no TLS with %s: %s", peer, reason ? reason : "it went away");
    }
    break_off(tls, &tls_loop_of(tls)->failed);
}

static void succeed(struct tls *tls) {
    struct tls_loop *loop = tls_loop_of(tls);
    struct conn *conn = tls->conn;
    atomic_fetch_add_explicit(SSL_session_reused(tls->ssl) ? &loop->resumed : &loop->full, 1,
                              memory_order_relaxed);
    tls_shake_leave(tls);
    tls->state = TLS_OPEN;
    tls_arm(tls);
    if (conn->ops->secured) {
        conn->ops->secured(conn);
    }
    // The first request often comes along with the end of the handshake.
    if (!conn->closing) {
        conn->ops->readable(conn);
    }
}

static bool would_wait(const struct tls *tls, int rc) {
    int error = SSL_get_error(tls->ssl, rc);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void step(struct tls *tls) {
    ERR_clear_error();
    if (tls->state == TLS_WAITING && begin(tls)) {
        fail(tls);
        return;
    }
    tls_wire_begin(&tls->wire);
    int rc = SSL_do_handshake(tls->ssl);
    if (rc == 1) {
        succeed(tls);
    } else if (!would_wait(tls, rc)) {
        fail(tls);
    } else {
        tls_arm(tls);
        make_room(tls_loop_of(tls));
    }
}

// --- the turn of the loop ---

// By turns from those who begin and from those who go on, so that neither can hold the other up.
static struct list *next_step(struct tls_loop *loop) {
    loop->turn_of_first = !loop->turn_of_first;
    struct list *one = loop->turn_of_first ? &loop->first_steps : &loop->next_steps;
    struct list *other = loop->turn_of_first ? &loop->next_steps : &loop->first_steps;
    return list_pop_front(list_empty(one) ? other : one);
}

static void make_steps(struct tls_loop *loop) {
    uint64_t end = uv_hrtime() + STEPS_NS;
    struct list *link;
    while ((link = next_step(loop))) {
        step(container_of(link, struct tls, link));
        if (uv_hrtime() >= end) {
            return;
        }
    }
}

static void read_on(struct tls_loop *loop) {
    struct list now, *link;
    list_init(&now);
    list_move_all(&now, &loop->unread);
    while ((link = list_pop_front(&now))) {
        struct tls *tls = container_of(link, struct tls, link);
        if (tls->conn->events & CONN_READ) {
            tls->conn->ops->readable(tls->conn);
        }
    }
}

static void on_step(uv_idle_t *stepper) {
    struct tls_loop *loop = stepper->data;
    make_steps(loop);
    read_on(loop);
    if (list_empty(&loop->first_steps) && list_empty(&loop->next_steps) &&
        list_empty(&loop->unread)) {
        uv_idle_stop(stepper);
    }
}

void tls_shake_on(struct tls *tls) {
    tls_queue(tls, tls->state == TLS_WAITING ? &tls_loop_of(tls)->first_steps
                                             : &tls_loop_of(tls)->next_steps);
    tls_arm(tls);
}

void tls_loop_init(struct tls_loop *loop, uv_loop_t *uv, size_t handshakes_max) {
    *loop = (struct tls_loop){.begun_max = handshakes_max};
    list_init(&loop->first_steps);
    list_init(&loop->next_steps);
    list_init(&loop->unread);
    list_init(&loop->begun);
    list_init(&loop->leaving);
    uv_idle_init(uv, &loop->stepper);
    loop->stepper.data = loop;
}

struct conn *tls_loop_leaving(struct tls_loop *loop) {
    return list_empty(&loop->leaving) ? NULL
                                      : container_of(loop->leaving.next, struct tls, link)->conn;
}
