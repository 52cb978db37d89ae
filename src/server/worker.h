// A worker: one thread, one loop, one hub, and the connections that it accepted. Workers share
// nothing but frames and the server's read-only parts.
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <uv.h>

#include "base/random.h"
#include "http/response.h"
#include "http/time.h"
#include "hub/hub.h"
#include "hub/inbox.h"
#include "net/conn.h"
#include "net/listener.h"
#include "server/commit.h"
#include "server/counters.h"
#include "server/laggards.h"
#include "server/latency.h"
#include "server/mailbox.h"
#include "server/server.h"

enum {
    WORKER_LISTENERS_MAX = 16,
    WORKER_SCRATCH = 64 * 1024,
    WORKER_PAGES_MAX = 16 * 1024 * 1024,
};

struct listen_spec;

struct worker {
    struct server *server;
    unsigned index;
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle; // runs while there is work left, so that the loop only polls and does not wait
    uv_timer_t tick;
    struct conn_loop net;
    struct listener listeners[WORKER_LISTENERS_MAX];
    size_t listener_count;
    struct inbox inbox;
    struct mailbox mailbox;
    struct hub hub;
    struct commits commits;     // publishers that wait for the disk
    struct list arrivals;       // connections whose PROXY header has not come yet
    struct list sessions;       // every other connection
    struct list streams;        // every subscription
    struct map names;           // of subscriptions that were told theirs
    struct list dirty_sessions; // those that settle at the end of the turn
    struct wheel stream_wheel;  // deadlines of streams that share a connection
    struct random random;
    struct http_date date;
    struct counters counters;
    struct latency latency;   // from publishing to handing over, of live events
    struct laggards laggards; // as it was seen last
    bool draining, stopping;
    size_t pages;                 // bytes of answers to polls that are not complete
    struct buf head, body, item;  // where heads, bodies and events of a batch are composed
    char scratch[WORKER_SCRATCH]; // where input is read; nothing in it outlives the callback
};

// Prepares the loop and connects to the bus: 0 or a negative error, with nothing left behind. The
// server's main thread.
int worker_open(struct worker *worker, struct server *server, unsigned index);

// Starts accepting on this descriptor, which passes to the worker; the spec is that of a struct
// listening (server/listening.h), which must outlive it. Before
// worker_start. 0 or ERR_SYSTEM, and then the descriptor is still the caller's.
int worker_listen(struct worker *worker, const struct listen_spec *spec, int fd);

// Starts the thread: 0 or ERR_SYSTEM.
int worker_start(struct worker *worker);

// Runs the task on the worker's thread. Any thread.
void worker_post(struct worker *worker, struct task *task);

// After the thread has ended, or was never started.
void worker_close(struct worker *worker);

// --- the worker's own thread ---

// Monotonic milliseconds, as of this turn of the loop.
static inline int64_t worker_now(const struct worker *worker) {
    return (int64_t)uv_now(&worker->loop);
}

// Publishes frames, and counts them. When it returns they have their ids, but those that were refused
// (bus_publish says when). The caller keeps its references.
void worker_publish(struct worker *worker, struct frame *const *frames, size_t count);

// Takes in whatever has been published up to now, so that a cursor from anywhere is in the past.
void worker_catch_up(struct worker *worker);

// How far a listener may lag, by these settings. Any thread.
struct lag_limits worker_lag_limits(const struct settings *settings);

void worker_limit_hit(struct worker *worker, enum limit limit);

// Begins the session on a connection whose peer is known by now: the descriptor passes to it.
void worker_take(struct worker *worker, const struct listen_spec *spec, int fd,
                 const struct peer *peer);

// No new connections; streams end within `ms`, other connections as soon as they are idle.
void worker_drain(struct worker *worker, int64_t ms);

// Closes every connection and ends the thread.
void worker_stop(struct worker *worker);

#endif
