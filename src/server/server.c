// Opening, draining and closing. The main thread keeps the clock and the signals; the workers do
// the rest.
#include "server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "net/descriptors.h"
#include "net/notify.h"
#include "server/addresses.h"
#include "server/audit.h"
#include "server/guard.h"
#include "server/log_open.h"
#include "server/privileges.h"
#include "server/reload.h"
#include "server/webhooks.h"
#include "server/worker.h"

enum {
    HOUSEKEEPING_MS = 1000,
    EXPIRE_ROUNDS = 64,
    DRAIN_GRACE_MS = 3000,
    SPARE_DESCRIPTORS = 1024
};

static int fail(struct server *server, int rc, const char *what) {
    if (server->problem[0] == '\0') {
        snprintf(server->problem, sizeof(server->problem), "%s", what);
    }
    return rc;
}

static unsigned wanted_workers(const struct settings *settings) {
    unsigned workers = settings->workers ? (unsigned)settings->workers : uv_available_parallelism();
    return workers > BUS_PORTS_MAX ? BUS_PORTS_MAX : workers;
}

static int open_workers(struct server *server) {
    unsigned count = wanted_workers(server->settings);
    server->workers = calloc(count, sizeof(*server->workers));
    if (!server->workers) {
        return ERR_NOMEM;
    }
    while (server->worker_count < count) {
        struct worker *worker = calloc(1, sizeof(*worker));
        int rc = worker ? worker_open(worker, server, server->worker_count) : ERR_NOMEM;
        if (rc) {
            free(worker);
            return rc;
        }
        server->workers[server->worker_count++] = worker;
    }
    return 0;
}

struct stop_task {
    struct task task;
    int64_t drain_ms; // negative: at once
};

static void run_stop(struct worker *worker, struct task *task) {
    struct stop_task *stop = container_of(task, struct stop_task, task);
    if (stop->drain_ms < 0) {
        worker_stop(worker);
    } else {
        worker_drain(worker, stop->drain_ms);
    }
    free(stop);
}

static void cancel_stop(struct task *task) {
    free(container_of(task, struct stop_task, task));
}

static void stop_workers(struct server *server, unsigned count, int64_t drain_ms) {
    for (unsigned i = 0; i < count; i++) {
        struct stop_task *stop = malloc(sizeof(*stop));
        if (!stop) {
            _exit(1); // asked to end, and no way left to do it in order
        }
        *stop = (struct stop_task){.task = {.run = run_stop, .cancel = cancel_stop},
                                   .drain_ms = drain_ms};
        worker_post(server->workers[i], &stop->task);
    }
}

static void on_deadline(uv_timer_t *timer) {
    struct server *server = timer->data;
    stop_workers(server, server->worker_count, -1);
}

// The service manager, where there is one.
static const char *manager(void) {
    return getenv("NOTIFY_SOCKET");
}

static void check_told(int rc) {
    if (rc) {
        log_write(LOG_WARN, "NOTIFY_SOCKET: %s", strerror(errno));
    }
}

static void tell_manager(const char *words) {
    check_told(notify_send(manager(), words));
}

static void on_end(struct server *server, const char *name) {
    int64_t drain = server->settings->drain_ms;
    if (atomic_exchange(&server->draining, true)) {
        log_write(LOG_WARN, "second signal: ending at once");
        stop_workers(server, server->worker_count, -1);
        return;
    }
    log_write(LOG_INFO, "%s: draining for up to %.1f s; once more to end at once", name,
              (double)drain / 1000);
    tell_manager("STOPPING=1\nSTATUS=draining");
    // Before the workers close the sockets, and so that the next server finds the way clear.
    addresses_remove_files(server);
    stop_workers(server, server->worker_count, drain);
    uv_timer_start(&server->deadline, on_deadline, (uint64_t)(drain + DRAIN_GRACE_MS), 0);
}

static void on_hangup(struct server *server) {
    struct reload_notes notes;
    if (server_is_draining(server)) {
        return; // and what the manager knows last must stay that it ends
    }
    check_told(notify_reloading(manager(), clock_mono_us()));
    reload_notes_init(&notes);
    int rc = reload_run(server, &notes);
    audit_note_signal(server, "reload", rc == 0);
    reload_notes_finish(&notes);
    tell_manager(rc ? "READY=1\nSTATUS=serving; what is new cannot be used, see the log"
                    : "READY=1\nSTATUS=serving");
}

static void on_signal(void *ctx, int number) {
    if (number == SIGHUP) {
        on_hangup(ctx);
    } else {
        on_end(ctx, number == SIGINT ? "SIGINT" : "SIGTERM");
    }
}

// A hangup is only wanted where there is something to read anew, or where it comes from a service
// manager, which would not like it to end anything.
static void take_signals(struct server *server) {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    const struct settings *settings = server->settings;
    bool reads = settings->config || settings->admin_token_file || settings->audit_log;
    if (reads || secure_wanted(settings) || rules_wanted(settings) || manager()) {
        sigaddset(&wanted, SIGHUP);
    }
    signals_init(&server->signals, &wanted, on_signal, server);
    // A peer that goes away is an error of the call that writes to it, not of the program.
    signal(SIGPIPE, SIG_IGN);
    // A file that may not grow is an error of the write, and the server survives it.
    signal(SIGXFSZ, SIG_IGN);
}

static void on_housekeeping(uv_timer_t *timer) {
    struct server *server = timer->data;
    log_save_newest(server);
    log_tell_state(server);
    secure_tick(server);
    for (int i = 0; i < EXPIRE_ROUNDS; i++) {
        if (!server->history->expire(server->history, clock_wall_ms())) {
            break;
        }
    }
}

static void on_worker_ended(uv_async_t *async) {
    struct server *server = async->data;
    if (atomic_load(&server->running) == 0) {
        uv_stop(&server->loop);
    }
}

static void on_history_changed(uv_async_t *async) {
    log_tell_state(async->data);
}

void server_post(struct server *server, struct task *task) {
    mailbox_post(&server->mail, task);
    uv_async_send(&server->mailed);
}

static void run_mail(struct server *server) {
    struct task *task = mailbox_take(&server->mail);
    while (task) {
        struct task *next = task->next;
        task->run(NULL, task);
        task = next;
    }
}

static void on_mailed(uv_async_t *async) {
    run_mail(async->data);
}

static int open_main_loop(struct server *server) {
    if (mailbox_init(&server->mail)) {
        return ERR_SYSTEM;
    }
    if (uv_loop_init(&server->loop)) {
        mailbox_finish(&server->mail);
        return ERR_SYSTEM;
    }
    uv_async_init(&server->loop, &server->mailed, on_mailed);
    server->mailed.data = server;
    uv_timer_init(&server->loop, &server->housekeeping);
    uv_timer_init(&server->loop, &server->deadline);
    uv_async_init(&server->loop, &server->worker_ended, on_worker_ended);
    uv_async_init(&server->loop, &server->history_changed, on_history_changed);
    server->housekeeping.data = server->deadline.data = server->worker_ended.data = server;
    server->history_changed.data = server;
    uv_timer_start(&server->housekeeping, on_housekeeping, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
    return 0;
}

// Every connection is a descriptor: all that the system gives, and room for them before the first
// thread.
static void take_descriptors(struct server *server) {
    server->descriptors = descriptors_raise();
    descriptors_widen(server->settings->max_connections + SPARE_DESCRIPTORS);
}

static int check_running(struct server *server) {
    struct privileges privileges;
    int rc = privileges_find(&privileges, server->settings->user, false, server->problem);
    return rc ? rc : audit_check_file(server->settings->audit_log, server->problem);
}

int server_check(struct server *server, const struct settings *settings) {
    *server = (struct server){.started = clock_wall_ms()};
    snapshot_first(server, settings);
    int rc = snapshot_derive(&server->first, server->problem);
    rc = rc ? rc : addresses_check(server);
    rc = rc ? rc : secure_check(server);
    rc = rc ? rc : access_check(server);
    rc = rc ? rc : webhooks_check(server);
    rc = rc ? rc : log_check(server);
    rc = rc ? rc : check_running(server);
    snapshot_unref(server->live);
    return rc;
}

static int open_audit(struct server *server) {
    int fd;
    int rc = audit_open_file(server->settings->audit_log, &fd, server->problem);
    return rc ? rc : audit_create(&server->audit, server, fd);
}

// The files that it makes are theirs whom it will become.
static int open_log(struct server *server, const struct privileges *privileges) {
    int rc = privileges_enter(privileges, server->problem);
    rc = rc ? rc : open_audit(server);
    rc = rc ? rc : log_open(server);
    int back = privileges_leave(privileges, server->problem);
    return rc ? rc : back;
}

static int open_parts(struct server *server) {
    struct privileges privileges;
    int rc = snapshot_derive(&server->first, server->problem);
    rc = rc ? rc : privileges_find(&privileges, server->settings->user, true, server->problem);
    rc = rc ? rc : addresses_check(server);
    rc = rc ? rc : secure_open(server);
    rc = rc ? rc : access_open(server);
    rc = rc ? rc : webhooks_open(server);
    rc = rc ? rc : open_log(server, &privileges);
    rc = rc ? rc : open_workers(server);
    rc = rc ? rc : addresses_open(server);
    rc = rc ? rc : privileges_drop(&privileges, server->problem);
    if (rc) {
        return rc;
    }
    guard_open(server);
    if (privileges.wanted) {
        reload_warn_unreadable(server, privileges.name);
    }
    return 0;
}

int server_open(struct server *server, const struct settings *settings) {
    *server = (struct server){.started = clock_wall_ms()};
    snapshot_first(server, settings);
    take_signals(server);
    take_descriptors(server);
    if (random_seed(&server->hash_key, sizeof(server->hash_key)) || open_main_loop(server)) {
        signals_finish(&server->signals);
        return fail(server, ERR_SYSTEM, "the operating system gives no randomness or no loop");
    }
    quotas_open(server);
    rates_open(server);
    int rc = open_parts(server);
    if (rc) {
        server_close(server);
        return fail(server, rc, "not enough memory to start");
    }
    atomic_store(&server->running_history, true);
    return 0;
}

int server_run(struct server *server) {
    if (signals_start(&server->signals, &server->loop)) {
        return fail(server, ERR_SYSTEM, "the operating system gives no thread");
    }
    unsigned started = 0;
    while (started < server->worker_count && worker_start(server->workers[started]) == 0) {
        started++;
    }
    bool all = started == server->worker_count;
    if (!all) {
        stop_workers(server, started, -1);
    } else {
        tell_manager("READY=1\nSTATUS=serving");
    }
    if (started) {
        uv_run(&server->loop, UV_RUN_DEFAULT);
    }
    while (started) {
        pthread_join(server->workers[--started]->thread, NULL);
    }
    signals_stop(&server->signals);
    run_mail(server);
    log_save_newest(server);
    return all ? 0 : fail(server, ERR_SYSTEM, "the operating system gives no thread");
}

static void close_handle(uv_handle_t *handle, void *arg) {
    (void)arg;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void cancel_mail(struct server *server) {
    struct task *task = mailbox_take(&server->mail);
    while (task) {
        struct task *next = task->next;
        task->cancel(task);
        task = next;
    }
}

void server_close(struct server *server) {
    log_close(server);
    addresses_remove_files(server);
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_close(server->workers[i]);
        free(server->workers[i]);
    }
    free(server->workers);
    server->worker_count = 0;
    addresses_close(server);
    secure_close(server);
    access_close(server);
    quotas_close(server);
    rates_close(server);
    webhooks_close(server);
    cancel_mail(server);
    audit_destroy(&server->audit);
    snapshot_unref(server->live);
    uv_walk(&server->loop, close_handle, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    uv_loop_close(&server->loop);
    mailbox_finish(&server->mail);
    signals_finish(&server->signals);
}
