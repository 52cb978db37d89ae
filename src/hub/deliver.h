// Serving one subscriber: the step from a cursor to bytes on a connection. What hub.c calls for
// everyone who is due or behind.
#ifndef HUB_DELIVER_H
#define HUB_DELIVER_H

#include "hub/hub.h"

// One send for a subscriber that is in no list: what it is owed, from its half-sent frame, the
// window or the past. Then puts it into the list where it belongs, or it has left. Returns what it
// took, in sends: one, and what deflating took.
unsigned deliver(struct hub *hub, struct subscriber *subscriber);

// Puts a subscriber that is in no list where its cursor belongs.
void deliver_place(struct hub *hub, struct subscriber *subscriber);

// Makes this frame the next thing that the subscriber gets, and takes the reference; it has none.
// False when the budget for such frames is spent.
bool deliver_set_part(struct hub *hub, struct subscriber *subscriber, struct frame *frame,
                      uint32_t sent);
void deliver_clear_part(struct hub *hub, struct subscriber *subscriber);

#endif
