// What goes with a subscriber's next send: up to two pieces, the rest of a half-sent frame and what
// follows the cursor, from the window or from the past, as a run or as a pack of one. It sends nothing
// and moves no cursor, but over what there is nothing to send of.
#include "hub/turn.h"

#include "hub/control.h"
#include "hub/deliver.h"

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
    size_t most = s->body ? PACK_BYTES : hub->settings.run_bytes;
    if (past && s->begins) {
        event_id upto = s->told < hub->heard ? s->told : hub->heard;
        return crowd_read_values(crowd, past, s->feed, s->id, upto, most, batch);
    }
    if (past) {
        return crowd_read(crowd, past, s->feed, s->id, hub->heard, most, batch);
    }
    crowd->batch.floor = s->feed->floor;
    crowd->batch.reached = s->begins && s->told > s->feed->floor ? s->told : s->feed->floor;
    *batch = &crowd->batch;
    return 0;
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
    rc = pack_make(&hub->packs, key, plain, events, last, &turn->pack);
    if (rc == 0) {
        turn->pack->stamp = turn->batch ? 0 : run_stamp(&hub->run, s->id);
    }
    return rc;
}

static int add_pack(struct hub *hub, struct subscriber *s, struct turn *turn,
                    struct pack_key *key) {
    key->feed = s->feed;
    key->most = s->bound ? s->bound->events : UINT64_MAX;
    turn->pack = pack_find(&hub->packs, key);
    int rc = turn->pack ? 0 : make_pack(hub, s, turn, key);
    if (rc == 0) {
        turn->stamp = turn->pack->stamp;
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

// Which events a batch of the past leaves out: none, unless only the newest of each key is wanted.
static event_id values_of(const struct subscriber *s) {
    event_id all = s->feed->selection->latest ? PACK_CATCHES_UP : 0;
    return s->begins ? s->told : all;
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
    struct bytes bytes;
    turn->batch = batch;
    if (s->body) {
        struct pack_key key = {.first = batch->frames[0]->id, .values = values_of(s)};
        return add_pack(hub, s, turn, &key);
    }
    rc = crowd_load(&hub->crowd, &hub->run, &bytes);
    if (rc == 0) {
        add_run(hub, s, turn, bytes);
    }
    return rc;
}

// With something to be said aside, the next end of a frame is waited for, not passed.
static bool waits_aside(const struct subscriber *s, const struct turn *turn) {
    return turn->part && s->flags & SUBSCRIBER_ASIDE;
}

int turn_gather(struct hub *hub, struct subscriber *s, struct turn *turn) {
    struct feed *feed = s->feed;
    int rc = gather_part(hub, s, turn);
    if (rc || turn_is_full(s) || waits_aside(s, turn)) {
        return rc;
    }
    if (hub_reads_past(s)) {
        return gather_past(hub, s, turn);
    }
    if (s->id < feed->newest) {
        struct bytes bytes;
        rc = run_cover(&hub->run, feed, s->id, &bytes);
        if (rc == 0) {
            turn->stamp = run_stamp(&hub->run, s->id);
            add_run(hub, s, turn, bytes);
        }
    }
    return rc;
}

int turn_gather_packed(struct hub *hub, struct subscriber *s, struct turn *turn) {
    int rc = gather_part(hub, s, turn);
    if (rc || s->body->ended || turn_is_full(s) || waits_aside(s, turn)) {
        return rc;
    }
    if (hub_reads_past(s)) {
        return gather_past(hub, s, turn);
    }
    return s->id < s->feed->newest ? add_pack_of_window(hub, s, turn) : 0;
}
