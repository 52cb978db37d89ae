// The local sequencer. Its critical section is the only lock on the way of an event: a number, the
// few bytes of the id line, one slot in history and one in each inbox; for an event with a key against
// repetition, two looks into a table. Everything else (parsing, checking, encoding) has happened
// before; everything after happens on each worker by itself.
#include <pthread.h>

#include "base/error.h"
#include "bus/bus.h"
#include "bus/once.h"

struct bus {
    struct bus_settings settings;
    pthread_mutex_t lock;
    _Atomic(event_id) newest;
    struct once_table once;
    size_t port_count;
    struct bus_port ports[BUS_PORTS_MAX];
};

static bool recall(void *ctx, const struct once *once, event_id id) {
    struct bus *bus = ctx;
    return once_table_recall(&bus->once, once, id);
}

static int open_once(struct bus *bus) {
    const struct bus_settings *settings = &bus->settings;
    int rc =
        once_table_init(&bus->once, settings->mem, settings->once_keys, settings->once_window_ms);
    if (rc || settings->once_window_ms <= 0) {
        return rc;
    }
    int64_t since = settings->now_ms(settings->now_ctx) - settings->once_window_ms;
    rc = settings->history->recall(settings->history, id_from_ms(since), settings->once_keys,
                                   recall, bus);
    if (rc) {
        once_table_finish(&bus->once);
    }
    return rc;
}

int bus_create(struct bus **out, const struct bus_settings *settings) {
    struct bus *bus = mem_new(settings->mem, sizeof(*bus));
    if (!bus) {
        return ERR_NOMEM;
    }
    bus->settings = *settings;
    atomic_init(&bus->newest, settings->floor);
    int rc = open_once(bus);
    if (rc == 0 && pthread_mutex_init(&bus->lock, NULL)) {
        once_table_finish(&bus->once);
        rc = ERR_NOMEM;
    }
    if (rc) {
        mem_free(settings->mem, bus);
        return rc;
    }
    *out = bus;
    return 0;
}

void bus_destroy(struct bus **bus) {
    if (*bus) {
        pthread_mutex_destroy(&(*bus)->lock);
        once_table_finish(&(*bus)->once);
        mem_free((*bus)->settings.mem, *bus);
        *bus = NULL;
    }
}

event_id bus_connect(struct bus *bus, const struct bus_port *port) {
    pthread_mutex_lock(&bus->lock);
    bus->ports[bus->port_count++] = *port;
    event_id newest = atomic_load_explicit(&bus->newest, memory_order_relaxed);
    pthread_mutex_unlock(&bus->lock);
    return newest;
}

event_id bus_newest(const struct bus *bus) {
    return atomic_load_explicit(&bus->newest, memory_order_acquire);
}

// The clock's millisecond, or one more than the last id when the clock has not moved on or went
// back.
static event_id next_id(const struct bus *bus, int64_t now) {
    event_id last = atomic_load_explicit(&bus->newest, memory_order_relaxed);
    event_id clock = id_from_ms(now);
    return clock > last ? clock : last + 1;
}

static void hand_out(struct bus *bus, struct frame *frame, bool *wake) {
    for (size_t i = 0; i < bus->port_count; i++) {
        wake[i] |= inbox_push(bus->ports[i].inbox, frame);
    }
}

// Whether the frame is a new event. If not, it is still the caller's alone and may be written to.
static bool is_new(struct bus *bus, struct frame *frame, int64_t now, struct bus_outcome *outcome) {
    const struct history *history = bus->settings.history;
    const struct once_entry *known = once_table_find(&bus->once, &frame->once, now);
    if (known && history->lost(history, known->id)) {
        return true; // it did not come through, and its publisher was told to try again
    }
    if (known && known->once.b == frame->once.b) {
        frame->id = known->id;
        outcome->repeated++;
        return false;
    }
    bool refused = known && !frame->own_id_len;
    outcome->refused += refused;
    return !refused;
}

static void publish(struct bus *bus, struct frame *frame, int64_t now, bool *wake) {
    event_id id = next_id(bus, now);
    frame_seal(frame, id);
    bus->settings.history->append(bus->settings.history, frame, now);
    hand_out(bus, frame, wake);
    // Last: who sees this id can find the frame.
    atomic_store_explicit(&bus->newest, id, memory_order_release);
}

struct bus_outcome bus_publish(struct bus *bus, struct frame *const *frames, size_t count) {
    struct bus_outcome outcome = {0};
    bool wake[BUS_PORTS_MAX] = {false};
    pthread_mutex_lock(&bus->lock);
    int64_t now = bus->settings.now_ms(bus->settings.now_ctx);
    for (size_t i = 0; i < count; i++) {
        bool keyed = once_is_set(&frames[i]->once);
        if (keyed && !is_new(bus, frames[i], now, &outcome)) {
            continue;
        }
        outcome.published++;
        outcome.bytes += frames[i]->size;
        publish(bus, frames[i], now, wake);
        if (keyed) {
            outcome.forgotten += once_table_add(&bus->once, &frames[i]->once, frames[i]->id, now);
        }
    }
    pthread_mutex_unlock(&bus->lock);
    for (size_t i = 0; i < bus->port_count; i++) {
        if (wake[i]) {
            bus->ports[i].wake(bus->ports[i].ctx);
        }
    }
    return outcome;
}
