// A connection: a socket, its readiness and one deadline. It moves bytes and knows nothing of what
// they mean; a session embeds it and gives it its callbacks. One thread: its loop's.
#ifndef NET_CONN_H
#define NET_CONN_H

#include <uv.h>

#include "base/bytes.h"
#include "base/wheel.h"
#include "net/address.h"
#include "net/readiness.h"
#include "net/tls.h"

// What all connections of one loop share.
struct conn_loop {
    uv_loop_t *uv;
    struct readiness readiness;
    uv_idle_t reaper;    // runs while `closing` is not empty
    struct list closing; // by their timers, which are not needed any more
    struct wheel wheel;
    struct tls_loop tls;
    int64_t now; // monotonic milliseconds, as of this turn of the loop
    size_t open; // connections whose `closed` has not been called
};

struct conn;

struct conn_ops {
    void (*readable)(struct conn *conn); // there is input, or the end of it, or an error to be read
    void (*writable)(struct conn *conn);
    void (*expired)(struct conn *conn); // the deadline has passed; it is no longer set
    void (*closed)(struct conn *conn);  // the last call: the memory may go
    // The handshake is over: conn_protocol tells what the peer wants to speak. Before `readable`.
    // NULL: nobody needs to know. Called of encrypted connections only.
    void (*secured)(struct conn *conn);
};

struct conn {
    struct wheel_node timer;
    struct conn_loop *loop;
    const struct conn_ops *ops;
    struct tls *tls; // NULL: what passes is not encrypted
    int fd;
    struct peer peer;
    uint8_t events; // what it waits for
    bool closing;
};

enum conn_events { CONN_READ = READY_READ, CONN_WRITE = READY_WRITE };

// Takes the descriptor over (non-blocking), waiting for input. 0 or a negative error; then the
// descriptor is still the caller's and no callback is ever called.
int conn_open(struct conn *conn, struct conn_loop *loop, int fd, const struct peer *peer,
              const struct conn_ops *ops);

// The same in two steps, for a socket that may have input already: after conn_attach it can be read
// and written, and nothing is called back; conn_start makes it wait for input. 0 or a negative
// error, and then all is as if it had never been attached.
void conn_attach(struct conn *conn, struct conn_loop *loop, int fd, const struct peer *peer,
                 const struct conn_ops *ops);
int conn_start(struct conn *conn);

// Between the two: what passes is encrypted from the first byte on. Until the handshake is over
// nothing can be read (0) or sent (0); what fails it is the end of the connection (ERR_GONE). 0 or
// ERR_NOMEM, and then all is as it was. The source must outlive the connection.
int conn_secure(struct conn *conn, struct tls_source *source);

static inline bool conn_is_secure(const struct conn *conn) {
    return conn->tls != NULL;
}

// What the peer chose of the protocols that it was offered (ALPN), such as "http/1.1"; empty when it
// did not choose.
static inline struct bytes conn_protocol(const struct conn *conn) {
    return conn->tls ? tls_protocol(conn) : bytes_make(NULL, 0);
}

// Closes the socket now, or, when a part of an encrypted record waits for it, as soon as that has
// left (within 2 s); `closed` follows from the loop. Harmless when it is closing already.
void conn_close(struct conn *conn);

// Gives the descriptor to the caller instead of closing it; `closed` follows all the same. Not with TLS, and not
// after conn_close.
int conn_release(struct conn *conn);

// Bytes read; 0 when there are none yet; ERR_GONE at the end of the input or when the peer is gone.
ptrdiff_t conn_recv(struct conn *conn, char *into, size_t size);

// Bytes taken, less than there are (or 0) when the socket is full; ERR_GONE when the peer is gone.
ptrdiff_t conn_send(struct conn *conn, const struct bytes *pieces, int count);

// No more output; the peer reads the end.
void conn_shutdown(struct conn *conn);

// Which callbacks to call (of enum conn_events).
void conn_wait_for(struct conn *conn, unsigned events);

// Calls `expired` once this monotonic time has come, instead of any earlier wish.
void conn_set_deadline(struct conn *conn, int64_t at);
void conn_clear_deadline(struct conn *conn);

// The owner of the loop. 0, ERR_NOMEM or ERR_SYSTEM. A loop does not end by itself before
// conn_loop_close.
int conn_loop_init(struct conn_loop *loop, uv_loop_t *uv);

// How many handshakes may be under way; beyond it the one that takes longest is given up.
void conn_loop_limit_handshakes(struct conn_loop *loop, size_t most);

// At the start of a turn, and once every tick of the wheel.
void conn_loop_tick(struct conn_loop *loop);

// Every connection is closing. What is left ends with the loop, each with its `closed`; the memory
// may go when the loop has run its close callbacks. Harmless the second time.
void conn_loop_close(struct conn_loop *loop);

#endif
