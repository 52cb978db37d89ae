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
#include "server/snapshot.h"

struct worker;
struct listening;
struct webhooks;
struct settings_source;
struct audit;

struct server {
    _Atomic(const struct settings *) settings; // in force: see server/snapshot.h
    _Atomic(struct snapshot *) live;           // the same, and what was made from them
    struct snapshot first;                     // what it was opened with; it stays until the end
    const struct settings_source *source;      // NULL: they cannot be read again
    struct hash_key hash_key;
    struct history *history;
    struct history_rule *rules; // of the history
    bool on_disk;               // the history
    bool promises_disk;         // an acknowledged publish is on disk
    struct bus *bus;
    struct listening *listening; // every socket that it listens on
    size_t listening_count;
    bool for_itself;      // it has no keys, and nobody but this machine reaches it
    bool admin_reachable; // others can reach one of --admin-listen
    struct secure secure;
    struct access access;
    struct quotas quotas;
    struct rates rates;
    struct webhooks *webhooks; // NULL: nobody is told
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
    struct mailbox mail; // of the main thread: its tasks run without a worker
    uv_async_t mailed;
    struct audit *audit; // NULL: nobody wants to know
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
// back once for each. `admin`: it is one of --admin-listen.
void server_addresses(const struct server *server,
                      void (*each)(void *ctx, const char *url, bool admin), void *ctx);

// Whether what is for administrators is answered anywhere.
bool server_hears_admins(const struct server *server);

// Where the settings are read again when they are to be reloaded (server/reload.h). After server_open;
// it must outlive the server.
static inline void server_reload_from(struct server *server, const struct settings_source *source) {
    server->source = source;
}

// Runs the task on the main thread, which server_run keeps: `run` is given no worker. Any thread.
void server_post(struct server *server, struct task *task);

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
