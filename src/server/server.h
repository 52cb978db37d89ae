// The server: the parts that all workers share, and its life. open -> run -> close.
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stdatomic.h>
#include <uv.h>

#include "base/hash.h"
#include "bus/bus.h"
#include "history/history.h"
#include "net/signals.h"
#include "server/access.h"
#include "server/quotas.h"
#include "server/rates.h"
#include "server/secure.h"
#include "server/settings.h"

struct worker;
struct listening;
struct network;

struct server {
    const struct settings *settings;
    struct hash_key hash_key;
    struct history *history;
    struct history_rule *rules; // of the history
    bool on_disk;               // the history
    bool promises_disk;         // an acknowledged publish is on disk
    struct bus *bus;
    struct bytes *origins; // the setting, as slices
    size_t origin_count;
    struct listening *listening; // every socket that it listens on
    size_t listening_count;
    struct network *trusted; // proxies that are believed
    size_t trusted_count;
    struct secure secure;
    struct access access;
    struct quotas quotas;
    struct rates rates;
    struct worker **workers;
    unsigned worker_count;
    int64_t started;      // wall clock
    uint64_t descriptors; // how many the system gives this process
    event_id saved;       // what the id file holds
    atomic_ullong next_number;
    atomic_size_t pinned;      // bytes of half-sent frames
    atomic_size_t connections; // open now
    atomic_size_t watched;     // by so many who want the figures of every second
    atomic_bool draining;
    atomic_uint running; // workers whose thread has not ended
    uv_loop_t loop;      // of the main thread: signals and the clock
    struct signals signals;
    uv_timer_t housekeeping, deadline;
    uv_async_t worker_ended;
    uv_async_t history_changed;
    atomic_bool running_history;   // it may call back
    atomic_int told_state;         // of history, as it was logged last
    char problem[TLS_PROBLEM_MAX]; // why server_open failed, for people
};

// Whether a server could be opened with these settings, as far as can be told without opening it:
// 0, or a negative error and server->problem says what to do. Changes nothing.
int server_check(struct server *server, const struct settings *settings);

// Opens everything and binds the addresses. 0, or a negative error and server->problem says what to
// do; then nothing is left open. The settings must outlive the server.
int server_open(struct server *server, const struct settings *settings);

// The addresses that it listens on, as "http://host:port", "https://host:port" or "unix:/path": calls
// back once for each.
void server_addresses(const struct server *server, void (*each)(void *ctx, const char *url),
                      void *ctx);

// Serves until SIGTERM or SIGINT has drained it: 0 or a negative error.
int server_run(struct server *server);

void server_close(struct server *server);

// Asked to end: every answer from now on is the last on its connection. Any thread.
static inline bool server_is_draining(const struct server *server) {
    return atomic_load_explicit(&server->draining, memory_order_acquire);
}

static inline uint64_t server_next_number(struct server *server) {
    return atomic_fetch_add_explicit(&server->next_number, 1, memory_order_relaxed) + 1;
}

#endif
