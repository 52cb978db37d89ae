// Encryption for connections: what conn.c does with a socket, done through OpenSSL. Sessions do not
// call these; they see a conn that takes longer to say its first word. Handshakes are made from a
// queue, a bounded time of each turn of the loop, because each costs as much as many deliveries.
// One thread: the loop's.
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdatomic.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/list.h"

struct conn;
struct tls;
struct tls_source;

// What the encrypted connections of one loop share. The counts are read by anyone.
struct tls_loop {
    uv_idle_t stepper;       // runs while one of the next three has something
    struct list first_steps; // handshakes whose peer has spoken for the first time
    struct list next_steps;  // and again
    struct list unread;      // connections with input that the socket tells nothing of any more
    struct list begun;       // handshakes that hold memory, the oldest first
    struct list leaving;     // closed, but the last bytes have not left yet
    size_t begun_count, begun_max;
    bool turn_of_first;
    atomic_ullong full, resumed, failed, evicted; // handshakes
};

void tls_loop_init(struct tls_loop *loop, uv_loop_t *uv, size_t handshakes_max);

// A connection that is leaving, or NULL: whoever ends the loop closes them.
struct conn *tls_loop_leaving(struct tls_loop *loop);

// From here on what passes is encrypted: 0 or ERR_NOMEM. The source must outlive it.
int tls_attach(struct conn *conn, struct tls_source *source);

// Frees it; nothing more is sent.
void tls_detach(struct conn *conn);

// The socket is ready (events of enum ready_events). True when the connection was leaving and is to
// be closed now.
bool tls_ready(struct conn *conn, unsigned events);

// As conn_recv, conn_send and conn_shutdown.
ptrdiff_t tls_recv(struct conn *conn, char *into, size_t size);
ptrdiff_t tls_send(struct conn *conn, const struct bytes *pieces, int count);
void tls_shutdown(struct conn *conn);

// The session wants other events than before.
void tls_update(struct conn *conn);

// The session is done with it: says goodbye to the peer. True when something has to leave before the
// socket may be closed; then tls_ready says when.
bool tls_leave(struct conn *conn);

// What ALPN agreed on; empty when there was no such talk, or not yet.
struct bytes tls_protocol(const struct conn *conn);

#endif
