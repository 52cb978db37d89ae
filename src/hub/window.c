// The budget of the window. An entry whose slot its feed gave up names nobody any more, but stays
// charged until it comes to the front: the frame may be in other feeds' slots behind it.
#include "hub/window.h"

#include "base/error.h"

struct entry {
    struct feed *feed; // NULL: it has given the slot up
    size_t charge;
};

static void drop_first(struct hub *hub) {
    struct entry entry = *(struct entry *)ring_at(&hub->window, 0);
    ring_pop(&hub->window);
    hub->window_first++;
    hub->window_held -= entry.charge;
    if (entry.feed) {
        feed_drop_slot(entry.feed);
        hub_count(&hub->stats.window_drops, 1);
    }
}

int window_note(struct hub *hub, struct feed *feed, size_t charge) {
    struct slot *slot = ring_last(&feed->slots);
    slot->entry = hub->window_first + hub->window.count;
    struct entry *entry = ring_push(&hub->window);
    if (!entry) {
        return ERR_NOMEM;
    }
    *entry = (struct entry){.feed = feed, .charge = charge};
    hub->window_held += charge;
    while (hub->window_held > hub->settings.window_bytes) {
        drop_first(hub);
    }
    return 0;
}

void window_forget(struct hub *hub, const struct feed *feed) {
    for (uint32_t i = 0; i < feed->slots.count; i++) {
        uint32_t place = feed_slot(feed, i)->entry - hub->window_first;
        if (place < hub->window.count) { // else it could not be noted
            ((struct entry *)ring_at(&hub->window, place))->feed = NULL;
        }
    }
    while (hub->window.count && !((struct entry *)ring_at(&hub->window, 0))->feed) {
        drop_first(hub);
    }
}
