// A feed: the ordered stream of all events that one selection hears, in one form, on one
// worker. Listeners that ask for the same thing share a feed, so that they share its window and its
// bytes. A feed exists while it has a subscriber. One thread: the worker's.
#ifndef HUB_FEED_H
#define HUB_FEED_H

#include "base/list.h"
#include "base/map.h"
#include "base/ring.h"
#include "hub/form.h"
#include "hub/selection.h"

struct hub;
struct topic;
struct pattern;

// A feed's hold on one topic or one pattern.
struct subscription {
    struct list link; // among those of the topic or pattern
    struct feed *feed;
    struct topic *topic; // one of the two is NULL
    struct pattern *pattern;
    bool privy; // hears private events as well
};

// A frame in a feed's window. The id stands beside it so that searching touches no frame.
struct slot {
    event_id id;
    struct frame *frame;
    uint32_t entry; // its number in the hub's window
};

struct feed {
    struct map_node node; // among the hub's feeds
    struct hub *hub;
    struct selection *selection; // owned
    enum encoding encoding;
    bool compressed;
    struct ring slots; // the window: every frame of the feed with an id above floor
    event_id floor;    // what is older must come from the past
    event_id newest;   // the newest frame heard, whether or not its slot is still there
    struct list ready; // subscribers that have everything
    struct list due;   // subscribers that are owed something and can take it
    struct list dirty; // in the hub's list of feeds with due subscribers
    uint32_t subscribers;
    uint32_t heard; // the number of the newest frame; they are counted from 1 on, and around
    struct subscription subscriptions[]; // as many as the selection has items
};

// The hub's feed for this selection and form, made if there is none yet. Takes the selection
// over in either case. NULL when there is no memory (and the selection is gone as well).
struct feed *feed_open(struct hub *hub, struct selection *selection, struct form form);

// Ends the feed if it has no subscriber left.
void feed_close_if_idle(struct feed *feed);

// A frame that the feed hears, in order; a frame that it heard already is passed over.
void feed_hear(struct feed *feed, struct frame *frame);

// The window is lost up to this id: those who need what was in it must read the past.
void feed_forget(struct feed *feed, event_id upto);

// The window is dropped: whoever still needs what was in it must read the past. Those who have
// everything are left in peace.
void feed_drop_window(struct feed *feed);

// Drops the oldest slot, when the hub's window is full.
void feed_drop_slot(struct feed *feed);

// The place in the window of the first slot with an id above `after`.
uint32_t feed_find_slot(const struct feed *feed, event_id after);

static inline struct slot *feed_slot(const struct feed *feed, uint32_t place) {
    return ring_at(&feed->slots, place);
}

// Puts the feed into the hub's list of those with work.
void feed_mark_dirty(struct feed *feed);

#endif
