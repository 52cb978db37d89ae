// The window of a hub: what all its feeds' windows may hold together. Slots leave in the order in
// which they came, whichever feed they belong to, until the rest fits the budget.
#ifndef HUB_WINDOW_H
#define HUB_WINDOW_H

#include "hub/hub.h"

// Notes the slot that was just pushed to the feed, at this charge, and makes room. 0 or ERR_NOMEM
// (then the slot is not noted).
int window_note(struct hub *hub, struct feed *feed, size_t charge);

// Takes note that the feed gives up all its slots by itself.
void window_forget(struct hub *hub, const struct feed *feed);

#endif
