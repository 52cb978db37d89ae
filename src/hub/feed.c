// A feed's life, and its window.
#include "hub/feed.h"

#include "base/error.h"
#include "hub/hub.h"
#include "hub/window.h"

struct feed_key {
    const struct selection *selection;
    struct form form;
};

static bool same_feed(const struct map_node *node, const void *key) {
    const struct feed *feed = container_of(node, struct feed, node);
    const struct feed_key *wanted = key;
    return feed->encoding == wanted->form.encoding && feed->compressed == wanted->form.compressed &&
           selection_equal(feed->selection, wanted->selection);
}

static uint64_t feed_hash(const struct selection *selection, struct form form) {
    uint64_t kind = (uint64_t)form.encoding + (form.compressed ? ENCODING_COUNT : 0);
    return (selection->hash + kind) * 0x9e3779b97f4a7c15ULL;
}

static void unsubscribe_all(struct feed *feed, uint32_t count) {
    while (count) {
        topics_unsubscribe(&feed->hub->topics, &feed->subscriptions[--count]);
    }
}

static int subscribe_all(struct feed *feed) {
    for (uint32_t i = 0; i < feed->selection->count; i++) {
        int rc = topics_subscribe(&feed->hub->topics, &feed->selection->items[i], feed,
                                  &feed->subscriptions[i]);
        if (rc) {
            unsubscribe_all(feed, i);
            return rc;
        }
    }
    return 0;
}

static void tell_hold(const struct feed *feed, bool held) {
    const struct hub_ops *ops = feed->hub->settings.ops;
    if (ops->held) {
        ops->held(feed->hub, feed->selection, held);
    }
}

static struct feed *feed_create(struct hub *hub, struct selection *selection, struct form form) {
    const struct mem *mem = hub->settings.mem;
    struct feed *feed =
        mem_new(mem, sizeof(*feed) + selection->count * sizeof(feed->subscriptions[0]));
    if (!feed) {
        return NULL;
    }
    feed->hub = hub;
    feed->selection = selection;
    feed->encoding = form.encoding;
    feed->compressed = form.compressed;
    feed->floor = feed->newest = hub->heard;
    feed->heard = 1;
    ring_init(&feed->slots, mem, sizeof(struct slot));
    list_init(&feed->ready);
    list_init(&feed->due);
    list_init(&feed->dirty);
    if (subscribe_all(feed)) {
        mem_free(mem, feed);
        return NULL;
    }
    if (map_insert(&hub->feeds, &feed->node, feed_hash(selection, form))) {
        unsubscribe_all(feed, selection->count);
        mem_free(mem, feed);
        return NULL;
    }
    tell_hold(feed, true);
    return feed;
}

struct feed *feed_open(struct hub *hub, struct selection *selection, struct form form) {
    struct feed_key key = {.selection = selection, .form = form};
    struct map_node *node = map_find(&hub->feeds, feed_hash(selection, form), same_feed, &key);
    struct feed *feed =
        node ? container_of(node, struct feed, node) : feed_create(hub, selection, form);
    if (node || !feed) {
        selection_destroy(&selection);
    }
    return feed;
}

static void drop_slots(struct feed *feed) {
    window_forget(feed->hub, feed);
    while (feed->slots.count) {
        frame_unref(feed_slot(feed, 0)->frame);
        ring_pop(&feed->slots);
    }
}

void feed_close_if_idle(struct feed *feed) {
    struct hub *hub = feed->hub;
    if (feed->subscribers) {
        return;
    }
    run_forget(&hub->run, feed);
    crowd_forget_feed(&hub->crowd, feed);
    packs_forget_feed(&hub->packs, feed);
    drop_slots(feed);
    list_remove(&feed->dirty);
    tell_hold(feed, false);
    unsubscribe_all(feed, feed->selection->count);
    map_remove(&hub->feeds, &feed->node);
    selection_destroy(&feed->selection);
    mem_free(hub->settings.mem, feed);
}

uint32_t feed_find_slot(const struct feed *feed, event_id after) {
    uint32_t low = 0, high = feed->slots.count;
    // Almost everyone asks for the newest slot alone.
    if (high && feed_slot(feed, high - 1)->id > after &&
        (high == 1 || feed_slot(feed, high - 2)->id <= after)) {
        return high - 1;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (feed_slot(feed, middle)->id <= after) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void feed_drop_slot(struct feed *feed) {
    struct slot *slot = feed_slot(feed, 0);
    feed->floor = slot->id;
    frame_unref(slot->frame);
    ring_pop(&feed->slots);
}

void feed_mark_dirty(struct feed *feed) {
    if (list_empty(&feed->dirty)) {
        list_push_back(&feed->hub->dirty, &feed->dirty);
    }
}

// Everyone who had everything is now owed something: one splice, however many they are.
static void wake_ready(struct feed *feed) {
    list_move_all(&feed->due, &feed->ready);
    if (!list_empty(&feed->due)) {
        feed_mark_dirty(feed);
    }
}

void feed_forget(struct feed *feed, event_id upto) {
    run_forget(&feed->hub->run, feed);
    drop_slots(feed);
    feed->floor = feed->newest = upto;
    wake_ready(feed);
}

void feed_drop_window(struct feed *feed) {
    run_forget(&feed->hub->run, feed);
    crowd_forget_feed(&feed->hub->crowd, feed);
    drop_slots(feed);
    feed->floor = feed->newest;
}

// A frame is charged to the window once; each further feed that holds it costs its slot.
static size_t charge_for(const struct feed *feed, const struct frame *frame) {
    size_t slot = 2 * sizeof(struct slot);
    return feed->hub->window_newest != frame->id ? slot + frame_cost(frame) : slot;
}

void feed_hear(struct feed *feed, struct frame *frame) {
    struct hub *hub = feed->hub;
    if (feed->newest >= frame->id || !selection_passes(feed->selection, frame_type(frame))) {
        return; // by another of its topics, or not at all
    }
    struct slot *slot = ring_push(&feed->slots);
    if (!slot) {
        feed_forget(feed, frame->id);
        return;
    }
    *slot = (struct slot){.id = frame->id, .frame = frame_ref(frame)}; // window_note numbers it
    feed->newest = frame->id;
    feed->heard++;
    wake_ready(feed);
    size_t charge = charge_for(feed, frame);
    hub->window_newest = frame->id;
    if (window_note(hub, feed, charge)) {
        feed_forget(feed, frame->id);
    }
}
