// From a cursor to bytes, and back: what a turn gathered (turn.c) is handed over with one call, and the
// cursor moves by what was taken. Live delivery, replay and catching up differ only in where the bytes
// come from.
#include "hub/deliver.h"

#include "hub/control.h"
#include "hub/turn.h"

bool deliver_set_part(struct hub *hub, struct subscriber *s, struct frame *frame, uint32_t sent) {
    s->part = frame;
    s->part_sent = sent;
    if (s->body) {
        pack_note(s->body, frame);
    }
    if (frame->id == 0) {
        return true; // a head or a control event: small, and nobody else's
    }
    if (atomic_fetch_add_explicit(&frame->pins, 1, memory_order_relaxed) > 0) {
        return true;
    }
    size_t cost = frame_cost(frame);
    size_t before = atomic_fetch_add_explicit(hub->settings.pinned, cost, memory_order_relaxed);
    return before + cost <= hub->settings.pinned_max;
}

void deliver_clear_part(struct hub *hub, struct subscriber *s) {
    if (!s->part) {
        return;
    }
    if (s->part->id && atomic_fetch_sub_explicit(&s->part->pins, 1, memory_order_relaxed) == 1) {
        atomic_fetch_sub_explicit(hub->settings.pinned, frame_cost(s->part), memory_order_relaxed);
    }
    frame_unref(s->part);
    s->part = NULL;
    s->part_sent = 0;
}

static void stall(struct hub *hub, struct subscriber *s) {
    s->state = SUBSCRIBER_STALLED;
    list_push_back(&hub->stalled, &s->link);
    hub_count(&hub->stats.stalls, 1);
}

// Moves the cursor by what was taken from the run. False when what is left of a frame cannot be
// kept.
static bool account_run(struct hub *hub, struct subscriber *s, const struct turn *turn,
                        size_t taken) {
    struct frame *part;
    uint32_t part_sent;
    uint32_t frames = run_account(&hub->run, s->id, taken, &s->id, &part, &part_sent);
    if (taken) {
        s->flags &= (uint8_t)~SUBSCRIBER_FROM_START;
        s->flags |= SUBSCRIBER_SERVED;
    }
    if (s->bound && taken) {
        s->bound->begun = true;
        s->bound->events -= frames + (part != NULL);
    }
    hub_count(&hub->stats.deliveries, frames);
    if (turn->batch) {
        hub_count(&hub->stats.replayed, frames);
        s->lag.from += s->lag.from ? frames : 0;
        if (frames == turn->batch->count) {
            s->id = turn->batch->reached;
        }
    }
    if (!part) {
        return true;
    }
    s->id = part->id; // the rest of it comes before anything else
    return deliver_set_part(hub, s, frame_ref(part), part_sent);
}

static void count_pack(struct hub *hub, const struct frame *pack) {
    if (pack->id) {
        hub_count(&hub->stats.deliveries, pack_facts(pack).events);
    }
}

// As account_run, but if anything was taken of a pack, the rest must follow.
static bool account_pack(struct hub *hub, struct subscriber *s, const struct turn *turn,
                         size_t taken) {
    struct frame *pack = turn->pack;
    const struct past_batch *batch = turn->batch;
    uint32_t events = pack_facts(pack).events;
    if (taken == 0) {
        return true;
    }
    s->flags &= (uint8_t)~SUBSCRIBER_FROM_START;
    s->flags |= SUBSCRIBER_SERVED;
    s->id = pack->id;
    if (s->bound) {
        s->bound->begun = true;
        s->bound->events -= events;
    }
    if (batch) {
        hub_count(&hub->stats.replayed, events);
        s->lag.from += s->lag.from ? events : 0;
        bool all = pack->id >= batch->frames[batch->count - 1]->id;
        s->id = all && batch->reached > pack->id ? batch->reached : pack->id;
    }
    if (taken < pack->size) {
        return deliver_set_part(hub, s, frame_ref(pack), (uint32_t)taken);
    }
    count_pack(hub, pack);
    pack_note(s->body, pack);
    return true;
}

static bool account_packed(struct hub *hub, struct subscriber *s, const struct turn *turn,
                           size_t taken) {
    hub_count(&hub->stats.sends, 1);
    hub_count(&hub->stats.bytes, taken);
    if (taken < turn->part) {
        s->part_sent += (uint32_t)taken;
        return true;
    }
    if (s->part) {
        count_pack(hub, s->part);
    }
    deliver_clear_part(hub, s);
    return !turn->pack || account_pack(hub, s, turn, taken - turn->part);
}

// False when the subscriber cannot be kept.
static bool account(struct hub *hub, struct subscriber *s, const struct turn *turn, size_t taken) {
    hub_count(&hub->stats.sends, 1);
    hub_count(&hub->stats.bytes, taken);
    if (taken < turn->part) {
        s->part_sent += (uint32_t)taken;
        return true;
    }
    deliver_clear_part(hub, s);
    return !turn->run || account_run(hub, s, turn, taken - turn->part);
}

static bool has_all(const struct subscriber *s) {
    return !s->part && s->id >= s->feed->newest && !hub_reads_past(s);
}

static void tell_caught_up(struct hub *hub, struct subscriber *s) {
    struct frame *frame;
    int rc = control_caught_up(&frame, hub->settings.mem, s->id);
    if (rc == 0 && s->body) {
        rc = pack_control(&hub->packs, s->feed->encoding, &frame);
    }
    if (rc == 0) {
        s->flags &= (uint8_t)~SUBSCRIBER_TELL;
        (void)deliver_set_part(hub, s, frame, 0);
    }
}

// The end of a compressed body leaves before its listener does. Without memory it ends as it stands.
static bool end_body(struct hub *hub, struct subscriber *s) {
    struct frame *end;
    if (!s->body || s->body->ended || pack_end(&hub->packs, s->body, &end)) {
        return false;
    }
    (void)deliver_set_part(hub, s, end, 0);
    s->state = SUBSCRIBER_LIVE;
    list_push_back(&s->feed->due, &s->link);
    feed_mark_dirty(s->feed);
    return true;
}

static void say_aside(struct hub *hub, struct subscriber *s) {
    if (s->jumps) {
        lag_jump(hub, s);
        return;
    }
    struct frame *frame = hub->settings.ops->aside ? hub->settings.ops->aside(s) : NULL;
    if (frame) {
        (void)deliver_set_part(hub, s, frame, 0);
    } else {
        s->flags &= (uint8_t)~SUBSCRIBER_ASIDE;
    }
}

static void finish_once(struct hub *hub, struct subscriber *s) {
    if (end_body(hub, s)) {
        return;
    }
    if (s->bound) {
        s->bound->more = !has_all(s);
    }
    if (hub->settings.ops->leaving) {
        hub->settings.ops->leaving(s);
    }
    hub_leave(s);
    hub->settings.ops->finished(s);
}

// Whether it is a poll that has something to go home with; a greeting or a heartbeat is nothing.
static bool is_served(const struct subscriber *s) {
    return s->flags & SUBSCRIBER_ONCE && s->flags & SUBSCRIBER_SERVED;
}

// Whether it leaves by itself, as it stands.
static bool is_done(const struct subscriber *s) {
    return (turn_is_full(s) && !s->part) ||
           (has_all(s) && (s->flags & SUBSCRIBER_NO_WAIT || is_served(s)));
}

void deliver_place(struct hub *hub, struct subscriber *s) {
    if (s->flags & SUBSCRIBER_ASIDE && !s->part) {
        say_aside(hub, s);
    }
    if (has_all(s) && s->flags & SUBSCRIBER_TELL) {
        tell_caught_up(hub, s);
    }
    if (is_done(s)) {
        finish_once(hub, s);
    } else if (has_all(s)) {
        s->state = SUBSCRIBER_LIVE;
        s->flags |= SUBSCRIBER_WAS_LIVE;
        s->flags &= (uint8_t)~SUBSCRIBER_FROM_START; // from here on a loss is a loss
        s->lag = (struct lag){0};
        list_push_back(&s->feed->ready, &s->link);
    } else if (hub_reads_past(s)) {
        s->state = SUBSCRIBER_BEHIND;
        list_push_back(&hub->behind, &s->link);
    } else {
        s->state = SUBSCRIBER_LIVE;
        list_push_back(&s->feed->due, &s->link);
        feed_mark_dirty(s->feed);
    }
}

static void settle(struct hub *hub, struct subscriber *s, const struct turn *turn, size_t taken) {
    bool kept = s->body ? account_packed(hub, s, turn, taken) : account(hub, s, turn, taken);
    if (!kept) {
        stall(hub, s); // in a list, so that it can leave
        hub->settings.ops->unaffordable(s);
    } else if (taken < turn->total) {
        stall(hub, s);
    } else if ((s->body && s->body->ended) ||
               (is_served(s) && turn->run && !(s->flags & SUBSCRIBER_ALL))) {
        finish_once(hub, s);
    } else {
        deliver_place(hub, s);
    }
}

// Tried again at once it would fail again, and the hub would be busy with nothing else.
static void put_off(struct hub *hub, struct subscriber *s) {
    s->state = SUBSCRIBER_PUT_OFF;
    list_push_back(&hub->put_off, &s->link);
}

unsigned deliver(struct hub *hub, struct subscriber *s) {
    struct turn turn = {0};
    bool packed = s->body; // it may be gone with the send
    int rc = packed ? turn_gather_packed(hub, s, &turn) : turn_gather(hub, s, &turn);
    if (rc) {
        put_off(hub, s);
    } else if (turn.count == 0) {
        deliver_place(hub, s);
    } else {
        ptrdiff_t taken = hub->settings.ops->send(s, turn.pieces, turn.count);
        if (taken > (ptrdiff_t)turn.part && turn.stamp && hub->settings.ops->delivered) {
            hub->settings.ops->delivered(s, turn.stamp);
        }
        if (taken >= 0) {
            settle(hub, s, &turn, (size_t)taken);
        }
    }
    frame_unref(turn.pack);
    return packed ? 1 + pack_effort(&hub->packs) : 1;
}
