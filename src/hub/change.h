// Changing what a subscriber hears while it stays where it is: in its place in the order, with its
// half-sent frame and its flags. The policy: one connection has one cursor, so topics that are added
// begin where the subscriber stands, and their events come in order with the rest. What lies before
// that place is not this file's to send. One thread: the hub's.
#ifndef HUB_CHANGE_H
#define HUB_CHANGE_H

#include "hub/hub.h"

// What a subscriber hears that hears `now`, drops and adds: *next; and *added, what is new to it.
// Whatever else `now` says, both say. A name that is dropped and added stays; to drop what it does
// not hear changes nothing. The caller owns both. 0, or ERR_NOMEM and there is neither.
int change_plan(const struct selection *now, const struct selection *drop,
                const struct selection *add, const struct hash_key *key, struct selection **next,
                struct selection **added);

// Where what is added begins: behind this place. When the subscriber has everything, that is the
// newest that the hub has heard; else its cursor.
event_id hub_position(const struct subscriber *subscriber);

// Serves it now if it is due, so that its cursor does not lag only because its turn has not come.
// It may leave, and its owner may free it, as in any turn.
void hub_serve(struct subscriber *subscriber);

// From here on it hears this selection, behind hub_position. Takes the selection over. What it did
// not get yet of topics that are not in it any more it never gets, but for the rest of a half-sent
// frame. 0; it may have been `finished` then, as in hub_join. Or ERR_NOMEM and nothing has changed.
// It is in the hub, and this is no call of hub_ops.
int hub_change(struct subscriber *subscriber, struct selection *selection);

#endif
