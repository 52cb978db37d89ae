// The number of a subscriber's event in its feed is found in the window; once the window has moved on,
// what was found before goes on counting, and what the past hands out is added to it (deliver.c). Where
// nothing was found in time, it lags by what is in the window, and one more: never by more than it does.
#include "hub/lag.h"

#include "hub/control.h"
#include "hub/deliver.h"

enum { LAG_TOLD = UINT32_MAX }; // in `since`: what is to be done about it was done

static uint32_t events_behind(struct subscriber *s) {
    const struct feed *feed = s->feed;
    uint32_t in_window = feed->slots.count - feed_find_slot(feed, s->id);
    if (s->id >= feed->floor) {
        s->lag.from = feed->heard - in_window;
    } else if (s->lag.from == 0) {
        s->lag.from = feed->heard - feed->slots.count - 1;
    }
    return feed->heard - s->lag.from;
}

// Any number but those that mean something else.
static uint32_t short_time(int64_t ms) {
    uint32_t time = (uint32_t)ms;
    return time == 0 || time == LAG_TOLD ? 1 : time;
}

static bool is_beyond(const struct lag_limits *limits, struct subscriber *s, uint32_t now) {
    uint32_t behind = events_behind(s);
    bool hard = limits->hard && behind > limits->hard;
    bool soft = limits->soft && behind > limits->soft;
    if (!hard && !soft) {
        s->lag.since = 0;
        return false;
    }
    if (s->lag.since == LAG_TOLD || hard) {
        return hard && s->lag.since != LAG_TOLD;
    }
    s->lag.since = s->lag.since ? s->lag.since : now;
    return now - s->lag.since >= limits->soft_ms;
}

static void look_at(struct hub *hub, struct subscriber *s, uint32_t now) {
    const struct lag_limits *limits = &hub->settings.lag;
    if (!(s->flags & SUBSCRIBER_WAS_LIVE) || !is_beyond(limits, s, now)) {
        return;
    }
    s->lag.since = LAG_TOLD;
    hub_count(&hub->stats.lag_hits, 1);
    if (limits->action == LAG_CLOSE) {
        hub->settings.ops->lags(s);
    } else if (limits->action != LAG_GAP) {
        // When its connection takes the rest of the frame that it has a part of: what is newest by then.
        s->jumps = true;
        s->flags |= SUBSCRIBER_ASIDE;
    }
}

void hub_check_lag(struct hub *hub, int64_t now_ms) {
    const struct list *first = NULL;
    if (!hub->settings.lag.hard && !hub->settings.lag.soft) {
        return;
    }
    for (unsigned looks = 0; looks < LAG_LOOKS && !list_empty(&hub->stalled); looks++) {
        struct list *link = hub->stalled.next;
        if (link == first) {
            return;
        }
        first = first ? first : link;
        list_remove(link);
        list_push_back(&hub->stalled, link);
        look_at(hub, container_of(link, struct subscriber, link), short_time(now_ms));
    }
}

// Where it goes on. `newest` is what it is to get next; 0: nothing yet, or values of the past first.
static event_id target(const struct feed *feed, bool skips, event_id *newest) {
    *newest = skips && feed->slots.count ? feed_slot(feed, feed->slots.count - 1)->id : 0;
    return *newest ? *newest - 1 : feed->newest;
}

void lag_jump(struct hub *hub, struct subscriber *s) {
    char text[ID_TEXT_MAX];
    struct frame *gap;
    bool skips = hub->settings.lag.action == LAG_SKIP;
    event_id newest, to = target(s->feed, skips, &newest);
    s->jumps = false;
    if (s->id >= to) {
        return; // it has caught up meanwhile
    }
    int rc = control_gap(&gap, hub->settings.mem, bytes_make(text, id_format(s->id, text)), newest,
                         skips ? "skipped" : "latest");
    if (rc == 0 && s->body) {
        rc = pack_control(&hub->packs, s->feed->encoding, &gap);
    }
    if (rc) {
        return;
    }
    (void)deliver_set_part(hub, s, gap, 0);
    s->flags |= SUBSCRIBER_SERVED;
    s->told = to;
    s->begins = !skips;
    s->id = skips ? to : s->id;
    hub_count(&hub->stats.gaps, 1);
}
