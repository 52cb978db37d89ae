// A past without limits of its own, for hub and bus: a lock around an array that remembers
// everything that was ever published, and pretends to have dropped what the test says. What it
// remembers is also what the tests measure deliveries against.
#ifndef TESTS_HUB_FAKE_PAST_H
#define TESTS_HUB_FAKE_PAST_H

#include <pthread.h>

#include "hub/past.h"

struct fake_past {
    struct past past;
    pthread_mutex_t lock;
    struct frame **frames; // all, in order, each with a reference
    size_t count, cap;
    size_t dropped;  // the first so many are not to be had any more
    size_t most;     // frames a batch; 0: as many as fit
    size_t look_at;  // frames a read looks at, whether they fit the selection or not; 0: all
    unsigned refuse; // so many reads fail
    unsigned reads;
};

void fake_past_init(struct fake_past *fake);
void fake_past_finish(struct fake_past *fake);

// Remembers a frame that was published, with a reference of its own.
void fake_past_append(struct fake_past *fake, struct frame *frame);

#endif
