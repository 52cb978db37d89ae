// Replacing. Every pointer is loaded and stored in sequence, which costs a reader nothing where it
// matters.
#include "server/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "http/host.h"
#include "http/origin.h"
#include "server/worker.h"

void snapshot_init(struct snapshot *snapshot, const struct settings *settings,
                   void (*destroy)(struct snapshot *snapshot)) {
    *snapshot = (struct snapshot){.settings = settings, .destroy = destroy};
    atomic_init(&snapshot->refs, 1);
}

static int derive_origins(struct snapshot *snapshot, char problem[SNAPSHOT_PROBLEM_MAX]) {
    const struct texts *setting = &snapshot->settings->cors_origin;
    snapshot->origins = calloc(setting->count + 1, sizeof(*snapshot->origins));
    if (!snapshot->origins) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < setting->count; i++) {
        struct bytes origin = bytes_of(setting->items[i]);
        if (!http_origin_valid(origin)) {
            snprintf(problem, SNAPSHOT_PROBLEM_MAX,
                     "--cors-origin: \"%.100s\" is no origin; write it as a browser does, "
                     "https://example.com without a path; an asterisk is a whole label in front "
                     "of a domain, the port, or all of it",
                     setting->items[i]);
            return ERR_INVALID;
        }
        snapshot->origins[snapshot->origin_count++] = origin;
        snapshot->any_origin |= bytes_is(origin, "*");
    }
    return 0;
}

static int derive_hosts(struct snapshot *snapshot, char problem[SNAPSHOT_PROBLEM_MAX]) {
    const struct texts *setting = &snapshot->settings->host;
    for (size_t i = 0; i < setting->count; i++) {
        struct bytes name = bytes_of(setting->items[i]);
        bool any = bytes_is(name, "*");
        if (!any && !http_host_entry_valid(name)) {
            snprintf(problem, SNAPSHOT_PROBLEM_MAX,
                     "--host: \"%.100s\" is no name; write events.example.com, without a port, or "
                     "*.example.com for one label more, or *",
                     setting->items[i]);
            return ERR_INVALID;
        }
        snapshot->any_host |= any;
    }
    return 0;
}

static int derive_trusted(struct snapshot *snapshot, char problem[SNAPSHOT_PROBLEM_MAX]) {
    const struct texts *setting = &snapshot->settings->trusted_proxies;
    snapshot->trusted = calloc(setting->count + 1, sizeof(*snapshot->trusted));
    if (!snapshot->trusted) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < setting->count; i++) {
        const char *wrong = network_parse(setting->items[i], &snapshot->trusted[i]);
        if (wrong) {
            snprintf(problem, SNAPSHOT_PROBLEM_MAX, "--trusted-proxies \"%.60s\": %s",
                     setting->items[i], wrong);
            return ERR_INVALID;
        }
        snapshot->trusted_count++;
    }
    return 0;
}

static int derive_admin(struct snapshot *snapshot, char problem[SNAPSHOT_PROBLEM_MAX]) {
    const char *file = snapshot->settings->admin_token_file, *why;
    int rc = file ? admin_token_read(&snapshot->admin, file, &why) : 0;
    if (rc == ERR_INVALID) {
        snprintf(problem, SNAPSHOT_PROBLEM_MAX, "--admin-token-file \"%.100s\": %s", file, why);
    }
    return rc;
}

int snapshot_derive(struct snapshot *snapshot, char problem[SNAPSHOT_PROBLEM_MAX]) {
    problem[0] = '\0';
    int rc = derive_origins(snapshot, problem);
    rc = rc ? rc : derive_hosts(snapshot, problem);
    rc = rc ? rc : derive_trusted(snapshot, problem);
    return rc ? rc : derive_admin(snapshot, problem);
}

void snapshot_unref(struct snapshot *snapshot) {
    if (!snapshot || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    free(snapshot->origins);
    free(snapshot->trusted);
    free(snapshot->retiring);
    snapshot->origins = NULL;
    snapshot->trusted = NULL;
    snapshot->retiring = NULL;
    if (snapshot->destroy) {
        snapshot->destroy(snapshot);
    }
}

void snapshot_first(struct server *server, const struct settings *settings) {
    snapshot_init(&server->first, settings, NULL);
    atomic_init(&server->settings, settings);
    atomic_init(&server->live, &server->first);
}

int snapshot_prepare(const struct server *server, struct retirement **out) {
    *out = calloc(server->worker_count, sizeof(**out));
    return *out ? 0 : ERR_NOMEM;
}

static void take_in(struct worker *worker) {
    const struct settings *settings = worker->server->settings;
    worker->hub.settings.window_bytes = settings->window_bytes;
    worker->hub.settings.pinned_max = settings->pinned_bytes;
    worker->hub.settings.lag = worker_lag_limits(settings);
    conn_loop_limit_handshakes(&worker->net, settings->max_handshakes);
}

static void run_retirement(struct worker *worker, struct task *task) {
    take_in(worker);
    snapshot_unref(container_of(task, struct retirement, task)->of);
}

static void cancel_retirement(struct task *task) {
    snapshot_unref(container_of(task, struct retirement, task)->of);
}

void snapshot_replace(struct server *server, struct snapshot *next, struct retirement *retiring) {
    struct snapshot *before = server->live;
    atomic_store(&server->live, next);
    atomic_store(&server->settings, next->settings);
    before->retiring = retiring;
    // The server's reference is the first worker's.
    atomic_fetch_add_explicit(&before->refs, server->worker_count - 1, memory_order_relaxed);
    for (unsigned i = 0; i < server->worker_count; i++) {
        retiring[i] = (struct retirement){
            .task = {.run = run_retirement, .cancel = cancel_retirement}, .of = before};
        worker_post(server->workers[i], &retiring[i].task);
    }
}
