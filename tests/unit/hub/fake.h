// A hub with fake connections: what every test of fan-out stands on. The connections record what
// they are sent (or, when there are very many, only its length and a sum), accept as much as the
// test allows, and leave or call back when it says so.
#ifndef TESTS_HUB_FAKE_H
#define TESTS_HUB_FAKE_H

#include "support.h"

#include "hub/fake_past.h"
#include "hub/hub.h"
#include "hub/inflated.h"

struct fake_hub {
    struct test_mem mem;       // the hub's own, which may be failed
    struct test_mem frame_mem; // the frames', which a publisher has already
    struct hub hub;
    struct fake_past past;
    bool remembers; // publish hands frames to the past too
    struct hub_settings settings;
    atomic_size_t pinned;
    event_id newest;
    uint32_t stamp; // of what is published
    size_t sends;
};

enum { FAKE_PHASES_MAX = 200 };

// What it heard before it was changed, up to and including an id.
struct fake_phase {
    event_id upto;
    struct selection *selection;
};

struct fake_sub {
    struct subscriber s;
    struct fake_hub *fake;
    struct selection *selection;               // a copy, to measure against
    struct fake_phase phases[FAKE_PHASES_MAX]; // in order
    size_t phase_count;
    enum encoding encoding;
    event_id after;
    struct buf got; // what it was sent
    bool light;     // `got` stays empty: there are too many of them
    bool gzip;      // joins for a compressed body; `got` is what is in it
    struct inflated inflated;
    uint64_t sum; // of all bytes
    size_t received, sends;
    size_t room;     // what it accepts before it is full
    size_t per_send; // what it accepts a call
    bool vanish;     // the next send finds it gone
    bool finished, unaffordable, lags;
    void (*on_send)(struct fake_sub *sub); // before anything is taken
    struct fake_sub *other;                // for on_send
    const char *asides[4];                 // what its owner says, up to NULL
    size_t aside;                          // the next of them
    size_t told;                           // how often it was said that live events were taken
    uint32_t told_last;                    // and of which stamp
};

// Defaults that a test may change before fake_hub_open: a past, a megabyte of window, 16 KB a send.
void fake_hub_init(struct fake_hub *fake);
void fake_hub_open(struct fake_hub *fake);
// Asserts that every byte came back.
void fake_hub_finish(struct fake_hub *fake);

extern const struct hash_key fake_key;

struct topic_name fake_name(const char *text);
// Topics are given as one text, divided by spaces. A `!` in front of one makes it privy, or the frame
// private.
struct selection *fake_selection(const struct mem *mem, const char *topics);
struct frame *fake_frame(struct fake_hub *fake, const char *topics, const char *data);
// Seals it with the next id, remembers it and hands it to the hub; returns its id.
event_id fake_publish(struct fake_hub *fake, const char *topics, const char *data);

void fake_sub_init(struct fake_sub *sub, struct fake_hub *fake);
int fake_join_at(struct fake_sub *sub, const char *topics, enum encoding encoding,
                 const struct hub_start *start);
// At a cursor, in the event-stream encoding, or from now on.
void fake_join_after(struct fake_sub *sub, const char *topics, event_id after);
void fake_join(struct fake_sub *sub, const char *topics);
// Changes what it hears, by names divided by spaces: 0 or ERR_NOMEM.
int fake_change(struct fake_sub *sub, const char *drop, const char *add);
// Leaves if it has not, and frees what it recorded.
void fake_sub_finish(struct fake_sub *sub);

// Gives it this much more room, and says so if it stalled.
void fake_drain(struct fake_sub *sub, size_t room);

// Turns until nothing is left to do.
void fake_flush(struct fake_hub *fake);

// What it has recorded, as text.
void fake_assert_got(struct fake_sub *sub, const char *text);

// The sum that a light subscriber keeps.
uint64_t fake_sum(uint64_t sum, struct bytes bytes);

#endif
