// Opening the log. Ids go on above everything that was ever given out, as far as anyone remembers:
// the clock, the id file, or the disk, whichever is highest.
#include "server/log_open.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "history/disk.h"
#include "server/commit.h"
#include "server/id_file.h"
#include "server/retention.h"
#include "server/server.h"

static int64_t wall_clock(void *ctx) {
    (void)ctx;
    return clock_wall_ms();
}

// Every id is above the time of the start, or above what the id file remembers if the clock was set
// back; of events before, a history in memory knows nothing any more.
static int find_floor(struct server *server, event_id *floor) {
    const char *path = server->settings->id_file;
    event_id remembered = 0;
    int rc = path ? id_file_read(path, &remembered) : 0;
    if (rc) {
        snprintf(server->problem, sizeof(server->problem), "--id-file %s: %s", path,
                 rc == ERR_SYSTEM ? strerror(errno)
                                  : "this is not an id file; name another, or remove it");
        return rc;
    }
    event_id clock = id_from_ms(server->started);
    *floor = clock > remembered ? clock : remembered;
    return 0;
}

// The writer's thread. The main thread is woken only when it has something to tell.
static void on_moved(void *ctx) {
    struct server *server = ctx;
    if (!atomic_load(&server->running_history)) {
        return;
    }
    commit_moved(server);
    enum history_state state = server->history->state(server->history);
    if ((int)state != atomic_load(&server->told_state)) {
        uv_async_send(&server->history_changed);
    }
}

static int open_disk(struct server *server, const struct history_limits *limits, event_id *floor) {
    const struct settings *settings = server->settings;
    struct disk_settings disk = {
        .path = settings->data,
        .relaxed = settings->durability == DURABILITY_RELAXED,
        .commit_ms = settings->commit_interval_ms,
        .queue_bytes = settings->history_queue_bytes,
        .once_ms = settings->idempotency_window_ms,
        .now_ms = wall_clock,
        .moved = on_moved,
        .moved_ctx = server,
    };
    event_id newest = 0;
    int rc = history_disk_open(&server->history, &mem_libc, &server->hash_key, limits, &disk,
                               &newest, server->problem, sizeof(server->problem));
    if (rc == 0) {
        server->on_disk = true;
        server->promises_disk = !disk.relaxed;
        *floor = newest > *floor ? newest : *floor;
    }
    return rc;
}

static int open_history(struct server *server, event_id *floor) {
    struct history_limits limits;
    int rc = retention_limits(server->settings, &limits, &server->rules);
    if (rc) {
        return rc;
    }
    limits.origin = *floor;
    return server->settings->data
               ? open_disk(server, &limits, floor)
               : history_memory_create(&server->history, &mem_libc, &server->hash_key, &limits);
}

int log_open(struct server *server) {
    const struct settings *settings = server->settings;
    event_id floor;
    int rc = find_floor(server, &floor);
    rc = rc ? rc : open_history(server, &floor);
    if (rc) {
        return rc;
    }
    struct bus_settings bus = {
        .mem = &mem_libc,
        .history = server->history,
        .now_ms = wall_clock,
        .floor = floor,
        .once_window_ms = settings->idempotency_window_ms,
        .once_keys = (uint32_t)settings->idempotency_keys,
    };
    return bus_create(&server->bus, &bus);
}

void log_close(struct server *server) {
    atomic_store(&server->running_history, false);
    bus_destroy(&server->bus);
    history_destroy(&server->history);
    free(server->rules);
    server->rules = NULL;
}

static int cannot_use(struct server *server, const char *why) {
    snprintf(server->problem, sizeof(server->problem), "--data %.100s: %s", server->settings->data,
             why);
    return ERR_SYSTEM;
}

// A directory that is not there yet is made in the one above it.
static int check_parent(struct server *server) {
    char *copy = strdup(server->settings->data);
    if (!copy) {
        return ERR_NOMEM;
    }
    int denied = access(dirname(copy), W_OK | X_OK);
    free(copy);
    return denied ? cannot_use(server, "it is not there and cannot be made; make it, or name a "
                                       "directory whose parent is there and may be written to")
                  : 0;
}

static int check_data(struct server *server) {
    struct stat status;
    if (stat(server->settings->data, &status)) {
        return errno == ENOENT ? check_parent(server) : cannot_use(server, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode)) {
        return cannot_use(server, "it is not a directory; name one that freshet may have for "
                                  "itself");
    }
    return access(server->settings->data, R_OK | W_OK | X_OK)
               ? cannot_use(server, "it may not be read and written to; change its owner or mode")
               : 0;
}

int log_check(struct server *server) {
    event_id floor;
    int rc = find_floor(server, &floor);
    return rc || !server->settings->data ? rc : check_data(server);
}

void log_save_newest(struct server *server) {
    const char *path = server->settings->id_file;
    event_id newest = bus_newest(server->bus);
    if (!path || newest == server->saved) {
        return;
    }
    if (id_file_write(path, newest)) {
        log_write(LOG_ERROR, "--id-file %s cannot be written: %s", path, strerror(errno));
    } else {
        server->saved = newest;
    }
}

void log_tell_state(struct server *server) {
    const char *data = server->settings->data;
    const char *then = server->promises_disk ? "publishers are refused until it can"
                                             : "publishing goes on, and what is published now may "
                                               "be lost";
    enum history_state state = server->history->state(server->history);
    if (atomic_exchange(&server->told_state, (int)state) == (int)state) {
        return;
    }
    switch (state) {
    case HISTORY_FINE:
        log_write(LOG_INFO, "--data %s: events are stored again", data);
        break;
    case HISTORY_FULL:
        log_write(LOG_ERROR, "--data %s: there is no room to store events; %s", data, then);
        break;
    case HISTORY_FAILING:
        log_write(LOG_ERROR, "--data %s: events cannot be written; %s", data, then);
        break;
    }
}
