// A connection: a socket, its readiness and one deadline. It moves bytes and knows nothing of what
// they mean; a session embeds it and gives it its callbacks. One thread: its loop's.
#ifndef NET_CONN_H
#define NET_CONN_H

#include <uv.h>

#include "base/bytes.h"
#include "base/wheel.h"
#include "net/address.h"
#include "net/readiness.h"

// What all connections of one loop share.
struct conn_loop {
    uv_loop_t *uv;
    struct readiness readiness;
    uv_idle_t reaper;    // runs while `closing` is not empty
    struct list closing; // by their timers, which are not needed any more
    struct wheel wheel;
    int64_t now; // monotonic milliseconds, as of this turn of the loop
    size_t open; // connections whose `closed` has not been called
};

struct conn;

struct conn_ops {
    void (*readable)(struct conn *conn); // there is input, or the end of it, or an error to be read
    void (*writable)(struct conn *conn);
    void (*expired)(struct conn *conn); // the deadline has passed; it is no longer set
    void (*closed)(struct conn *conn);  // the last call: the memory may go
};

struct conn {
    struct wheel_node timer;
    struct conn_loop *loop;
    const struct conn_ops *ops;
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

// Closes the socket now; `closed` follows from the loop. Harmless when it is closing already.
void conn_close(struct conn *conn);

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

// At the start of a turn, and once every tick of the wheel.
void conn_loop_tick(struct conn_loop *loop);

// Every connection is closing. What is left ends with the loop, each with its `closed`; the memory
// may go when the loop has run its close callbacks. Harmless the second time.
void conn_loop_close(struct conn_loop *loop);

#endif
