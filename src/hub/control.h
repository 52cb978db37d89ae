// Control events: what the hub itself tells one listener, between the events. They have no id, so
// they never move a cursor, and an EventSource that does not ask for their types ignores them.
#ifndef HUB_CONTROL_H
#define HUB_CONTROL_H

#include "hub/encoding.h"

// Each makes a frame with one reference, the caller's: 0 or ERR_NOMEM.

// An event of the given type and data.
int control_event(struct frame **out, const struct mem *mem, const char *type, struct bytes data);

// Something between `after` (in the listener's own words) and `before` (0: nothing follows yet) was
// missed, for the reason that is given.
int control_gap(struct frame **out, const struct mem *mem, struct bytes after, event_id before,
                const char *reason);

// Everything that was published before this cursor has been sent.
int control_caught_up(struct frame **out, const struct mem *mem, event_id cursor);

// The listener's connection has this name, and begins behind this cursor.
int control_connection(struct frame **out, const struct mem *mem, struct bytes name,
                       event_id cursor);

#endif
