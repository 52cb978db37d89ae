// One thread of listeners. It is built to cost the machine little, because what it takes the server
// cannot have: one epoll, one large read for whatever has come, no copy of what arrives whole, and
// the time read once for each read.
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "load/intake.h"
#include "load/shared.h"
#include "load/stamp.h"
#include "load/transport.h"

enum {
    READ_MAX = 256 * 1024,
    UNPACKED_MAX = 64 * 1024,
    EVENTS_MAX = 256,
    CONNECTS_A_TURN = 64,
    IDLE_MS = 10,
    CPU_EVERY_US = 5000,
};

struct listener {
    int fd; // -1: not connected
    unsigned number, first_topic;
    bool asked, listening;
    uint64_t owed; // events until it has caught up
    struct sequence *sequences;
    struct intake intake;
};

struct worker {
    struct load_shared *shared;
    struct load_tally *tally;
    struct listener *listeners;
    struct sequence *sequences;
    unsigned count, next, connecting, window, index;
    int epoll, phase;
    int64_t phase_us, now_us, cpu_us;
    uint64_t delivered, measured, received, sent, requests;
    int64_t measure_from_us;
    struct listener *reading;
    struct buf request;
    struct intake_way way;
    char *buffer;
};

static unsigned sequences_each(const struct load_shared *shared) {
    return shared->listener_topics * shared->lanes_each;
}

static void hang_up(struct worker *worker, struct listener *listener) {
    if (listener->fd < 0) {
        return;
    }
    close(listener->fd);
    listener->fd = -1;
    intake_restart(&listener->intake);
    if (listener->listening) {
        load_tick(&worker->tally->open, -1);
    } else {
        worker->connecting--;
    }
    listener->listening = listener->asked = false;
}

static void drop(struct worker *worker, struct listener *listener) {
    load_tick(listener->listening ? &worker->tally->closed : &worker->tally->refused, 1);
    hang_up(worker, listener);
}

// ---- what arrives ----

static void settle_debt(struct worker *worker, struct listener *listener) {
    if (listener->owed && --listener->owed == 0) {
        struct load_tally *tally = worker->tally;
        histogram_add(&tally->catch_up, (uint64_t)(worker->now_us - worker->phase_us));
        atomic_store_explicit(&tally->caught_us, worker->now_us, memory_order_relaxed);
        load_tick(&tally->caught_up, 1);
    }
}

// The checker of the lane that this event belongs to; NULL when the listener did not ask for it.
static struct sequence *sequence_of(const struct worker *worker, const struct stamp *stamp) {
    const struct load_shared *shared = worker->shared;
    const struct listener *listener = worker->reading;
    unsigned topics = shared->settings->topics;
    if (stamp->run != shared->run || stamp->lane >= shared->lanes) {
        return NULL;
    }
    unsigned topic = topics == 1 ? 0 : stamp->lane % topics;
    unsigned slot = topic - listener->first_topic;
    slot = topic < listener->first_topic ? slot + topics : slot;
    if (slot >= shared->listener_topics) {
        return NULL;
    }
    return &listener->sequences[slot * shared->lanes_each + stamp->lane / topics];
}

static void on_event(void *ctx, struct bytes head, size_t data_len) {
    struct worker *worker = ctx;
    struct load_tally *tally = worker->tally;
    struct stamp stamp;
    struct sequence *sequence = NULL;
    if (head.len >= STAMP_SIZE && stamp_read(head.at, &stamp)) {
        sequence = sequence_of(worker, &stamp);
    }
    if (!sequence) {
        tally->foreign++;
        return;
    }
    tally->damaged += data_len != worker->shared->settings->size;
    sequence_take(sequence, stamp.sequence, &tally->sequence);
    worker->delivered++;
    uint32_t age = stamp_age_us(&stamp, worker->now_us);
    if (worker->now_us - age >= worker->measure_from_us) {
        histogram_add(&tally->latency, age);
        worker->measured++;
    }
    settle_debt(worker, worker->reading);
}

static void begin_listening(struct worker *worker, struct listener *listener) {
    listener->listening = true;
    worker->connecting--;
    load_tick(&worker->tally->open, 1);
    load_tick(&worker->tally->listening, 1);
    atomic_store_explicit(&worker->tally->ready_us, worker->now_us, memory_order_relaxed);
}

static bool send_all(struct worker *worker, struct listener *listener, const char *at, size_t len) {
    ssize_t sent = send(listener->fd, at, len, MSG_NOSIGNAL);
    worker->sent += sent > 0 ? (uint64_t)sent : 0;
    if (sent >= 0 && sent < (ssize_t)len) {
        errno = EMSGSIZE; // a part of a request is as bad as none
    }
    return sent == (ssize_t)len;
}

static bool pong(struct worker *worker, struct listener *listener) {
    char answer[FRAMES_PONG_MAX];
    size_t len = frames_pong(&listener->intake.frames, answer);
    return send_all(worker, listener, answer, len);
}

// The next poll. Its request is short and the last one was read, so it fits.
static bool ask_again(struct worker *worker, struct listener *listener) {
    struct transport_ask ask = {
        .first_topic = listener->first_topic,
        .cursor = intake_cursor(&listener->intake, worker->way.transport),
    };
    worker->requests++;
    return transport_request(worker->shared, &ask, &worker->request) == 0 &&
           send_all(worker, listener, worker->request.at, worker->request.len);
}

// A poll listens once it has a place to go on from; a stream as soon as it is there.
static bool take_step(struct worker *worker, struct listener *listener, int step) {
    bool poll = worker->way.transport == LOAD_POLL, fine = true;
    if (step == INTAKE_PING) {
        return pong(worker, listener);
    }
    if (step == INTAKE_ANSWERED) {
        fine = ask_again(worker, listener);
    }
    if (fine && !listener->listening && poll == (step == INTAKE_ANSWERED)) {
        begin_listening(worker, listener);
    }
    return fine;
}

// False when the stream is over or was none.
static bool take(struct worker *worker, struct listener *listener, struct bytes rest) {
    for (;;) {
        int step = intake_next(&listener->intake, &rest, &worker->way);
        if (step == INTAKE_MORE) {
            return true;
        }
        if (step < 0 || !take_step(worker, listener, step)) {
            return false;
        }
    }
}

static void publish_counts(struct worker *worker) {
    struct load_tally *tally = worker->tally;
    const struct sequence_faults *faults = &tally->sequence;
    if (worker->delivered) {
        load_count(&tally->delivered, worker->delivered);
        load_count(&tally->measured, worker->measured);
        atomic_store_explicit(&tally->last_us, worker->now_us, memory_order_relaxed);
        worker->delivered = worker->measured = 0;
    }
    load_count(&tally->received, worker->received);
    load_count(&tally->sent, worker->sent);
    load_count(&tally->requests, worker->requests);
    worker->received = worker->sent = worker->requests = 0;
    atomic_store_explicit(&tally->faults,
                          faults->missing + faults->late + faults->duplicates + tally->damaged +
                              tally->foreign,
                          memory_order_relaxed);
}

static void read_some(struct worker *worker, struct listener *listener) {
    ssize_t got = recv(listener->fd, worker->buffer, READ_MAX, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        drop(worker, listener);
        return;
    }
    worker->now_us = load_now_us(worker->shared);
    worker->received += (uint64_t)got;
    worker->reading = listener;
    if (!take(worker, listener, bytes_make(worker->buffer, (size_t)got))) {
        drop(worker, listener);
    }
}

// ---- connecting ----

static void watch(struct worker *worker, struct listener *listener, int operation,
                  uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = listener};
    epoll_ctl(worker->epoll, operation, listener->fd, &event);
}

// On loopback the connection mostly stands at once, so the request goes out without a wait.
static void ask(struct worker *worker, struct listener *listener) {
    struct bytes cursor = intake_cursor(&listener->intake, worker->way.transport);
    struct transport_ask ask = {
        .first_topic = listener->first_topic, .cursor = cursor, .first = true};
    if (transport_request(worker->shared, &ask, &worker->request) != 0) {
        drop(worker, listener);
        return;
    }
    if (send_all(worker, listener, worker->request.at, worker->request.len)) {
        listener->asked = true;
        worker->requests++;
        load_tick(&worker->tally->asked, 1);
    } else if (errno != EAGAIN) {
        drop(worker, listener);
    }
}

static void start(struct worker *worker, struct listener *listener) {
    unsigned set = worker->shared->run + (worker->phase == LOAD_RETURN);
    listener->fd = target_connect(&worker->shared->subscribe, set, listener->number);
    load_tick(&worker->tally->started, 1);
    if (listener->fd < 0) {
        load_tick(&worker->tally->refused, 1);
        return;
    }
    worker->connecting++;
    ask(worker, listener);
    if (listener->fd >= 0) {
        watch(worker, listener, EPOLL_CTL_ADD, EPOLLIN | (listener->asked ? 0u : EPOLLOUT));
    }
}

static void on_ready(struct worker *worker, struct listener *listener, uint32_t events) {
    if (listener->fd < 0) {
        return;
    }
    if (!listener->asked && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        ask(worker, listener);
        if (listener->fd >= 0 && listener->asked) {
            watch(worker, listener, EPOLL_CTL_MOD, EPOLLIN);
        }
        return;
    }
    read_some(worker, listener);
}

// How many more may be started by now, as --connect-rate has it.
static unsigned allowed(struct worker *worker) {
    const struct load_settings *settings = worker->shared->settings;
    if (settings->connect_rate == 0 || worker->phase != LOAD_CONNECT) {
        return worker->count;
    }
    double elapsed = (double)(load_now_us(worker->shared) - worker->phase_us) / 1e6;
    return 1 + (unsigned)(elapsed * settings->connect_rate / worker->shared->workers);
}

// True when there are more to start right away.
static bool start_some(struct worker *worker) {
    unsigned limit = allowed(worker);
    for (int i = 0; i < CONNECTS_A_TURN; i++) {
        if (worker->next >= worker->count || worker->connecting >= worker->window) {
            return false;
        }
        if (worker->next >= limit) {
            return false;
        }
        start(worker, &worker->listeners[worker->next++]);
    }
    return true;
}

// ---- phases ----

static uint64_t owed_to(const struct load_shared *shared, const struct listener *listener) {
    uint64_t owed = 0;
    for (unsigned slot = 0; slot < shared->listener_topics; slot++) {
        unsigned topic = (listener->first_topic + slot) % shared->settings->topics;
        for (unsigned lane = topic; lane < shared->lanes; lane += shared->settings->topics) {
            unsigned at = slot * shared->lanes_each + lane / shared->settings->topics;
            owed += atomic_load(&shared->published[lane]) - listener->sequences[at].next;
        }
    }
    return owed;
}

static void enter(struct worker *worker, int phase) {
    worker->phase = phase;
    worker->phase_us = atomic_load(&worker->shared->phase_us);
    for (unsigned i = 0; i < worker->count && phase != LOAD_END; i++) {
        struct listener *listener = &worker->listeners[i];
        if (phase == LOAD_LEAVE) {
            hang_up(worker, listener);
        } else if (phase == LOAD_RETURN) {
            listener->owed = owed_to(worker->shared, listener);
        }
    }
    worker->next = phase == LOAD_CONNECT || phase == LOAD_RETURN ? 0 : worker->count;
    if (phase == LOAD_RETURN) {
        atomic_store(&worker->tally->listening, 0);
    }
}

static void end_sequences(struct worker *worker) {
    const struct load_shared *shared = worker->shared;
    for (unsigned i = 0; i < worker->count; i++) {
        const struct listener *listener = &worker->listeners[i];
        for (unsigned slot = 0; slot < shared->listener_topics; slot++) {
            unsigned topic = (listener->first_topic + slot) % shared->settings->topics;
            for (unsigned lane = topic; lane < shared->lanes; lane += shared->settings->topics) {
                unsigned at = slot * shared->lanes_each + lane / shared->settings->topics;
                sequence_end(&listener->sequences[at], atomic_load(&shared->published[lane]),
                             &worker->tally->sequence);
            }
        }
    }
}

static void note_cpu(struct worker *worker) {
    int64_t now = load_now_us(worker->shared);
    if (now - worker->cpu_us >= CPU_EVERY_US) {
        worker->cpu_us = now;
        worker->measure_from_us = atomic_load(&worker->shared->measure_from_us);
        atomic_store_explicit(&worker->tally->cpu_ns, load_thread_ns(), memory_order_relaxed);
    }
}

static void loop(struct worker *worker) {
    struct epoll_event events[EVENTS_MAX];
    enter(worker, LOAD_CONNECT);
    while (worker->phase != LOAD_END) {
        int phase = atomic_load(&worker->shared->phase);
        if (phase != worker->phase) {
            enter(worker, phase);
            continue;
        }
        bool more = start_some(worker);
        int wait = worker->phase == LOAD_LEAVE || worker->next < worker->count ? 1 : IDLE_MS;
        int count = epoll_wait(worker->epoll, events, EVENTS_MAX, more ? 0 : wait);
        for (int i = 0; i < count; i++) {
            on_ready(worker, events[i].data.ptr, events[i].events);
        }
        publish_counts(worker);
        note_cpu(worker);
    }
}

static int prepare(struct worker *worker) {
    const struct load_shared *shared = worker->shared;
    const struct load_settings *settings = shared->settings;
    unsigned workers = shared->workers, each = sequences_each(shared);
    worker->count = (settings->subscribers + workers - 1 - worker->index) / workers;
    worker->window =
        settings->herd ? worker->count : (settings->connecting + workers - 1) / workers;
    worker->tally = &worker->shared->tallies[worker->index];
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->listeners = calloc(worker->count + 1, sizeof(*worker->listeners));
    worker->sequences = calloc((size_t)worker->count * each + 1, sizeof(*worker->sequences));
    worker->buffer = malloc(READ_MAX + UNPACKED_MAX);
    buf_init(&worker->request, &mem_libc, 0);
    if (worker->epoll < 0 || !worker->listeners || !worker->sequences || !worker->buffer) {
        return worker->epoll < 0 ? ERR_SYSTEM : ERR_NOMEM;
    }
    worker->way = (struct intake_way){.transport = settings->transport,
                                      .found = on_event,
                                      .ctx = worker,
                                      .room = worker->buffer + READ_MAX,
                                      .room_len = UNPACKED_MAX};
    for (unsigned i = 0; i < worker->count; i++) {
        struct listener *listener = &worker->listeners[i];
        listener->fd = -1;
        listener->number = i * workers + worker->index;
        listener->first_topic = settings->pattern
                                    ? 0
                                    : (unsigned)((uint64_t)listener->number *
                                                 shared->listener_topics % settings->topics);
        listener->sequences = worker->sequences + (size_t)i * each;
    }
    return 0;
}

int listeners_run(struct load_shared *shared, unsigned index) {
    struct worker worker = {.shared = shared, .index = index, .measure_from_us = INT64_MAX};
    int rc = prepare(&worker);
    if (rc == 0) {
        loop(&worker);
        end_sequences(&worker);
    }
    for (unsigned i = 0; i < worker.count && worker.listeners; i++) {
        hang_up(&worker, &worker.listeners[i]);
    }
    if (worker.epoll >= 0) {
        close(worker.epoll);
    }
    free(worker.listeners);
    free(worker.sequences);
    free(worker.buffer);
    buf_finish(&worker.request);
    return rc;
}
