// The bus: gives every event its place in the one total order and hands its frame to every worker
// and to history in that order. Two forms: the local sequencer here; a cluster's, later.
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include "history/history.h"
#include "hub/inbox.h"

enum { BUS_PORTS_MAX = 256 };

// A worker's end of the bus.
struct bus_port {
    struct inbox *inbox;
    void (*wake)(
        void *ctx); // called from any thread, outside the lock, when the inbox's reader sleeps
    void *ctx;
};

struct bus;

struct bus_settings {
    const struct mem *mem;
    struct history *history;
    int64_t (*now_ms)(void *ctx); // wall clock
    void *now_ctx;
    event_id floor; // every id given out is above this one
};

// 0 or ERR_NOMEM.
int bus_create(struct bus **out, const struct bus_settings *settings);

// NULLs the pointer. Nobody publishes any more.
void bus_destroy(struct bus **bus);

// Connects a worker; before the first publish. Returns the newest id given out so far.
event_id bus_connect(struct bus *bus, const struct bus_port *port);

// Gives the frames their ids, in order and one behind the other. The caller keeps its references.
// When it returns, whoever reads the inboxes or history finds them. Any thread. Never fails.
void bus_publish(struct bus *bus, struct frame *const *frames, size_t count);

// The newest id given out. Any thread.
event_id bus_newest(const struct bus *bus);

#endif
