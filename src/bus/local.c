// The local sequencer. Its critical section is the only lock on the way of an event: a number, the
// few bytes of the id line, one slot in history and one in each inbox. Everything else (parsing,
// checking, encoding) has happened before; everything after happens on each worker by itself.
#include <pthread.h>

#include "base/error.h"
#include "bus/bus.h"

struct bus {
    struct bus_settings settings;
    pthread_mutex_t lock;
    _Atomic(event_id) newest;
    size_t port_count;
    struct bus_port ports[BUS_PORTS_MAX];
};

int bus_create(struct bus **out, const struct bus_settings *settings) {
    struct bus *bus = mem_new(settings->mem, sizeof(*bus));
    if (!bus) {
        return ERR_NOMEM;
    }
    bus->settings = *settings;
    atomic_init(&bus->newest, settings->floor);
    if (pthread_mutex_init(&bus->lock, NULL)) {
        mem_free(settings->mem, bus);
        return ERR_NOMEM;
    }
    *out = bus;
    return 0;
}

void bus_destroy(struct bus **bus) {
    if (*bus) {
        pthread_mutex_destroy(&(*bus)->lock);
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

void bus_publish(struct bus *bus, struct frame *const *frames, size_t count) {
    bool wake[BUS_PORTS_MAX] = {false};
    pthread_mutex_lock(&bus->lock);
    int64_t now = bus->settings.now_ms(bus->settings.now_ctx);
    for (size_t i = 0; i < count; i++) {
        event_id id = next_id(bus, now);
        frame_seal(frames[i], id);
        bus->settings.history->append(bus->settings.history, frames[i], now);
        hand_out(bus, frames[i], wake);
        // Last: who sees this id can find the frame.
        atomic_store_explicit(&bus->newest, id, memory_order_release);
    }
    pthread_mutex_unlock(&bus->lock);
    for (size_t i = 0; i < bus->port_count; i++) {
        if (wake[i]) {
            bus->ports[i].wake(bus->ports[i].ctx);
        }
    }
}
