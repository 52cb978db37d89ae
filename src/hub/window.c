// The budget of the window. A feed that has ended may still be named by entries; it is kept, empty,
// until the last of them has come to the front.
#include "hub/window.h"

#include "base/error.h"

struct entry {
    struct feed *feed;
    size_t charge;
};

static void drop_first(struct hub *hub) {
    struct entry entry = *(struct entry *)ring_at(&hub->window, 0);
    ring_pop(&hub->window);
    hub->window_held -= entry.charge;
    entry.feed->window_entries--;
    if (entry.feed->subscribers) {
        feed_drop_slot(entry.feed);
        hub_count(&hub->stats.window_drops, 1);
    } else if (entry.feed->window_entries == 0) {
        mem_free(hub->settings.mem, entry.feed);
    }
}

int window_note(struct hub *hub, struct feed *feed, size_t charge) {
    struct entry *entry = ring_push(&hub->window);
    if (!entry) {
        return ERR_NOMEM;
    }
    *entry = (struct entry){.feed = feed, .charge = charge};
    feed->window_entries++;
    hub->window_held += charge;
    while (hub->window_held > hub->settings.window_bytes) {
        drop_first(hub);
    }
    return 0;
}

void window_drop(struct hub *hub, bool all) {
    while (hub->window.count &&
           (all || ((struct entry *)ring_at(&hub->window, 0))->feed->subscribers == 0)) {
        drop_first(hub);
    }
}
