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
    event_id floor;         // every id given out is above this one
    int64_t once_window_ms; // how long a publish is known again; 0: not at all
    uint32_t once_keys;     // of how many at a time, at least 1
};

// What became of the frames that were published together.
struct bus_outcome {
    size_t published, bytes; // new events; their bytes
    size_t repeated;         // events that were published before
    size_t refused;          // whose key stands for another event
    size_t forgotten;        // keys that went before their time, to make room
};

// Recalls from history what was published within the window. 0 or a negative error.
int bus_create(struct bus **out, const struct bus_settings *settings);

// NULLs the pointer. Nobody publishes any more.
void bus_destroy(struct bus **bus);

// Connects a worker; before the first publish. Returns the newest id given out so far.
event_id bus_connect(struct bus *bus, const struct bus_port *port);

// Gives the frames their ids, in order and one behind the other. The caller keeps its references.
// When it returns, whoever reads the inboxes or history finds them. Any thread. Never fails.
//
// A frame with a key against repetition (`once`) that was published before is not published again: it
// gets the id that it had then. One whose key was used with another content keeps id 0, unless the
// key is its own id: then it is a new event, and the key stands for it from now on.
struct bus_outcome bus_publish(struct bus *bus, struct frame *const *frames, size_t count);

// The newest id given out. Any thread.
event_id bus_newest(const struct bus *bus);

#endif
