// Stretches of the order that may be missing from the file: events that were given out and not
// stored. A hole (from, to] ends a read in front of it, and whoever reads on from inside is told of
// everything up to its end. A bounded number: the two oldest merge when there are more, which can
// only tell of a gap where there was none. Pure, not locked.
#ifndef HISTORY_DISK_HOLES_H
#define HISTORY_DISK_HOLES_H

#include <stdbool.h>

#include "hub/id.h"

enum { DISK_HOLES_MAX = 64 };

struct disk_hole {
    event_id from, to;
};

struct disk_holes {
    uint32_t count;
    struct disk_hole at[DISK_HOLES_MAX]; // rising, apart from each other
};

// Nothing is known of (from, to]; not before the last hole's end.
void disk_holes_add(struct disk_holes *holes, event_id from, event_id to);

// A read that starts at `after` may go up to the result (at most `upto`), and raises *floor when it
// starts inside a hole.
event_id disk_holes_clamp(const struct disk_holes *holes, event_id after, event_id upto,
                          event_id *floor);

// Whether the id lies in a hole.
bool disk_holes_have(const struct disk_holes *holes, event_id id);

#endif
