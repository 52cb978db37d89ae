// /metrics in the Prometheus text format. Every figure is a sum over the workers, read while they
// run: each is exact, but they are not of one instant.
#include <inttypes.h>

#include "base/clock.h"
#include "history/disk.h"
#include "server/auth_hook.h"
#include "server/routes.h"
#include "server/webhooks.h"
#include "server/worker.h"

enum source { OF_WORKER, OF_HUB, OF_TLS };

struct metric {
    const char *name, *help;
    enum source source;
    size_t offset; // of an atomic_ullong in struct counters or struct hub_stats
};

static const struct metric metrics[] = {
    {"freshet_connections_accepted_total", "Connections accepted.", OF_WORKER,
     offsetof(struct counters, accepted)},
    {"freshet_requests_total", "Requests begun.", OF_WORKER, offsetof(struct counters, requests)},
    {"freshet_requests_refused_total", "Requests answered with a problem.", OF_WORKER,
     offsetof(struct counters, refused)},
    {"freshet_events_published_total", "Events published.", OF_WORKER,
     offsetof(struct counters, published)},
    {"freshet_published_bytes_total", "Bytes of published events, encoded.", OF_WORKER,
     offsetof(struct counters, published_bytes)},
    {"freshet_events_repeated_total", "Events that were published before, and so not again.",
     OF_WORKER, offsetof(struct counters, repeated)},
    {"freshet_publishes_unstored_total", "Publishes answered with 507.", OF_WORKER,
     offsetof(struct counters, unstored)},
    {"freshet_proxy_headers_refused_total",
     "Connections closed because their PROXY header was missing, malformed or from an address that "
     "is not trusted.",
     OF_WORKER, offsetof(struct counters, proxy_refused)},
    {"freshet_forwarded_ignored_total",
     "Requests whose Forwarded or X-Forwarded-For was malformed, and so not believed.", OF_WORKER,
     offsetof(struct counters, forwarded_ignored)},
    {"freshet_subscriptions_opened_total", "Streams and polls begun.", OF_WORKER,
     offsetof(struct counters, opened)},
    {"freshet_subscriptions_ended_total", "Streams and polls ended.", OF_WORKER,
     offsetof(struct counters, ended)},
    {"freshet_events_delivered_total", "Events handed to listeners whole.", OF_HUB,
     offsetof(struct hub_stats, deliveries)},
    {"freshet_delivered_bytes_total", "Bytes handed to listeners.", OF_HUB,
     offsetof(struct hub_stats, bytes)},
    {"freshet_sends_total",
     "Times that bytes were handed to listeners; over HTTP/2 many share a system call.", OF_HUB,
     offsetof(struct hub_stats, sends)},
    {"freshet_stalls_total", "Times that a listener's socket was full.", OF_HUB,
     offsetof(struct hub_stats, stalls)},
    {"freshet_gaps_total", "Gaps that listeners were told of.", OF_HUB,
     offsetof(struct hub_stats, gaps)},
    {"freshet_replayed_total", "Events that listeners got from history.", OF_HUB,
     offsetof(struct hub_stats, replayed)},
    {"freshet_packs_total", "Runs that were compressed, each for everyone at one cursor.", OF_HUB,
     offsetof(struct hub_stats, packs)},
    {"freshet_window_drops_total", "Frames dropped from a window because it was full.", OF_HUB,
     offsetof(struct hub_stats, window_drops)},
    {"freshet_inbox_overflows_total", "Times that a worker's inbox was full.", OF_HUB,
     offsetof(struct hub_stats, lost)},
};

static const char *const limit_names[LIMIT_COUNT] = {
    [LIMIT_ADDRESS_BYTES] = "rate-address-bytes",
    [LIMIT_ADDRESS_CONNECTIONS] = "max-connections-per-address",
    [LIMIT_ADDRESS_EVENTS] = "rate-address-events",
    [LIMIT_ADDRESS_LISTENERS] = "max-listeners-per-address",
    [LIMIT_ANSWER] = "max-answer",
    [LIMIT_AUTH_WAITING] = "auth-waiting",
    [LIMIT_BODY] = "max-body",
    [LIMIT_BODY_TIMEOUT] = "body-timeout",
    [LIMIT_CONNECTIONS] = "max-connections",
    [LIMIT_DESCRIPTORS] = "descriptors",
    [LIMIT_FLOOD] = "http2-flood",
    [LIMIT_HEAD] = "max-head",
    [LIMIT_HEADER_TIMEOUT] = "header-timeout",
    [LIMIT_HEADERS] = "max-headers",
    [LIMIT_IDEMPOTENCY_KEYS] = "idempotency-keys",
    [LIMIT_KEEPALIVE_TIMEOUT] = "keepalive-timeout",
    [LIMIT_MEMORY] = "memory",
    [LIMIT_PINNED] = "pinned-bytes",
    [LIMIT_TICKETS] = "max-tickets",
    [LIMIT_PUBLISH_TIMEOUT] = "publish-timeout",
    [LIMIT_PUBLISHER_BYTES] = "rate-publisher-bytes",
    [LIMIT_PUBLISHER_EVENTS] = "rate-publisher-events",
    [LIMIT_STREAMS] = "max-streams",
    [LIMIT_SUBJECT_LISTENERS] = "max-listeners-per-subject",
    [LIMIT_TOPIC_BYTES] = "rate-topic-bytes",
    [LIMIT_TOPIC_EVENTS] = "rate-topic-events",
    [LIMIT_TOPIC_LISTENERS] = "max-listeners-per-topic",
    [LIMIT_TOPICS] = "max-topics",
    [LIMIT_WEBSOCKET] = "websocket-unread",
};

const char *limit_name(enum limit limit) {
    return limit_names[limit];
}

static unsigned long long sum(const struct server *server, enum source source, size_t offset) {
    unsigned long long total = 0;
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker *worker = server->workers[i];
        const char *base = source == OF_HUB   ? (const char *)&worker->hub.stats
                           : source == OF_TLS ? (const char *)&worker->net.tls
                                              : (const char *)&worker->counters;
        total += atomic_load_explicit((const atomic_ullong *)(const void *)(base + offset),
                                      memory_order_relaxed);
    }
    return total;
}

static void put(struct buf *out, const char *name, const char *type, const char *help,
                unsigned long long value) {
    // A page that is cut short for want of memory is noticed by whoever parses it.
    (void)buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                     value);
}

static void put_counters(const struct server *server, struct buf *out) {
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct metric *m = &metrics[i];
        put(out, m->name, "counter", m->help, sum(server, m->source, m->offset));
    }
}

static void put_limits(const struct server *server, struct buf *out) {
    static const char name[] = "freshet_limit_hits_total";
    (void)buf_printf(out,
                     "# HELP %s Times that a limit was hit, by its setting.\n# TYPE %s counter\n",
                     name, name);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        size_t offset = offsetof(struct counters, limit_hits) + (size_t)i * sizeof(atomic_ullong);
        (void)buf_printf(out, "%s{limit=\"%s\"} %llu\n", name, limit_names[i],
                         sum(server, OF_WORKER, offset));
    }
    (void)buf_printf(out, "%s{limit=\"max-lag\"} %llu\n", name,
                     sum(server, OF_HUB, offsetof(struct hub_stats, lag_hits)));
    (void)buf_printf(out, "%s{limit=\"max-handshakes\"} %llu\n", name,
                     sum(server, OF_TLS, offsetof(struct tls_loop, evicted)));
}

static void put_handshakes(const struct server *server, struct buf *out) {
    (void)buf_printf(
        out,
        "# HELP freshet_tls_handshakes_total TLS handshakes that ended, by how they did.\n"
        "# TYPE freshet_tls_handshakes_total counter\n"
        "freshet_tls_handshakes_total{result=\"full\"} %llu\n"
        "freshet_tls_handshakes_total{result=\"resumed\"} %llu\n"
        "freshet_tls_handshakes_total{result=\"failed\"} %llu\n",
        sum(server, OF_TLS, offsetof(struct tls_loop, full)),
        sum(server, OF_TLS, offsetof(struct tls_loop, resumed)),
        sum(server, OF_TLS, offsetof(struct tls_loop, failed)));
}

static unsigned long long listening(const struct server *server) {
    return sum(server, OF_WORKER, offsetof(struct counters, opened)) -
           sum(server, OF_WORKER, offsetof(struct counters, ended));
}

static void put_gauges(struct server *server, struct buf *out) {
    struct history_stats history;
    server->history->stats(server->history, &history);
    put(out, "freshet_connections", "gauge", "Connections open now.",
        atomic_load_explicit(&server->connections, memory_order_relaxed));
    put(out, "freshet_subscribers", "gauge", "Streams and polls open now.", listening(server));
    put(out, "freshet_pinned_bytes", "gauge", "Bytes of frames that listeners have a part of.",
        atomic_load_explicit(&server->pinned, memory_order_relaxed));
    put(out, "freshet_history_events", "gauge", "Events in history.", history.events);
    put(out, "freshet_history_bytes", "gauge", "Bytes that history holds.", history.bytes);
    put(out, "freshet_history_topics", "gauge", "Topics with events in history.", history.topics);
    put(out, "freshet_workers", "gauge", "Worker threads.", server->worker_count);
    put(out, "freshet_uptime_seconds", "gauge", "Seconds since the start.",
        (unsigned long long)(clock_wall_ms() - server->started) / 1000);
    (void)buf_printf(
        out,
        "# HELP freshet_history_dropped_total Events dropped from history, by reason.\n"
        "# TYPE freshet_history_dropped_total counter\n"
        "freshet_history_dropped_total{reason=\"count\"} %" PRIu64 "\n"
        "freshet_history_dropped_total{reason=\"topic-bytes\"} %" PRIu64 "\n"
        "freshet_history_dropped_total{reason=\"age\"} %" PRIu64 "\n"
        "freshet_history_dropped_total{reason=\"bytes\"} %" PRIu64 "\n"
        "freshet_history_dropped_total{reason=\"purge\"} %" PRIu64 "\n",
        history.dropped_count, history.dropped_bytes, history.dropped_age, history.dropped_budget,
        history.dropped_purge);
    (void)buf_printf(out,
                     "# HELP freshet_info The version.\n# TYPE freshet_info gauge\n"
                     "freshet_info{version=\"%s\"} 1\n",
                     FRESHET_VERSION);
}

// How long ago the oldest event that is not on disk yet was published, at the most.
static unsigned long long unstored_ms(const struct server *server) {
    event_id newest = bus_newest(server->bus);
    event_id stored = server->history->stored(server->history);
    return newest > stored ? (unsigned long long)(id_to_ms(newest) - id_to_ms(stored)) : 0;
}

static void put_state(const struct server *server, struct buf *out) {
    static const char *const names[] = {
        [HISTORY_FINE] = "fine", [HISTORY_FULL] = "full", [HISTORY_FAILING] = "failing"};
    enum history_state state = server->history->state(server->history);
    (void)buf_printf(out, "# HELP freshet_history_state Whether events can be stored.\n"
                          "# TYPE freshet_history_state gauge\n");
    for (int i = HISTORY_FINE; i <= HISTORY_FAILING; i++) {
        (void)buf_printf(out, "freshet_history_state{state=\"%s\"} %d\n", names[i],
                         i == (int)state);
    }
}

static void put_disk(const struct server *server, struct buf *out) {
    struct disk_counters disk;
    history_disk_counters(server->history, &disk);
    put_state(server, out);
    put(out, "freshet_history_unstored_milliseconds", "gauge",
        "From the newest event on disk to the newest event.", unstored_ms(server));
    put(out, "freshet_history_waiting_events", "gauge", "Events not yet on disk.", disk.waiting);
    put(out, "freshet_history_waiting_bytes", "gauge", "Bytes not yet on disk.",
        disk.waiting_bytes);
    put(out, "freshet_history_commits_total", "counter", "Groups of events written to disk.",
        disk.commits);
    put(out, "freshet_history_commit_failures_total", "counter",
        "Groups of events that could not be written, each time.", disk.failures);
    put(out, "freshet_history_lost_total", "counter",
        "Events that found no room to wait for the disk.", disk.lost);
    put(out, "freshet_history_damaged_total", "counter",
        "Records that could not be read, and were passed over.", disk.damaged);
    put(out, "freshet_history_file_bytes", "gauge", "Size of the file.", disk.file_bytes);
    put(out, "freshet_history_file_bytes_max", "gauge", "The most that it may have.",
        disk.file_bytes_max);
}

// The ends of the histogram's octaves are powers of two, so the buckets here are whole ones of it.
static void put_latency(const struct server *server, struct buf *out) {
    static const char name[] = "freshet_delivery_seconds";
    enum { FIRST = 6, LAST = 26, STEP = 2 };
    struct histogram all;
    uint64_t seen = 0;
    unsigned slot = 0;
    latency_sum(server, &all);
    (void)buf_printf(out,
                     "# HELP %s From publishing to handing over to a listener, of the first event "
                     "of each send that is live.\n# TYPE %s histogram\n",
                     name, name);
    for (int power = FIRST; power <= LAST; power += STEP) {
        for (; slot < histogram_slot((uint64_t)1 << power); slot++) {
            seen += all.slots[slot];
        }
        (void)buf_printf(out, "%s_bucket{le=\"%.6f\"} %" PRIu64 "\n", name,
                         (double)((uint64_t)1 << power) / 1e6, seen);
    }
    (void)buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
                     name, all.count, name, (double)all.sum / 1e6, name, all.count);
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    struct server *server = exchange->worker->server;
    struct buf *body = &exchange->worker->body;
    (void)req;
    buf_clear(body);
    put_counters(server, body);
    put_limits(server, body);
    put_handshakes(server, body);
    put_latency(server, body);
    put_gauges(server, body);
    auth_hook_put_metrics(server, body);
    webhooks_put_metrics(server, body);
    if (server->on_disk) {
        put_disk(server, body);
    }
    exchange_answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", buf_bytes(body));
    return 0;
}

const struct handler route_metrics = {.begin = begin};
