// One encrypted connection. OpenSSL never waits here: input that is not there yet, and output that
// the socket does not take, are the wire's and the loop's business (tls_wire.h). What goes wrong is
// the end of the connection and of nothing else.
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "net/tls_private.h"

enum {
    RECORD_MAX = SSL3_RT_MAX_PLAIN_LENGTH,
    RECORDS_A_READ = 64, // they may be tiny: bounds the work for their senders
};

void tls_arm(struct tls *tls) {
    struct conn *conn = tls->conn;
    unsigned events = conn->events;
    if (conn->closing) {
        events = 0;
    } else if (tls->state < TLS_OPEN) {
        // Who waits in the queue has said enough.
        events = tls_is_queued(tls) ? 0 : CONN_READ;
    }
    events |= tls->wire.rest ? CONN_WRITE : 0;
    if (events != tls->armed) {
        tls->armed = (uint8_t)events;
        readiness_change(&conn->loop->readiness, conn->fd, events, conn);
    }
}

static void note_unread(struct tls *tls) {
    tls->unread = true;
    if (tls->conn->events & CONN_READ) {
        tls_queue(tls, &tls_loop_of(tls)->unread);
    }
}

void tls_update(struct conn *conn) {
    struct tls *tls = conn->tls;
    if (tls->state >= TLS_OPEN && tls->unread) {
        note_unread(tls);
    }
    tls_arm(tls);
}

int tls_attach(struct conn *conn, struct tls_source *source) {
    struct tls *tls = calloc(1, sizeof(*tls));
    if (!tls) {
        return ERR_NOMEM;
    }
    tls->conn = conn;
    tls->source = source;
    tls->wire.fd = conn->fd;
    tls->armed = CONN_READ;
    list_init(&tls->link);
    list_init(&tls->age);
    conn->tls = tls;
    return 0;
}

void tls_detach(struct conn *conn) {
    struct tls *tls = conn->tls;
    list_remove(&tls->link);
    tls_shake_leave(tls);
    SSL_free(tls->ssl);
    tls_wire_drop(&tls->wire);
    free(tls);
    conn->tls = NULL;
}

static void when_flushed(struct tls *tls) {
    if (tls->shut) {
        shutdown(tls->conn->fd, SHUT_WR);
    }
}

// What was kept goes on its way; false when the connection is lost.
static bool flush(struct tls *tls) {
    if (!tls->wire.rest) {
        return true;
    }
    if (tls_wire_flush(&tls->wire)) {
        tls_wire_drop(&tls->wire);
        tls->state = TLS_BROKEN;
        return false;
    }
    if (!tls->wire.rest) {
        when_flushed(tls);
    }
    return true;
}

static bool leaving_ready(struct tls *tls) {
    return !flush(tls) || !tls->wire.rest;
}

bool tls_ready(struct conn *conn, unsigned events) {
    struct tls *tls = conn->tls;
    if (conn->closing) {
        return tls && leaving_ready(tls);
    }
    bool lost = events & READY_ERROR;
    if (events & CONN_WRITE && !flush(tls)) {
        lost = true;
    }
    if (tls->state < TLS_OPEN) {
        tls_shake_on(tls);
        return false;
    }
    tls_arm(tls);
    if ((events & conn->events & CONN_READ) || (lost && conn->events)) {
        conn->ops->readable(conn);
    }
    if (!conn->closing && events & conn->events & CONN_WRITE && !conn->tls->wire.rest) {
        conn->ops->writable(conn);
    }
    return false;
}

// What to do after a call that brought nothing: true when it was the end.
static bool has_ended(struct tls *tls, int rc) {
    int error = SSL_get_error(tls->ssl, rc);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return false;
    }
    // Who cuts the connection off without a goodbye ends it all the same: what a request says of its
    // own length tells whether it is whole.
    tls->state = error == SSL_ERROR_ZERO_RETURN ? TLS_ENDED : TLS_BROKEN;
    return true;
}

// As much as there is room for. What the socket still has, the loop will tell of; not so what
// OpenSSL has taken from it already.
static size_t read_records(struct tls *tls, char *into, size_t size) {
    size_t got = 0;
    bool more = true;
    for (int i = 0; i < RECORDS_A_READ && got < size; i++) {
        ERR_clear_error();
        int n = SSL_read(tls->ssl, into + got, (int)(size - got));
        if (n <= 0) {
            // The end is told by another read, once what came before it has been used.
            more = has_ended(tls, n) && got;
            break;
        }
        got += (size_t)n;
    }
    if (more) {
        note_unread(tls);
    }
    return got;
}

ptrdiff_t tls_recv(struct conn *conn, char *into, size_t size) {
    struct tls *tls = conn->tls;
    if (tls->state < TLS_OPEN) {
        return 0;
    }
    tls->unread = false;
    if (tls->state > TLS_OPEN) {
        return ERR_GONE;
    }
    tls_wire_begin(&tls->wire);
    size_t got = read_records(tls, into, size);
    tls_arm(tls); // reading may have caused an answer
    return got || tls->state == TLS_OPEN ? (ptrdiff_t)got : ERR_GONE;
}

// The pieces, record by record.
struct feed {
    const struct bytes *pieces;
    int count;
    size_t at; // in the first of them
};

static void skip(struct feed *feed, size_t n) {
    feed->at += n;
    while (feed->count && feed->at >= feed->pieces->len) {
        feed->at -= feed->pieces->len;
        feed->pieces++;
        feed->count--;
    }
}

// What goes into the next record: small pieces ride in one, by way of `room`.
static struct bytes next_record(const struct feed *feed, char *room) {
    struct bytes first = bytes_make(feed->pieces->at + feed->at, feed->pieces->len - feed->at);
    if (first.len >= RECORD_MAX || feed->count == 1) {
        first.len = first.len < RECORD_MAX ? first.len : RECORD_MAX;
        return first;
    }
    size_t len = first.len;
    memcpy(room, first.at, len);
    for (int i = 1; i < feed->count && len < RECORD_MAX; i++) {
        size_t n = feed->pieces[i].len;
        n = n < RECORD_MAX - len ? n : RECORD_MAX - len;
        memcpy(room + len, feed->pieces[i].at, n);
        len += n;
    }
    return bytes_make(room, len);
}

ptrdiff_t tls_send(struct conn *conn, const struct bytes *pieces, int count) {
    struct tls *tls = conn->tls;
    struct feed feed = {.pieces = pieces, .count = count};
    char room[RECORD_MAX];
    size_t taken = 0;
    if (tls->state < TLS_OPEN) {
        return 0;
    }
    if (tls->state == TLS_BROKEN || !flush(tls)) {
        return ERR_GONE;
    }
    skip(&feed, 0);
    while (feed.count && !tls->wire.rest) {
        struct bytes record = next_record(&feed, room);
        ERR_clear_error();
        // The wire takes every record whole, so OpenSSL never asks for the same bytes again.
        int n = SSL_write(tls->ssl, record.at, (int)record.len);
        if (n <= 0) {
            tls->state = TLS_BROKEN;
            return ERR_GONE;
        }
        taken += (size_t)n;
        skip(&feed, (size_t)n);
    }
    tls_arm(tls);
    return (ptrdiff_t)taken;
}

static void say_goodbye(struct tls *tls) {
    if (tls->state == TLS_OPEN || tls->state == TLS_ENDED) {
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl);
    }
}

void tls_shutdown(struct conn *conn) {
    struct tls *tls = conn->tls;
    say_goodbye(tls);
    tls->shut = true;
    if (!tls->wire.rest) {
        when_flushed(tls);
    }
    tls_arm(tls);
}

bool tls_leave(struct conn *conn) {
    struct tls *tls = conn->tls;
    if (!tls->shut) {
        say_goodbye(tls);
    }
    tls_shake_leave(tls);
    list_remove(&tls->link);
    if (!tls->wire.rest || tls->state < TLS_OPEN || tls->state == TLS_BROKEN) {
        return false;
    }
    SSL_free(tls->ssl); // what is left is encrypted already
    tls->ssl = NULL;
    list_push_back(&tls_loop_of(tls)->leaving, &tls->link);
    tls_arm(tls);
    return true;
}

struct bytes tls_protocol(const struct conn *conn) {
    const struct tls *tls = conn->tls;
    const unsigned char *at = NULL;
    unsigned len = 0;
    if (tls->ssl && tls->state >= TLS_OPEN) {
        SSL_get0_alpn_selected(tls->ssl, &at, &len);
    }
    return bytes_make((const char *)at, len);
}
