// The turn of a worker's loop: connections read and publish, then the inbox is drained into the
// hub, then a slice of what is due is flushed. While work is left the loop polls without waiting,
// so that accepting and publishing never wait for a large topic.
#include "server/worker.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "net/conn.h"
#include "net/listen_spec.h"
#include "server/arrival.h"
#include "server/listening.h"
#include "server/session.h"
#include "server/stream.h"

enum {
    SENDS_A_TURN = 32,
    SENDS_A_FRAME = 4, // that was taken in this turn
    SENDS_A_TURN_MAX = 256,
    FRAMES_A_TURN = 4096,
    INBOX_SLOTS = 16384,
    IDLE_TOPICS = 16384,
    TICK_MS = 100,
};

static struct worker *worker_of_loop(uv_handle_t *handle) {
    return handle->data;
}

static void keep_going(uv_idle_t *idle) {
    (void)idle;
}

// Returns how many of `most` were there: less than that, and the inbox is empty.
static size_t drain_inbox(struct worker *worker, size_t most) {
    event_id lost;
    for (size_t taken = 0; taken < most; taken++) {
        struct frame *frame = inbox_pop(&worker->inbox, &lost);
        if (frame) {
            hub_take(&worker->hub, frame);
            frame_unref(frame);
        } else if (lost) {
            hub_lose(&worker->hub, lost);
        } else {
            return taken;
        }
    }
    return most;
}

// A publisher waits for the slice that is under way, so a slice is short; but when much has come in
// it is longer, because those who listen must not fall behind those who publish.
static unsigned slice(size_t frames) {
    size_t sends = SENDS_A_FRAME * frames;
    sends = sends < SENDS_A_TURN ? SENDS_A_TURN : sends;
    return sends > SENDS_A_TURN_MAX ? SENDS_A_TURN_MAX : (unsigned)sends;
}

void worker_catch_up(struct worker *worker) {
    drain_inbox(worker, SIZE_MAX);
}

static void turn(uv_check_t *check) {
    struct worker *worker = worker_of_loop((uv_handle_t *)check);
    commit_settle(worker);
    size_t frames = drain_inbox(worker, FRAMES_A_TURN);
    bool more = hub_flush(&worker->hub, slice(frames));
    session_flush_all(worker);
    if (more || frames == FRAMES_A_TURN) {
        uv_idle_start(&worker->idle, keep_going);
    } else {
        uv_idle_stop(&worker->idle);
    }
}

// The last thing before the loop waits: from here on others must wake it.
static void before_wait(uv_prepare_t *prepare) {
    struct worker *worker = worker_of_loop((uv_handle_t *)prepare);
    session_flush_all(worker);
    if (hub_has_work(&worker->hub) || !inbox_sleep(&worker->inbox)) {
        uv_idle_start(&worker->idle, keep_going);
    }
}

static void on_wake(uv_async_t *wake) {
    struct worker *worker = worker_of_loop((uv_handle_t *)wake);
    struct task *task = mailbox_take(&worker->mailbox);
    while (task) {
        struct task *next = task->next;
        task->run(worker, task);
        task = next;
    }
}

static void stop_if_empty(struct worker *worker) {
    if (worker->draining && worker->net.open == 0) {
        worker_stop(worker);
    }
}

static void on_tick(uv_timer_t *timer) {
    struct worker *worker = worker_of_loop((uv_handle_t *)timer);
    conn_loop_tick(&worker->net);
    hub_retry(&worker->hub);
    hub_check_lag(&worker->hub, worker_now(worker));
    session_tick_all(worker);
    laggards_tick(worker);
    stop_if_empty(worker);
}

static void wake_worker(void *ctx) {
    struct worker *worker = ctx;
    uv_async_send(&worker->wake);
}

static int open_loop(struct worker *worker) {
    if (uv_loop_init(&worker->loop)) {
        return ERR_SYSTEM;
    }
    int rc = conn_loop_init(&worker->net, &worker->loop);
    if (rc) {
        uv_loop_close(&worker->loop);
        return rc;
    }
    conn_loop_limit_handshakes(&worker->net, worker->server->settings->max_handshakes);
    uv_async_init(&worker->loop, &worker->wake, on_wake);
    uv_prepare_init(&worker->loop, &worker->prepare);
    uv_check_init(&worker->loop, &worker->check);
    uv_idle_init(&worker->loop, &worker->idle);
    uv_timer_init(&worker->loop, &worker->tick);
    worker->wake.data = worker->prepare.data = worker->check.data = worker;
    worker->idle.data = worker->tick.data = worker;
    uv_prepare_start(&worker->prepare, before_wait);
    uv_check_start(&worker->check, turn);
    uv_timer_start(&worker->tick, on_tick, TICK_MS, TICK_MS);
    wheel_init(&worker->stream_wheel, TICK_MS, worker_now(worker));
    return 0;
}

struct lag_limits worker_lag_limits(const struct settings *settings) {
    return (struct lag_limits){.hard = settings->max_lag,
                               .soft = settings->max_lag_soft,
                               .soft_ms = (uint32_t)settings->max_lag_ms,
                               .action = settings->lag_action};
}

static int open_hub(struct worker *worker) {
    struct server *server = worker->server;
    const struct settings *settings = server->settings;
    struct hub_settings hub = {
        .mem = &mem_libc,
        .key = &server->hash_key,
        .ops = &stream_hub_ops,
        .past = &server->history->past,
        .window_bytes = settings->window_bytes,
        .run_bytes = settings->send_bytes,
        .idle_topics = IDLE_TOPICS,
        .pinned = &server->pinned,
        .pinned_max = settings->pinned_bytes,
        .lag = worker_lag_limits(settings),
    };
    struct bus_port port = {.inbox = &worker->inbox, .wake = wake_worker, .ctx = worker};
    if (inbox_init(&worker->inbox, &mem_libc, INBOX_SLOTS, settings->inbox_bytes)) {
        return ERR_NOMEM;
    }
    if (hub_init(&worker->hub, &hub, 0)) {
        inbox_finish(&worker->inbox);
        return ERR_NOMEM;
    }
    worker->hub.heard = bus_connect(server->bus, &port);
    return 0;
}

static void close_handle(uv_handle_t *handle, void *arg) {
    (void)arg;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

// Every handle that is left ends with the loop, and with them connections that are closing.
static void close_handles(struct worker *worker) {
    conn_loop_close(&worker->net);
    uv_walk(&worker->loop, close_handle, NULL);
}

static void close_loop(struct worker *worker) {
    close_handles(worker);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&worker->loop);
}

int worker_open(struct worker *worker, struct server *server, unsigned index) {
    *worker = (struct worker){.server = server, .index = index};
    list_init(&worker->arrivals);
    list_init(&worker->sessions);
    list_init(&worker->streams);
    map_init(&worker->names, &mem_libc);
    commits_init(&worker->commits);
    list_init(&worker->dirty_sessions);
    buf_init(&worker->head, &mem_libc, 0);
    buf_init(&worker->body, &mem_libc, 0);
    buf_init(&worker->item, &mem_libc, 0);
    int rc = random_seed(&worker->random, sizeof(worker->random));
    rc = rc ? rc : mailbox_init(&worker->mailbox);
    if (rc) {
        return rc;
    }
    rc = open_loop(worker);
    if (rc == 0) {
        rc = open_hub(worker);
        if (rc) {
            close_loop(worker);
        }
    }
    if (rc) {
        mailbox_finish(&worker->mailbox);
    }
    return rc;
}

void worker_take(struct worker *worker, const struct listen_spec *spec, int fd,
                 const struct peer *peer) {
    const struct listening *at = container_of(spec, struct listening, spec);
    session_accept(worker, fd, peer, at);
}

static void on_accepted(struct listener *listener, int fd, const struct peer *peer) {
    struct worker *worker = listener->poll.data;
    if (listener->spec->proxy) {
        arrival_begin(worker, listener->spec, fd, peer);
    } else {
        worker_take(worker, listener->spec, fd, peer);
    }
}

static void on_exhausted(struct listener *listener) {
    worker_limit_hit(listener->poll.data, LIMIT_DESCRIPTORS);
}

int worker_listen(struct worker *worker, const struct listen_spec *spec, int fd) {
    struct listener *listener = &worker->listeners[worker->listener_count];
    listener->spec = spec;
    listener->accepted = on_accepted;
    listener->exhausted = on_exhausted;
    int rc = listener_open(listener, &worker->loop, fd);
    if (rc == 0) {
        listener->poll.data = worker;
        worker->listener_count++;
    }
    return rc;
}

static void *run(void *arg) {
    struct worker *worker = arg;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    atomic_fetch_sub(&worker->server->running, 1);
    uv_async_send(&worker->server->worker_ended);
    return NULL;
}

int worker_start(struct worker *worker) {
    atomic_fetch_add(&worker->server->running, 1);
    if (thread_start(&worker->thread, run, worker)) {
        atomic_fetch_sub(&worker->server->running, 1);
        return ERR_SYSTEM;
    }
    return 0;
}

void worker_post(struct worker *worker, struct task *task) {
    mailbox_post(&worker->mailbox, task);
    uv_async_send(&worker->wake);
}

static void close_listeners(struct worker *worker) {
    while (worker->listener_count) {
        listener_close(&worker->listeners[--worker->listener_count]);
    }
}

static void cancel_tasks(struct worker *worker) {
    struct task *task = mailbox_take(&worker->mailbox);
    while (task) {
        struct task *next = task->next;
        task->cancel(task);
        task = next;
    }
}

void worker_close(struct worker *worker) {
    close_listeners(worker);
    close_loop(worker);
    cancel_tasks(worker);
    hub_finish(&worker->hub);
    inbox_finish(&worker->inbox);
    mailbox_finish(&worker->mailbox);
    map_finish(&worker->names);
    buf_finish(&worker->head);
    buf_finish(&worker->body);
    buf_finish(&worker->item);
}

void worker_publish(struct worker *worker, struct frame *const *frames, size_t count) {
    // This worker is awake and drains its inbox at the end of the turn: no need to wake it.
    inbox_awake(&worker->inbox);
    uint32_t stamp = latency_stamp(clock_mono_us());
    for (size_t i = 0; i < count; i++) {
        frames[i]->stamp = stamp;
    }
    struct bus_outcome outcome = bus_publish(worker->server->bus, frames, count);
    hub_count(&worker->counters.published, outcome.published);
    hub_count(&worker->counters.published_bytes, outcome.bytes);
    hub_count(&worker->counters.repeated, outcome.repeated);
    hub_count(&worker->counters.limit_hits[LIMIT_IDEMPOTENCY_KEYS], outcome.forgotten);
}

void worker_limit_hit(struct worker *worker, enum limit limit) {
    hub_count(&worker->counters.limit_hits[limit], 1);
}

void worker_drain(struct worker *worker, int64_t ms) {
    worker->draining = true;
    close_listeners(worker);
    arrivals_close_all(worker);
    struct list *at = worker->streams.next;
    while (at != &worker->streams) {
        struct stream *stream = container_of(at, struct stream, link);
        at = at->next;
        stream_end_within(stream, ms);
    }
    session_drain_all(worker);
    stop_if_empty(worker);
}

void worker_stop(struct worker *worker) {
    if (worker->stopping) {
        return;
    }
    worker->stopping = true;
    close_listeners(worker);
    arrivals_close_all(worker);
    session_close_all(worker);
    close_handles(worker);
}
