// From a cursor to bytes. A turn gathers up to two pieces (the rest of a half-sent frame, then the
// run after the cursor), hands both over with one call, and moves the cursor by what was taken.
// Live delivery, replay and catching up differ only in where the run comes from.
#include "hub/deliver.h"

#include "hub/control.h"

// One subscriber's turn.
struct turn {
    struct bytes pieces[2];
    int count;
    size_t part; // bytes of the first piece that belong to the half-sent frame
    size_t total;
    bool run;                       // the last piece is from the run
    const struct past_batch *batch; // what the run was made of, when it is from the past; or NULL
    struct frame *pack;             // what stands for the run, when it is compressed; or NULL
};

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

static void add_piece(struct turn *turn, struct bytes piece) {
    turn->pieces[turn->count++] = piece;
    turn->total += piece.len;
}

static int gather_part(struct hub *hub, struct subscriber *s, struct turn *turn) {
    struct bytes all;
    int rc = s->part ? run_single(&hub->run, s->feed->encoding, s->part, &all) : 0;
    if (rc == 0 && s->part) {
        add_piece(turn, bytes_make(all.at + s->part_sent, all.len - s->part_sent));
        turn->part = turn->total;
    }
    return rc;
}

// The first event in the window behind the cursor; 0 when there is none yet.
static event_id window_after(const struct subscriber *s) {
    uint32_t place = feed_find_slot(s->feed, s->id);
    return place < s->feed->slots.count ? feed_slot(s->feed, place)->id : 0;
}

static int tell_gap(struct hub *hub, struct subscriber *s, const struct past_batch *batch) {
    char text[ID_TEXT_MAX];
    struct frame *gap;
    const char *reason = s->flags & SUBSCRIBER_WAS_LIVE ? "lagged" : "expired";
    event_id before = batch->count ? batch->frames[0]->id : window_after(s);
    int rc = control_gap(&gap, hub->settings.mem, bytes_make(text, id_format(s->id, text)), before,
                         reason);
    if (rc == 0 && s->body) {
        rc = pack_control(&hub->packs, s->feed->encoding, &gap);
    }
    if (rc == 0) {
        (void)deliver_set_part(hub, s, gap, 0);
        s->flags |= SUBSCRIBER_SERVED;
        hub_count(&hub->stats.gaps, 1);
    }
    return rc;
}

// Without a past, all that the window has dropped is lost.
static int read_past(struct hub *hub, struct subscriber *s, const struct past_batch **batch) {
    struct past *past = hub->settings.past;
    struct crowd *crowd = &hub->crowd;
    if (past && s->begins) {
        event_id upto = s->told < hub->heard ? s->told : hub->heard;
        return crowd_read_values(crowd, past, s->feed, s->id, upto, hub->settings.run_bytes, batch);
    }
    if (past) {
        size_t most = s->body ? PACK_BYTES : hub->settings.run_bytes;
        return crowd_read(crowd, past, s->feed, s->id, hub->heard, most, batch);
    }
    crowd->batch.floor = s->feed->floor;
    crowd->batch.reached = s->begins && s->told > s->feed->floor ? s->told : s->feed->floor;
    *batch = &crowd->batch;
    return 0;
}

// Whether the piece that is gathered already lies in the run's buffer, so that no run can follow.
static bool run_is_taken(const struct subscriber *s, const struct turn *turn) {
    return turn->part && s->feed->encoding != ENCODING_EVENT_STREAM && !s->part->raw;
}

static bool is_full(const struct subscriber *s) {
    return s->bound && (s->bound->events == 0 || s->bound->enough);
}

// As much of the run as the subscriber takes.
static void add_run(struct hub *hub, struct subscriber *s, struct turn *turn, struct bytes bytes) {
    struct subscriber_bound *bound = s->bound;
    if (bound) {
        size_t room = bound->bytes > turn->total ? bound->bytes - turn->total : 0;
        bytes.len = run_fit(&hub->run, s->id, bound->events, room, !bound->begun);
    }
    if (bytes.len) {
        add_piece(turn, bytes);
        turn->run = true;
    } else if (bound) {
        bound->cramped = true;
        bound->events = 0;
    }
}

// From there on a loss is a loss.
static void end_snapshot(struct subscriber *s) {
    if (s->begins && s->id >= s->told) {
        s->begins = false;
        s->flags &= (uint8_t)~SUBSCRIBER_FROM_START;
    }
}

// A pack of what comes next, from the run.
static int make_pack(struct hub *hub, struct subscriber *s, struct turn *turn,
                     const struct pack_key *key) {
    struct bytes plain;
    struct frame *part;
    uint32_t part_sent;
    event_id last;
    int rc = turn->batch ? crowd_load(&hub->crowd, &hub->run, &plain)
                         : run_cover(&hub->run, s->feed, s->id, &plain);
    if (rc) {
        return rc;
    }
    plain.len = run_fit(&hub->run, s->id, key->most, PACK_BYTES, true);
    uint32_t events = run_account(&hub->run, s->id, plain.len, &last, &part, &part_sent);
    hub_count(&hub->stats.packs, 1);
    return pack_make(&hub->packs, key, plain, events, last, &turn->pack);
}

static int add_pack(struct hub *hub, struct subscriber *s, struct turn *turn,
                    struct pack_key *key) {
    key->feed = s->feed;
    key->most = s->bound ? s->bound->events : UINT64_MAX;
    turn->pack = pack_find(&hub->packs, key);
    int rc = turn->pack ? 0 : make_pack(hub, s, turn, key);
    if (rc == 0) {
        frame_ref(turn->pack); // its feed may end during the send, when it is another's
        add_piece(turn, frame_bytes(turn->pack));
        turn->run = true;
    }
    return rc;
}

static int add_pack_of_window(struct hub *hub, struct subscriber *s, struct turn *turn) {
    struct feed *feed = s->feed;
    uint32_t place = feed_find_slot(feed, s->id);
    struct pack_key key = {.first = feed_slot(feed, place)->id,
                           .lone = place + 1 == feed->slots.count};
    if (place && feed_slot(feed, place - 1)->id == s->body->last) {
        key.before = feed_slot(feed, place - 1)->frame;
    }
    return add_pack(hub, s, turn, &key);
}

static int gather_past(struct hub *hub, struct subscriber *s, struct turn *turn) {
    const struct past_batch *batch;
    end_snapshot(s);
    int rc = read_past(hub, s, &batch);
    if (rc) {
        return rc;
    }
    bool news = !s->begins && batch->floor > s->id && batch->floor > s->told;
    if (news && !(s->flags & SUBSCRIBER_FROM_START)) {
        if (s->part) {
            return 0; // the gap waits until that has left, and takes its place
        }
        rc = tell_gap(hub, s, batch);
        rc = rc ? rc : gather_part(hub, s, turn);
    }
    if (rc) {
        return rc;
    }
    s->told = !s->begins && batch->floor > s->told ? batch->floor : s->told;
    if (batch->count == 0) {
        s->id = batch->reached;
        return 0;
    }
    if (run_is_taken(s, turn)) {
        return 0;
    }
    struct bytes bytes;
    turn->batch = batch;
    if (s->body) {
        struct pack_key key = {.first = batch->frames[0]->id};
        return add_pack(hub, s, turn, &key);
    }
    rc = crowd_load(&hub->crowd, &hub->run, &bytes);
    if (rc == 0) {
        add_run(hub, s, turn, bytes);
    }
    return rc;
}

static int gather(struct hub *hub, struct subscriber *s, struct turn *turn) {
    struct feed *feed = s->feed;
    int rc = gather_part(hub, s, turn);
    // With something to be said aside, the next end of a frame is waited for, not passed.
    bool aside = turn->part && s->flags & SUBSCRIBER_ASIDE;
    if (rc || run_is_taken(s, turn) || is_full(s) || aside) {
        return rc;
    }
    if (hub_reads_past(s)) {
        return gather_past(hub, s, turn);
    }
    if (s->id < feed->newest) {
        struct bytes bytes;
        rc = run_cover(&hub->run, feed, s->id, &bytes);
        if (rc == 0) {
            add_run(hub, s, turn, bytes);
        }
    }
    return rc;
}

// The same for one that is sent compressed.
static int gather_packed(struct hub *hub, struct subscriber *s, struct turn *turn) {
    int rc = gather_part(hub, s, turn);
    if (rc || s->body->ended || is_full(s)) {
        return rc;
    }
    if (s->id < s->feed->floor) {
        return gather_past(hub, s, turn);
    }
    return s->id < s->feed->newest ? add_pack_of_window(hub, s, turn) : 0;
}

static void stall(struct hub *hub, struct subscriber *s) {
    s->state = SUBSCRIBER_STALLED;
    list_push_back(&s->feed->stalled, &s->link);
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
    struct frame *frame = hub->settings.ops->aside(s);
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
    hub_leave(s);
    hub->settings.ops->finished(s);
}

// Whether it is a poll that has something to go home with; a greeting or a heartbeat is nothing.
static bool is_served(const struct subscriber *s) {
    return s->flags & SUBSCRIBER_ONCE && s->flags & SUBSCRIBER_SERVED;
}

// Whether it leaves by itself, as it stands.
static bool is_done(const struct subscriber *s) {
    return (is_full(s) && !s->part) ||
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
    if (!account(hub, s, turn, taken)) {
        stall(hub, s); // in a list, so that it can leave
        hub->settings.ops->unaffordable(s);
    } else if (taken < turn->total) {
        stall(hub, s);
    } else if (is_served(s) && turn->run && !(s->flags & SUBSCRIBER_ALL)) {
        finish_once(hub, s);
    } else {
        deliver_place(hub, s);
    }
}

static void settle_packed(struct hub *hub, struct subscriber *s, const struct turn *turn,
                          size_t taken) {
    if (!account_packed(hub, s, turn, taken)) {
        stall(hub, s);
        hub->settings.ops->unaffordable(s);
    } else if (taken < turn->total) {
        stall(hub, s);
    } else if (s->body->ended || (is_served(s) && turn->run && !(s->flags & SUBSCRIBER_ALL))) {
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

static unsigned deliver_packed(struct hub *hub, struct subscriber *s) {
    struct turn turn = {0};
    int rc = gather_packed(hub, s, &turn);
    if (rc) {
        put_off(hub, s);
    } else if (turn.count == 0) {
        deliver_place(hub, s);
    } else {
        ptrdiff_t taken = hub->settings.ops->send(s, turn.pieces, turn.count);
        if (taken >= 0) {
            settle_packed(hub, s, &turn, (size_t)taken);
        }
    }
    frame_unref(turn.pack);
    return 1 + pack_effort(&hub->packs);
}

unsigned deliver(struct hub *hub, struct subscriber *s) {
    if (s->body) {
        return deliver_packed(hub, s);
    }
    struct turn turn = {0};
    int rc = gather(hub, s, &turn);
    if (rc) {
        put_off(hub, s);
    } else if (turn.count == 0) {
        deliver_place(hub, s);
    } else {
        ptrdiff_t taken = hub->settings.ops->send(s, turn.pieces, turn.count);
        if (taken >= 0) {
            settle(hub, s, &turn, (size_t)taken);
        }
    }
    return 1;
}
