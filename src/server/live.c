// Counters are told as they are, so that who misses a second misses nothing; rates are for who reads them.
#include "server/live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <uv.h>

#include "base/clock.h"
#include "base/error.h"
#include "hub/control.h"
#include "server/stream.h"
#include "server/worker.h"

struct live {
    struct server *server;
    int64_t due;
    struct histogram before; // as it was told last
};

static const char event_type[] = "freshet.stats";

int live_create(struct live **out, struct server *server, int64_t now) {
    struct live *live = malloc(sizeof(*live));
    if (!live) {
        return ERR_NOMEM;
    }
    live->server = server;
    live->due = now + LIVE_EVERY_MS;
    latency_sum(server, &live->before);
    atomic_fetch_add_explicit(&server->watched, 1, memory_order_relaxed);
    *out = live;
    return 0;
}

void live_destroy(struct live **live) {
    if (*live) {
        atomic_fetch_sub_explicit(&(*live)->server->watched, 1, memory_order_relaxed);
        free(*live);
        *live = NULL;
    }
}

int64_t live_due(const struct live *live) {
    return live->due;
}

enum source { OF_COUNTERS, OF_HUB };

struct figure {
    const char *name;
    enum source source;
    size_t offset; // of an atomic_ullong
};

// What a worker counts from its start on.
static const struct figure figures[] = {
    {"accepted", OF_COUNTERS, offsetof(struct counters, accepted)},
    {"requests", OF_COUNTERS, offsetof(struct counters, requests)},
    {"refused", OF_COUNTERS, offsetof(struct counters, refused)},
    {"published", OF_COUNTERS, offsetof(struct counters, published)},
    {"published_bytes", OF_COUNTERS, offsetof(struct counters, published_bytes)},
    {"unstored", OF_COUNTERS, offsetof(struct counters, unstored)},
    {"delivered", OF_HUB, offsetof(struct hub_stats, deliveries)},
    {"delivered_bytes", OF_HUB, offsetof(struct hub_stats, bytes)},
    {"sends", OF_HUB, offsetof(struct hub_stats, sends)},
    {"stalls", OF_HUB, offsetof(struct hub_stats, stalls)},
    {"gaps", OF_HUB, offsetof(struct hub_stats, gaps)},
    {"replayed", OF_HUB, offsetof(struct hub_stats, replayed)},
    {"inbox_overflows", OF_HUB, offsetof(struct hub_stats, lost)},
};

static unsigned long long load(const atomic_ullong *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static unsigned long long sum(const struct server *server, enum source source, size_t offset) {
    unsigned long long total = 0;
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker *worker = server->workers[i];
        const char *base =
            source == OF_HUB ? (const char *)&worker->hub.stats : (const char *)&worker->counters;
        total += load((const atomic_ullong *)(const void *)(base + offset));
    }
    return total;
}

static int write_counters(const struct server *server, struct buf *out) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(figures) / sizeof(figures[0]); i++) {
        const struct figure *figure = &figures[i];
        rc = buf_printf(out, ",\"%s\":%llu", figure->name,
                        sum(server, figure->source, figure->offset));
    }
    return rc;
}

// Only those that were hit: there are many, and mostly none is.
static int write_limits(const struct server *server, struct buf *out) {
    int rc = buf_append_text(out, ",\"limits\":{");
    const char *comma = "";
    for (int i = 0; rc == 0 && i < LIMIT_COUNT; i++) {
        size_t offset = offsetof(struct counters, limit_hits) + (size_t)i * sizeof(atomic_ullong);
        unsigned long long hits = sum(server, OF_COUNTERS, offset);
        if (hits) {
            rc = buf_printf(out, "%s\"%s\":%llu", comma, limit_name((enum limit)i), hits);
            comma = ",";
        }
    }
    return rc ? rc : buf_append_text(out, "}");
}

static int write_lag(const struct server *server, struct buf *out) {
    unsigned long long listeners = 0, most = 0;
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct laggards *laggards = &server->workers[i]->laggards;
        unsigned long long ms = load(&laggards->ms);
        listeners += load(&laggards->listeners);
        most = ms > most ? ms : most;
    }
    return buf_printf(out, ",\"lagging\":%llu,\"lag_ms\":%llu", listeners, most);
}

static int write_share(const char *name, int64_t us, struct buf *out) {
    return us < 0 ? buf_printf(out, ",\"%s\":null", name)
                  : buf_printf(out, ",\"%s\":%" PRId64, name, us);
}

// Of what was handed over since the last time, in microseconds.
static int write_latency(struct live *live, struct buf *out) {
    struct histogram now;
    latency_sum(live->server, &now);
    int rc = write_share("p50_us", latency_between(&live->before, &now, 0.5), out);
    rc = rc ? rc : write_share("p99_us", latency_between(&live->before, &now, 0.99), out);
    live->before = now;
    return rc;
}

static int write_now(struct server *server, struct buf *out) {
    struct history_stats history;
    size_t memory = 0;
    server->history->stats(server->history, &history);
    (void)uv_resident_set_memory(&memory);
    unsigned long long listeners = sum(server, OF_COUNTERS, offsetof(struct counters, opened)) -
                                   sum(server, OF_COUNTERS, offsetof(struct counters, ended));
    return buf_printf(
        out,
        "{\"version\":\"" FRESHET_VERSION "\",\"at\":%" PRId64 ",\"started\":%" PRId64
        ",\"workers\":%u,\"connections\":%zu,\"listeners\":%llu,\"memory\":%zu,\"pinned\":%zu,"
        "\"history_events\":%" PRIu64 ",\"history_bytes\":%" PRIu64 ",\"history_topics\":%" PRIu64,
        clock_wall_ms(), server->started, server->worker_count,
        atomic_load_explicit(&server->connections, memory_order_relaxed), listeners, memory,
        atomic_load_explicit(&server->pinned, memory_order_relaxed), history.events, history.bytes,
        history.topics);
}

static int make_frame(struct live *live, struct frame **frame) {
    struct buf data;
    buf_init(&data, &mem_libc, 0);
    int rc = write_now(live->server, &data);
    rc = rc ? rc : write_counters(live->server, &data);
    rc = rc ? rc : write_lag(live->server, &data);
    rc = rc ? rc : write_latency(live, &data);
    rc = rc ? rc : write_limits(live->server, &data);
    rc = rc ? rc : buf_append_text(&data, "}");
    rc = rc ? rc : control_event(frame, &mem_libc, event_type, buf_bytes(&data));
    buf_finish(&data);
    return rc;
}

void live_tell(struct live *live, struct stream *stream, int64_t now) {
    struct frame *frame;
    live->due = now + LIVE_EVERY_MS;
    if (make_frame(live, &frame) == 0) {
        (void)hub_tell(&stream->subscriber, frame);
    }
}

int live_append(struct live *live, struct buf *out) {
    struct frame *frame;
    int rc = make_frame(live, &frame);
    if (rc == 0) {
        rc = encoding_append(ENCODING_EVENT_STREAM, frame, out);
        frame_unref(frame);
    }
    return rc;
}
