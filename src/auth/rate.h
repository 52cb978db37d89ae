// A rate: how much of something each key may spend a second, and how much at once after a silence. For
// each key there is a bucket that fills by `per_second` and holds the burst; all that is kept of it is
// when it will be full again. A full bucket needs no entry, and the number of entries has a ceiling:
// beyond it the bucket that was not used for the longest time is taken to be full. Keys are keyed hashes,
// as in quota.h. Time is an argument. Any thread: cut into parts with a lock each, held for one look.
#ifndef AUTH_RATE_H
#define AUTH_RATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"

enum {
    RATE_PARTS = 16,
    RATE_BUCKETS = 65536, // at most, in all
    RATE_PER_SECOND_MAX = 1 << 30,
    RATE_COST_MAX = 1 << 30, // what costs more, costs this
    RATE_BURST_MAX = 3600,
};

struct rate_part {
    pthread_mutex_t lock;
    struct map map;    // struct bucket, by its key
    struct list order; // the same, the one that was used last at the end
};

struct rate {
    const struct mem *mem;
    atomic_ullong per_second; // 0: nothing is counted
    atomic_llong burst_ns;    // how long it takes to fill an empty bucket
    struct rate_part parts[RATE_PARTS];
};

// `burst` is in seconds' worth. Allocates nothing; `mem` must be safe to call from any thread.
void rate_init(struct rate *rate, const struct mem *mem, uint64_t per_second, uint64_t burst);
// Other limits. What is owed stays owed, as the time that it takes to be full again. Any thread.
void rate_limit(struct rate *rate, uint64_t per_second, uint64_t burst);
void rate_finish(struct rate *rate);

// Spends so much for this key: 0; or, when there is not enough, how many milliseconds it takes until there
// is, and nothing is spent. What costs more than a whole bucket is let through when the bucket is full,
// and paid off afterwards. Without memory for a bucket it is let through.
int64_t rate_spend(struct rate *rate, uint64_t key, uint64_t cost, int64_t now_ms);

// Takes back what was spent just before.
void rate_refund(struct rate *rate, uint64_t key, uint64_t cost);

// How many buckets there are.
size_t rate_buckets(struct rate *rate);

#endif
