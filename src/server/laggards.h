// Who lags: how many listeners of a worker wait for their socket or read history, and how far behind the last
// of them is. Looked at once a second while somebody watches, on the worker's thread; any thread may read.
#ifndef SERVER_LAGGARDS_H
#define SERVER_LAGGARDS_H

#include <stdatomic.h>

struct worker;

enum {
    LAGGARDS_LOOK_MS = 1000,
    LAGGARDS_LOOKS_MAX = 16384, // listeners a time: with more, the figures are the least
};

struct laggards {
    atomic_ullong listeners, ms;
    long long looks_at; // monotonic milliseconds; the worker's
};

// The worker's tick: looks when it is time and somebody wants to know.
void laggards_tick(struct worker *worker);

#endif
