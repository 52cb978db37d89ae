// The hub of one worker: which topics and patterns are listened to, through which feeds, and how
// far each subscriber is. It has no sockets and no clock: the owner hands it frames in order, gives
// it turns to flush, and is called back to send. One thread, the owner's.
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include <stdatomic.h>

#include "hub/crowd.h"
#include "hub/feed.h"
#include "hub/lag.h"
#include "hub/pack.h"
#include "hub/past.h"
#include "hub/run.h"
#include "hub/topics.h"

enum subscriber_state {
    SUBSCRIBER_OUT,     // in no feed
    SUBSCRIBER_LIVE,    // in its feed's ready or due
    SUBSCRIBER_STALLED, // in the hub's stalled: its connection is full
    SUBSCRIBER_BEHIND,  // in the hub's behind: it needs what only the past still has
    SUBSCRIBER_PUT_OFF, // in the hub's put_off: it could not be served, and is tried again later
};

enum subscriber_flags {
    SUBSCRIBER_FROM_START = 1, // whatever was dropped before its first event is no gap
    SUBSCRIBER_TELL = 2,       // wants freshet.caught-up when it has caught up
    SUBSCRIBER_ONCE = 4,       // leaves by itself after the first events (a poll)
    SUBSCRIBER_NO_WAIT = 8,    // with ONCE: leaves even with nothing, as soon as it has everything
    SUBSCRIBER_WAS_LIVE = 16,  // had everything at least once
    SUBSCRIBER_SERVED = 32,    // was sent, or is being sent, an event or a gap
    SUBSCRIBER_ALL = 64,       // with ONCE: leaves when it has everything, not after the first run
    SUBSCRIBER_ASIDE = 128,    // it jumps, or its owner has something to say on it: see hub_aside
};

// How much a subscriber takes; then it leaves by itself, as one with SUBSCRIBER_ONCE does.
struct subscriber_bound {
    uint64_t events; // that it still takes
    size_t bytes;    // room for them, which the owner lowers as it is filled; one event fits always
    bool begun;      // it has taken one
    bool cramped;    // it left because an event did not fit
    bool more;       // it left before it had everything
    bool enough;     // the owner wants no more: it leaves when it has taken what it was handed
};

// A cursor. Owned by whoever joined it, at a fixed address until it has left.
struct subscriber {
    struct list link; // in the list that its state names
    struct feed *feed;
    event_id id;        // it has been handed everything up to here
    event_id told;      // losses up to here are no news to it
    struct frame *part; // what it has only a part of, or is to get before anything else
    uint32_t part_sent; // bytes of that
    uint8_t state, flags;
    bool begins; // up to `told` it gets values only, from the past, however far the window reaches
    bool jumps;  // at the next end of a frame, because it lags too far
    struct lag lag;
    struct subscriber_bound *bound; // the owner's, set before it joins; NULL: there is none
    struct pack_body *body;         // NULL: it is not sent compressed
};

struct hub_ops {
    // Hands the pieces, in order, to the subscriber's connection, which copies what it takes.
    // Returns the bytes taken. Fewer than given: it is full, and the owner calls hub_writable when
    // that has changed. Negative: it is gone, and the callback has made it leave.
    ptrdiff_t (*send)(struct subscriber *subscriber, const struct bytes *pieces, int count);

    // A subscriber with SUBSCRIBER_ONCE or a bound has got its events and has left. May be called
    // within hub_join.
    void (*finished)(struct subscriber *subscriber);

    // The subscriber is in the middle of a frame and the budget for such frames is spent. The
    // callback makes it leave.
    void (*unaffordable)(struct subscriber *subscriber);

    // After hub_aside: the next thing that its owner says on it, with a reference; NULL: nothing more.
    // May change its bound, and nothing else of it. NULL: no owner has anything to say.
    struct frame *(*aside)(struct subscriber *subscriber);

    // The hub begins, or ends, to listen to this selection, which others may do as well. May be NULL.
    void (*held)(struct hub *hub, const struct selection *selection, bool held);

    // Before `finished`, while it still has its feed: only to look at what it listened to. May be NULL.
    void (*leaving)(struct subscriber *subscriber);

    // The subscriber lags further than it may, and is to be ended: only with LAG_CLOSE, and only
    // within hub_check_lag. The callback makes it leave.
    void (*lags)(struct subscriber *subscriber);

    // Live events were taken by its connection, the first of which has this stamp. NULL: nobody wants to
    // know.
    void (*delivered)(struct subscriber *subscriber, uint32_t stamp);
};

struct hub_settings {
    const struct mem *mem;
    const struct hash_key *key;
    const struct hub_ops *ops;
    struct past *past;     // may be NULL: there is none
    size_t window_bytes;   // what all windows of this hub may hold together
    size_t run_bytes;      // the most that one send carries
    size_t idle_topics;    // topics remembered only because of patterns
    atomic_size_t *pinned; // bytes of half-sent frames, shared by all hubs
    size_t pinned_max;
    struct lag_limits lag;
};

// Written by the owner's thread only; anyone may read.
struct hub_stats {
    atomic_ullong frames, deliveries, sends, bytes, stalls, gaps, replayed, window_drops, lost,
        packs, lag_hits;
};

struct hub {
    struct hub_settings settings;
    struct topics topics;
    struct map feeds;
    struct list dirty;     // feeds with due subscribers
    struct list behind;    // subscribers that read the past
    struct list stalled;   // subscribers whose connection is full
    struct list put_off;   // those for whom there was no memory, or whom the past refused
    struct ring window;    // {feed, charge} for every slot of every feed, oldest first
    uint32_t window_first; // the number of the oldest; they are counted from hub_init on
    size_t window_held;
    event_id window_newest; // the newest frame that the window was charged for
    struct run run;
    struct crowd crowd;
    struct packs packs;
    struct frame *heartbeats[ENCODING_COUNT]; // NULL where the encoding has none
    event_id heard;                           // every frame up to here has been taken
    size_t subscribers;
    struct hub_stats stats;
};

// 0 or ERR_NOMEM. `heard` is the newest id that the sequencer has given out before the hub's inbox
// was connected.
int hub_init(struct hub *hub, const struct hub_settings *settings, event_id heard);

// Every subscriber has left.
void hub_finish(struct hub *hub);

// The next frame, in order. Does not take the caller's reference.
void hub_take(struct hub *hub, struct frame *frame);

// Frames up to this id never reached this hub (its inbox was full).
void hub_lose(struct hub *hub, event_id upto);

struct hub_start {
    event_id after;      // the cursor: the first event it gets is the first above this
    event_id snapshot;   // of what is not above it, only the newest event of each key
    uint8_t flags;       // of enum subscriber_flags
    struct frame *first; // sent before anything else, or NULL; the reference passes to the hub
    const struct gzip_sum *gzip; // NULL: plain; else the sum of what `first` has of a gzip body
};

// Puts a subscriber in. Takes the selection over. 0, or ERR_NOMEM and the subscriber is out.
int hub_join(struct hub *hub, struct selection *selection, enum encoding encoding,
             struct subscriber *subscriber, const struct hub_start *start);

// Takes it out, wherever it stands; harmless when it is out already.
void hub_leave(struct subscriber *subscriber);

// The connection of a stalled subscriber can take more.
void hub_writable(struct subscriber *subscriber);

// Sends a heartbeat, unless something else is under way or the encoding has none.
void hub_heartbeat(struct subscriber *subscriber);

// Its owner has something to say on it, as soon as a frame ends. What it is, the hub asks in a later
// turn (hub_ops.aside), until there is nothing more. Calls nothing back.
void hub_aside(struct subscriber *subscriber);

// Says this control frame to one alone, unless something else is under way: false, and it may be tried
// again later. Takes the reference in either case. No call of hub_ops.
bool hub_tell(struct subscriber *subscriber, struct frame *frame);

// Whether anyone is due or behind.
bool hub_has_work(const struct hub *hub);

// Serves who is due, at most `budget` sends. True when there is more to do.
bool hub_flush(struct hub *hub, unsigned budget);

// Serves those again who could not be served (memory was short, or the past refused): the owner
// calls it every now and then, because whatever it was has to pass first. True when there were any.
bool hub_retry(struct hub *hub);

// Whether it needs the past next, and not the window.
static inline bool hub_reads_past(const struct subscriber *subscriber) {
    return subscriber->id < subscriber->feed->floor ||
           (subscriber->begins && subscriber->id < subscriber->told);
}

// How far behind the newest event of its feed it is: in events, as far back as the window tells, and
// in milliseconds. 0 when it has everything.
uint64_t hub_behind(const struct subscriber *subscriber);
int64_t hub_behind_ms(const struct subscriber *subscriber);

static inline void hub_count(atomic_ullong *counter, unsigned long long by) {
    // One writer, so a plain add is enough; atomic only so that readers see whole numbers.
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

#endif
