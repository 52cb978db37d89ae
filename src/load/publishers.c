// The publishers: keep-alive connections in one thread, each with the part of the timetable that its
// lanes have. Event k of a connection is due at a time that was fixed before the first was sent; it
// carries that time, so a server that answers late shows in every latency that follows.
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "load/filler.h"
#include "load/incoming.h"
#include "load/shared.h"
#include "load/stamp.h"

enum { EVENTS_MAX = 64, READ_MAX = 64 * 1024, IDLE_MS = 20, CPU_EVERY_US = 5000 };

struct publisher {
    int fd;
    unsigned index, lanes; // its lanes are index, index + publishers, …
    bool connected;
    uint64_t next;     // of its events
    unsigned inflight; // events without an answer
    unsigned oldest;   // place of the first of them in `due`
    int64_t *due;      // when those without an answer were due
    struct incoming incoming;
    struct buf out;
    size_t out_sent;
};

struct office {
    struct load_shared *shared;
    const struct publishers_plan *plan;
    struct publisher *publishers;
    unsigned count;
    int epoll, timer;
    int64_t now_us, cpu_us, moved_us, armed_us;
    char *data, *buffer;
    struct buf body;
    struct filler filler;
};

static int64_t due_at(const struct office *office, const struct publisher *publisher) {
    const struct publishers_plan *plan = office->plan;
    if (plan->rate <= 0) {
        return office->now_us > plan->from_us ? office->now_us : plan->from_us;
    }
    double place = (double)publisher->next * office->count + publisher->index;
    return plan->from_us + (int64_t)(place * 1e6 / plan->rate);
}

// Whether the plan has no more for it.
static bool is_through(const struct office *office, const struct publisher *publisher) {
    const struct publishers_plan *plan = office->plan;
    if (publisher->lanes == 0 || atomic_load(&office->shared->stop_publishing)) {
        return true;
    }
    return plan->rounds ? publisher->next >= (uint64_t)plan->rounds * publisher->lanes
                        : due_at(office, publisher) >= plan->until_us;
}

static int connect_publisher(struct office *office, struct publisher *publisher) {
    publisher->fd = target_connect(&office->shared->publish, office->shared->run, publisher->index);
    publisher->incoming = (struct incoming){0};
    publisher->out_sent = 0;
    buf_clear(&publisher->out);
    if (publisher->fd < 0) {
        return ERR_SYSTEM;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = publisher};
    return epoll_ctl(office->epoll, EPOLL_CTL_ADD, publisher->fd, &event) == 0 ? 0 : ERR_SYSTEM;
}

// The server ended the connection: what it has not answered is refused. It is made anew once.
static void lose(struct office *office, struct publisher *publisher) {
    load_count(&office->shared->books.refused, publisher->inflight);
    publisher->oldest += publisher->inflight;
    publisher->inflight = 0;
    if (publisher->fd >= 0) {
        close(publisher->fd);
    }
    connect_publisher(office, publisher);
}

static void fill_data(struct office *office, struct publisher *publisher, int64_t due_us) {
    struct load_shared *shared = office->shared;
    unsigned lane =
        publisher->index + (unsigned)(publisher->next % publisher->lanes) * office->count;
    struct stamp stamp = {.run = shared->run,
                          .lane = lane,
                          .sequence = atomic_fetch_add(&shared->published[lane], 1),
                          .time_us = (uint32_t)due_us & (STAMP_TIMES - 1)};
    stamp_write(&stamp, office->data);
    if (shared->settings->json_data) {
        size_t len = shared->settings->size - STAMP_SIZE;
        memcpy(office->data + STAMP_SIZE, filler_piece(&office->filler, stamp.sequence, len).at,
               len);
    }
}

static int write_post(struct office *office, struct publisher *publisher, unsigned lane) {
    const struct load_settings *settings = office->shared->settings;
    const struct target *target = &office->shared->publish;
    char name[TARGET_TOPIC_MAX];
    struct bytes topic = target_topic(name, settings->topic_prefix, lane % settings->topics);
    struct bytes data = bytes_make(office->data, settings->size), none = {0};
    struct buf *out = &publisher->out;
    buf_clear(&office->body);
    int rc = settings->publish_body
                 ? target_fill(&office->body, settings->publish_body, topic, data, false)
                 : buf_append(&office->body, data.at, data.len);
    rc = rc ? rc : buf_append_text(out, "POST ");
    rc = rc ? rc : target_fill(out, target->path, topic, none, true);
    rc = rc ? rc
            : buf_printf(out,
                         " HTTP/1.1\r\nHost: %.*s\r\nContent-Type: %s\r\nContent-Length: "
                         "%zu\r\n\r\n",
                         (int)target->host_len, target->host, settings->publish_type,
                         office->body.len);
    return rc ? rc : buf_append(out, office->body.at, office->body.len);
}

static void write_event(struct office *office, struct publisher *publisher) {
    struct load_books *books = &office->shared->books;
    int64_t due_us = due_at(office, publisher);
    unsigned lane =
        publisher->index + (unsigned)(publisher->next % publisher->lanes) * office->count;
    fill_data(office, publisher, due_us);
    write_post(office, publisher, lane);
    publisher->due[(publisher->oldest + publisher->inflight) % office->shared->settings->pipeline] =
        due_us;
    publisher->inflight++;
    publisher->next++;
    books->due++;
    load_count(&books->published, 1);
    if (due_us >= atomic_load_explicit(&office->shared->measure_from_us, memory_order_relaxed)) {
        load_count(&books->measured, 1);
        histogram_add(&books->late_us, (uint64_t)(office->now_us - due_us));
    }
}

static void flush(struct office *office, struct publisher *publisher) {
    struct buf *out = &publisher->out;
    while (publisher->out_sent < out->len) {
        ssize_t sent = send(publisher->fd, out->at + publisher->out_sent,
                            out->len - publisher->out_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            return;
        }
        if (sent < 0) {
            lose(office, publisher);
            return;
        }
        publisher->out_sent += (size_t)sent;
    }
    publisher->out_sent = 0;
    buf_clear(out);
}

// Sends what is due and may be sent.
static void work(struct office *office, struct publisher *publisher) {
    if (!publisher->connected || publisher->fd < 0) {
        return;
    }
    while (publisher->out.len == 0 || publisher->inflight) {
        if (publisher->inflight >= office->shared->settings->pipeline ||
            is_through(office, publisher) || due_at(office, publisher) > office->now_us) {
            break;
        }
        write_event(office, publisher);
    }
    flush(office, publisher);
}

static void answered(struct office *office, struct publisher *publisher) {
    struct load_books *books = &office->shared->books;
    int64_t due = publisher->due[publisher->oldest % office->shared->settings->pipeline];
    bool good = publisher->incoming.status / 100 == 2;
    load_count(good ? &books->acknowledged : &books->refused, 1);
    if (due >= atomic_load_explicit(&office->shared->measure_from_us, memory_order_relaxed)) {
        histogram_add(&books->acknowledged_us, (uint64_t)(office->now_us - due));
    }
    publisher->oldest++;
    publisher->inflight -= publisher->inflight > 0;
    publisher->incoming = (struct incoming){0};
    office->moved_us = office->now_us;
}

// False when the connection is of no more use.
static bool take(struct office *office, struct publisher *publisher, struct bytes rest) {
    struct bytes body;
    for (;;) {
        int step = incoming_next(&publisher->incoming, &rest, &body);
        if (step == INCOMING_DONE) {
            bool close_after = publisher->incoming.close;
            answered(office, publisher);
            if (close_after) {
                return false;
            }
        }
        if (step < 0) {
            return false;
        }
        if (rest.len == 0 && step != INCOMING_HEAD && step != INCOMING_BODY) {
            return true;
        }
    }
}

static void on_ready(struct office *office, struct publisher *publisher) {
    publisher->connected = true;
    for (;;) {
        ssize_t got = recv(publisher->fd, office->buffer, READ_MAX, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        office->now_us = load_now_us(office->shared);
        if (got <= 0 || !take(office, publisher, bytes_make(office->buffer, (size_t)got))) {
            lose(office, publisher);
            return;
        }
        if (got < READ_MAX) {
            break;
        }
    }
    work(office, publisher);
}

// The next time at which something is due, for the timer; -1 when only answers are waited for.
static int64_t next_due(const struct office *office) {
    int64_t first = -1;
    for (unsigned i = 0; i < office->count; i++) {
        const struct publisher *publisher = &office->publishers[i];
        if (publisher->inflight < office->shared->settings->pipeline &&
            !is_through(office, publisher)) {
            int64_t due = due_at(office, publisher);
            first = first < 0 || due < first ? due : first;
        }
    }
    return first;
}

static void arm(struct office *office) {
    int64_t due = next_due(office);
    if (due < 0 || due == office->armed_us) {
        return;
    }
    int64_t ns = office->shared->base_ns + due * 1000;
    struct itimerspec at = {.it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}};
    timerfd_settime(office->timer, TFD_TIMER_ABSTIME, &at, NULL);
    office->armed_us = due;
}

static bool all_through(const struct office *office) {
    for (unsigned i = 0; i < office->count; i++) {
        const struct publisher *publisher = &office->publishers[i];
        if (publisher->inflight || !is_through(office, publisher)) {
            return false;
        }
    }
    return true;
}

// The server has stopped answering, or is far behind the end of the timetable.
static bool is_hopeless(const struct office *office) {
    const struct publishers_plan *plan = office->plan;
    int64_t patience_us = office->shared->settings->patience_ms * 1000;
    int64_t due = next_due(office);
    bool overtime = !plan->rounds && office->now_us > plan->until_us + patience_us;
    bool waits = due < 0 || plan->rate <= 0 || due + patience_us < office->now_us;
    return overtime || (waits && office->now_us > office->moved_us + patience_us);
}

static void note_cpu(struct office *office) {
    if (office->now_us - office->cpu_us >= CPU_EVERY_US) {
        office->cpu_us = office->now_us;
        atomic_store_explicit(&office->shared->books.cpu_ns, load_thread_ns(),
                              memory_order_relaxed);
    }
}

static void loop(struct office *office) {
    struct epoll_event events[EVENTS_MAX];
    office->moved_us = office->now_us = load_now_us(office->shared);
    while (!all_through(office) && !is_hopeless(office)) {
        arm(office);
        int count = epoll_wait(office->epoll, events, EVENTS_MAX, IDLE_MS);
        office->now_us = load_now_us(office->shared);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) {
                on_ready(office, events[i].data.ptr);
            }
        }
        for (unsigned i = 0; i < office->count; i++) {
            work(office, &office->publishers[i]);
        }
        note_cpu(office);
    }
}

static uint64_t unsent(const struct office *office) {
    uint64_t count = 0;
    bool timed = office->plan->rate > 0;
    for (unsigned i = 0; timed && i < office->count; i++) {
        struct publisher publisher = office->publishers[i];
        while (!is_through(office, &publisher) && count < STAMP_SEQUENCES) {
            publisher.next++;
            count++;
        }
    }
    return count;
}

static int open_publisher(struct office *office, unsigned index) {
    struct load_shared *shared = office->shared;
    struct publisher *publisher = &office->publishers[index];
    publisher->index = index;
    publisher->lanes = (shared->lanes + office->count - 1 - index) / office->count;
    publisher->due = calloc(shared->settings->pipeline, sizeof(*publisher->due));
    buf_init(&publisher->out, &mem_libc, 0);
    return publisher->due ? connect_publisher(office, publisher) : ERR_NOMEM;
}

static int open_office(struct office *office) {
    const struct load_settings *settings = office->shared->settings;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    office->epoll = epoll_create1(EPOLL_CLOEXEC);
    office->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    office->data = malloc(settings->size);
    office->buffer = malloc(READ_MAX);
    office->publishers = calloc(settings->publishers, sizeof(*office->publishers));
    buf_init(&office->body, &mem_libc, 0);
    buf_init(&office->filler.pool, &mem_libc, 0);
    if (!office->data || !office->buffer || !office->publishers) {
        return ERR_NOMEM;
    }
    int rc = filler_init(&office->filler, settings->json_data, settings->size);
    if (rc) {
        return rc;
    }
    memcpy(office->data, filler_piece(&office->filler, 0, settings->size).at, settings->size);
    rc = epoll_ctl(office->epoll, EPOLL_CTL_ADD, office->timer, &event) == 0 ? 0 : ERR_SYSTEM;
    for (; rc == 0 && office->count < settings->publishers; office->count++) {
        office->publishers[office->count].fd = -1;
    }
    for (unsigned i = 0; rc == 0 && i < office->count; i++) {
        rc = open_publisher(office, i);
    }
    return rc;
}

static void close_office(struct office *office) {
    for (unsigned i = 0; i < office->count; i++) {
        struct publisher *publisher = &office->publishers[i];
        if (publisher->fd >= 0) {
            close(publisher->fd);
        }
        free(publisher->due);
        buf_finish(&publisher->out);
    }
    close(office->timer);
    close(office->epoll);
    free(office->publishers);
    free(office->data);
    free(office->buffer);
    buf_finish(&office->body);
    filler_finish(&office->filler);
}

int publishers_run(struct load_shared *shared, const struct publishers_plan *plan) {
    struct office office = {.shared = shared, .plan = plan, .armed_us = -1};
    int rc = open_office(&office);
    if (rc == 0) {
        loop(&office);
        shared->books.unsent += unsent(&office);
    }
    close_office(&office);
    return rc;
}
