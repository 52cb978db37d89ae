// How long events take from being published to being handed to a listener's connection: a histogram for
// each worker. One writer, the worker; any thread may read. Nothing fails.
#ifndef SERVER_LATENCY_H
#define SERVER_LATENCY_H

#include <stdatomic.h>

#include "load/histogram.h"

struct server;

// All zero is an empty one.
struct latency {
    atomic_ullong slots[HISTOGRAM_SLOTS]; // of microseconds
    atomic_ullong sum;
};

// What a frame keeps of the time when it was published; never 0.
static inline uint32_t latency_stamp(int64_t us) {
    uint32_t stamp = (uint32_t)us;
    return stamp ? stamp : 1;
}

// An event of this stamp was handed over now.
void latency_note(struct latency *latency, uint32_t stamp, int64_t now_us);

// All that the workers have noted so far. `max` is left 0.
void latency_sum(const struct server *server, struct histogram *out);

// Of what was added between two sums, the time that this share does not exceed; -1: nothing was.
int64_t latency_between(const struct histogram *before, const struct histogram *now, double share);

#endif
