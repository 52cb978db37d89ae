// Where the handshakes of a server get their certificates from: the set in force, which can be
// replaced while connections come, and the ticket keys, which stay. It outlives every connection.
#ifndef NET_TLS_SOURCE_H
#define NET_TLS_SOURCE_H

#include "net/tls_certs.h"
#include "net/tls_tickets.h"

struct tls_source {
    pthread_mutex_t lock; // of `certs`
    struct tls_certs *certs;
    struct tls_tickets tickets;
    BIO_METHOD *wire;
};

// With no certificates yet, as of this time in seconds: 0, ERR_NOMEM or ERR_SYSTEM, and then there
// is nothing to finish.
int tls_source_init(struct tls_source *source, int64_t now);

// Every connection is closed.
void tls_source_finish(struct tls_source *source);

// Puts the set, whose reference it takes over, into the place of the one before. Any thread.
void tls_source_replace(struct tls_source *source, struct tls_certs *certs);

// The set in force, with a reference for the caller. Any thread, once there is one.
struct tls_certs *tls_source_take(struct tls_source *source);

#endif
