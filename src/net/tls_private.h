// One encrypted connection, for the files that make it up: tls.c (what passes) and tls_shake.c (the
// handshake, and the turn of the loop).
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "net/conn.h"
#include "net/tls.h"
#include "net/tls_source.h"
#include "net/tls_wire.h"

enum tls_state {
    TLS_WAITING, // for the peer's first word: nothing is allocated for it
    TLS_SHAKING,
    TLS_OPEN,
    TLS_ENDED,  // the peer sends no more
    TLS_BROKEN, // nothing can be read or written
};

struct tls {
    struct conn *conn;
    struct tls_source *source;
    SSL *ssl;
    struct tls_certs *certs; // while shaking hands
    struct tls_wire wire;
    struct list link; // among first_steps, next_steps, unread or leaving
    struct list age;  // among begun
    uint8_t state, armed;
    bool unread; // input is left that the socket does not tell of
    bool shut;   // the output ends when what is kept has left
};

static inline struct tls_loop *tls_loop_of(const struct tls *tls) {
    return &tls->conn->loop->tls;
}

static inline bool tls_is_queued(const struct tls *tls) {
    return !list_empty(&tls->link);
}

// Watches for what the state and the session need.
void tls_arm(struct tls *tls);

// Its turn comes with the loop's: in this list of the loop, unless it is in one already.
void tls_queue(struct tls *tls, struct list *where);

// The peer has said something, or can be told more.
void tls_shake_on(struct tls *tls);

// The handshake is over, one way or another.
void tls_shake_leave(struct tls *tls);

#endif
