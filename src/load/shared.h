// What the parts of a load share, in memory that forked processes see too. Each worker and the
// publishers have a tally that only they write; the conductor reads the counters while they run and
// the rest when they have ended.
#ifndef LOAD_SHARED_H
#define LOAD_SHARED_H

#include <stdatomic.h>

#include "load/load.h"
#include "load/target.h"

enum load_phase {
    LOAD_CONNECT,
    LOAD_LEAVE,  // all listeners hang up
    LOAD_RETURN, // and come back with their cursors
    LOAD_END,
};

struct load_tally {
    _Alignas(64) atomic_ullong delivered;
    atomic_ullong faults;
    atomic_ullong measured;
    atomic_ullong received, sent, requests; // bytes, bytes, and how often it asked
    atomic_uint started, asked, listening, refused, closed, open, caught_up;
    atomic_llong ready_us;  // when the last of its streams began
    atomic_llong last_us;   // when it last got an event
    atomic_llong caught_us; // when its last listener had caught up
    atomic_bool failed;     // it could not even begin
    atomic_llong cpu_ns;    // of its thread, brought up to date every few milliseconds
    uint64_t damaged, foreign;
    struct sequence_faults sequence;
    struct histogram latency, catch_up;
};

struct load_books { // the publishers' tally
    _Alignas(64) atomic_ullong published;
    atomic_ullong acknowledged, refused, measured;
    atomic_llong cpu_ns;
    uint64_t due, unsent;
    struct histogram acknowledged_us, late_us;
};

struct load_shared {
    const struct load_settings *settings;
    struct target subscribe, publish;
    unsigned workers, lanes, lanes_each, listener_topics; // lanes_each: of one topic, at most
    uint32_t run;
    int64_t base_ns;
    size_t size; // of all of this
    atomic_int phase;
    atomic_llong phase_us; // when it began
    atomic_llong measure_from_us;
    atomic_bool stop_publishing;
    struct load_books books;
    struct load_tally *tallies; // one for each worker
    atomic_uint *published;     // for each lane, how many
};

// Microseconds since the load began.
int64_t load_now_us(const struct load_shared *shared);
int64_t load_thread_ns(void);

static inline void load_count(atomic_ullong *counter, unsigned long long by) {
    // One writer, so a plain add is enough.
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

static inline void load_tick(atomic_uint *counter, int by) {
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed) + (unsigned)by,
                          memory_order_relaxed);
}

// A thread of listeners: worker `index` has every listener whose number is index modulo workers.
// Runs until the phase is LOAD_END. 0 or ERR_NOMEM, ERR_SYSTEM.
int listeners_run(struct load_shared *shared, unsigned index);

// The timetable of the publishers: from one time to another, or this many rounds of all lanes.
struct publishers_plan {
    int64_t from_us, until_us;
    double rate;     // 0: as fast as acknowledged
    unsigned rounds; // not 0: so many events on each lane, and no end in time
};

// Publishes to the plan and returns when all is acknowledged or nothing moves any more. 0 or
// ERR_NOMEM, ERR_SYSTEM.
int publishers_run(struct load_shared *shared, const struct publishers_plan *plan);

#endif
