// The hub: frames in, turns out. Read hub_take, hub_flush and deliver() in this order to follow an
// event; hub_join and hub_leave to follow a subscriber.
#include "hub/hub.h"

#include "base/error.h"
#include "hub/deliver.h"

enum {
    FEED_QUANTUM = 32, // sends for one feed before the next feed has its turn
    PAST_QUANTUM = 2,  // batches of the past between them
};

static const struct bytes heartbeat_bytes[ENCODING_COUNT] = {
    [ENCODING_EVENT_STREAM] = {":\n", 2},
    [ENCODING_NDJSON] = {"\n", 1},
    [ENCODING_WS_JSON] = {"\x89\0", 2}, // a ping without content
    [ENCODING_WS_STREAM] = {"\x89\0", 2},
};

static void release_heartbeats(struct hub *hub) {
    for (int i = 0; i < ENCODING_COUNT; i++) {
        frame_unref(hub->heartbeats[i]);
        hub->heartbeats[i] = NULL;
    }
}

static int make_heartbeats(struct hub *hub) {
    int rc = 0;
    for (int i = 0; rc == 0 && i < ENCODING_COUNT; i++) {
        if (heartbeat_bytes[i].len) {
            rc = frame_create_raw(&hub->heartbeats[i], hub->settings.mem, heartbeat_bytes[i]);
        }
    }
    return rc;
}

int hub_init(struct hub *hub, const struct hub_settings *settings, event_id heard) {
    *hub = (struct hub){.settings = *settings, .heard = heard};
    topics_init(&hub->topics, settings->mem, settings->key, settings->idle_topics);
    map_init(&hub->feeds, settings->mem);
    list_init(&hub->dirty);
    list_init(&hub->behind);
    list_init(&hub->stalled);
    list_init(&hub->put_off);
    ring_init(&hub->window, settings->mem, 2 * sizeof(void *));
    run_init(&hub->run, settings->mem, settings->run_bytes);
    packs_init(&hub->packs, settings->mem);
    int rc = make_heartbeats(hub);
    if (rc) {
        hub_finish(hub);
    }
    return rc;
}

void hub_finish(struct hub *hub) {
    release_heartbeats(hub);
    crowd_forget(&hub->crowd);
    packs_finish(&hub->packs);
    run_finish(&hub->run);
    ring_finish(&hub->window);
    map_finish(&hub->feeds);
    topics_finish(&hub->topics);
}

static void hear_privately(struct list *subscriptions, struct frame *frame) {
    for (struct list *at = subscriptions->next; at != subscriptions; at = at->next) {
        const struct subscription *subscription = container_of(at, struct subscription, link);
        if (subscription->privy) {
            feed_hear(subscription->feed, frame);
        }
    }
}

static void hear_all(struct list *subscriptions, struct frame *frame) {
    if (frame->private) {
        hear_privately(subscriptions, frame);
        return;
    }
    for (struct list *at = subscriptions->next; at != subscriptions; at = at->next) {
        feed_hear(container_of(at, struct subscription, link)->feed, frame);
    }
}

void hub_take(struct hub *hub, struct frame *frame) {
    bool failed = false;
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        struct topic *topic = topics_hear(&hub->topics, &name, &failed);
        if (topic) {
            hear_all(&topic->subscriptions, frame);
            for (uint32_t m = 0; m < topic->match_count; m++) {
                hear_all(&topic->matches[m]->subscriptions, frame);
            }
        }
    }
    hub->heard = frame->id;
    hub_count(&hub->stats.frames, 1);
    if (failed) {
        hub_lose(hub, frame->id);
    }
}

static void forget_feed(void *ctx, struct map_node *node) {
    feed_forget(container_of(node, struct feed, node), *(event_id *)ctx);
}

void hub_lose(struct hub *hub, event_id upto) {
    size_t place = 0;
    hub->heard = upto;
    hub_count(&hub->stats.lost, 1);
    map_walk(&hub->feeds, &place, SIZE_MAX, forget_feed, &upto);
}

static void start_at(struct hub *hub, struct subscriber *s, const struct hub_start *start) {
    list_init(&s->link);
    s->id = start->after;
    // What went before its snapshot was taken is nothing that it missed.
    s->told = start->snapshot;
    s->begins = start->snapshot > 0;
    s->jumps = false;
    s->lag = (struct lag){0};
    s->flags = start->flags;
    s->part = NULL;
    s->part_sent = 0;
    if (start->first) {
        (void)deliver_set_part(hub, s, start->first, 0);
    }
    deliver_place(hub, s);
}

// NULL is fine where it is not compressed.
static bool make_body(const struct hub *hub, const struct hub_start *start,
                      struct pack_body **body) {
    *body = start->gzip ? mem_new(hub->settings.mem, sizeof(**body)) : NULL;
    if (*body) {
        (*body)->sum = *start->gzip;
    }
    return *body || !start->gzip;
}

int hub_join(struct hub *hub, struct selection *selection, enum encoding encoding,
             struct subscriber *subscriber, const struct hub_start *start) {
    struct form form = {.encoding = encoding, .compressed = start->gzip != NULL};
    struct feed *feed = feed_open(hub, selection, form);
    if (!feed || !make_body(hub, start, &subscriber->body)) {
        if (feed) {
            feed_close_if_idle(feed);
        }
        frame_unref(start->first);
        return ERR_NOMEM;
    }
    feed->subscribers++;
    hub->subscribers++;
    subscriber->feed = feed;
    start_at(hub, subscriber, start);
    return 0;
}

void hub_leave(struct subscriber *subscriber) {
    struct feed *feed = subscriber->feed;
    if (!feed) {
        return;
    }
    list_remove(&subscriber->link);
    deliver_clear_part(feed->hub, subscriber);
    mem_free(feed->hub->settings.mem, subscriber->body);
    subscriber->body = NULL;
    subscriber->state = SUBSCRIBER_OUT;
    subscriber->feed = NULL;
    feed->hub->subscribers--;
    feed->subscribers--;
    feed_close_if_idle(feed);
}

void hub_writable(struct subscriber *subscriber) {
    if (subscriber->state == SUBSCRIBER_STALLED) {
        list_remove(&subscriber->link);
        deliver_place(subscriber->feed->hub, subscriber);
    }
}

// Whether nothing of it is under way, and nothing waits for it.
static bool is_idle(const struct subscriber *s) {
    return s->feed && s->state == SUBSCRIBER_LIVE && !s->part && s->id >= s->feed->newest;
}

bool hub_tell(struct subscriber *subscriber, struct frame *frame) {
    struct feed *feed = subscriber->feed;
    if (!is_idle(subscriber)) {
        frame_unref(frame);
        return false;
    }
    if (subscriber->body && pack_control(&feed->hub->packs, feed->encoding, &frame)) {
        return false;
    }
    list_remove(&subscriber->link);
    (void)deliver_set_part(feed->hub, subscriber, frame, 0);
    deliver_place(feed->hub, subscriber);
    return true;
}

void hub_heartbeat(struct subscriber *subscriber) {
    struct feed *feed = subscriber->feed;
    struct frame *frame = feed ? feed->hub->heartbeats[feed->encoding] : NULL;
    if (!frame || !is_idle(subscriber)) {
        return;
    }
    if (subscriber->body && !(frame = pack_heartbeat(&feed->hub->packs, feed->encoding, frame))) {
        return;
    }
    list_remove(&subscriber->link);
    (void)deliver_set_part(feed->hub, subscriber, frame_ref(frame), 0);
    deliver_place(feed->hub, subscriber);
}

void hub_aside(struct subscriber *subscriber) {
    struct feed *feed = subscriber->feed;
    if (!feed) {
        return;
    }
    subscriber->flags |= SUBSCRIBER_ASIDE;
    if (subscriber->state == SUBSCRIBER_LIVE) {
        list_remove(&subscriber->link);
        list_push_back(&feed->due, &subscriber->link);
        feed_mark_dirty(feed);
    }
}

// The guard on `subscribers` keeps the feed alive while those who are served may leave it.
static unsigned flush_feed(struct hub *hub, struct feed *feed, unsigned most) {
    unsigned used = 0;
    struct list *link;
    list_remove(&feed->dirty);
    feed->subscribers++;
    while (used < most && (link = list_pop_front(&feed->due))) {
        used += deliver(hub, container_of(link, struct subscriber, link));
    }
    if (!list_empty(&feed->due)) {
        feed_mark_dirty(feed);
    }
    feed->subscribers--;
    feed_close_if_idle(feed);
    return used;
}

static unsigned flush_behind(struct hub *hub, unsigned most) {
    unsigned used = 0;
    struct list *link;
    while (used < most && (link = list_pop_front(&hub->behind))) {
        used += deliver(hub, container_of(link, struct subscriber, link));
    }
    return used;
}

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

bool hub_has_work(const struct hub *hub) {
    return !list_empty(&hub->dirty) || !list_empty(&hub->behind);
}

// What is left of a budget for a feed. The past has its part of every budget that it fits in, so
// that a feed which always has someone due keeps nobody from catching up.
static unsigned share_of_feed(const struct hub *hub, unsigned budget) {
    bool reserve = !list_empty(&hub->behind) && budget > PAST_QUANTUM;
    return least(reserve ? budget - PAST_QUANTUM : budget, FEED_QUANTUM);
}

bool hub_flush(struct hub *hub, unsigned budget) {
    while (budget && hub_has_work(hub)) {
        if (!list_empty(&hub->dirty)) {
            struct feed *feed = container_of(hub->dirty.next, struct feed, dirty);
            budget -= least(budget, flush_feed(hub, feed, share_of_feed(hub, budget)));
        }
        budget -= least(budget, flush_behind(hub, least(budget, PAST_QUANTUM)));
    }
    if (list_empty(&hub->behind)) {
        crowd_forget(&hub->crowd);
    }
    bool more = hub_has_work(hub);
    if (!more && hub->packs.held) {
        packs_forget(&hub->packs);
    }
    return more;
}

bool hub_retry(struct hub *hub) {
    bool any = !list_empty(&hub->put_off);
    struct list *link;
    while ((link = list_pop_front(&hub->put_off))) {
        deliver_place(hub, container_of(link, struct subscriber, link));
    }
    return any;
}

uint64_t hub_behind(const struct subscriber *subscriber) {
    const struct feed *feed = subscriber->feed;
    if (!feed) {
        return 0;
    }
    uint64_t waiting = feed->slots.count - feed_find_slot(feed, subscriber->id);
    bool part = subscriber->part && subscriber->state == SUBSCRIBER_STALLED;
    return waiting + part + hub_reads_past(subscriber);
}

int64_t hub_behind_ms(const struct subscriber *subscriber) {
    const struct feed *feed = subscriber->feed;
    if (!feed || subscriber->id >= feed->newest) {
        return 0;
    }
    return id_to_ms(feed->newest) - id_to_ms(subscriber->id);
}
