// Small, fast, seedable randomness for jitter and sampling. Not for secrets: those come straight
// from random_seed().
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

// Bytes from the operating system; 0 or ERR_SYSTEM.
int random_seed(void *out, size_t len);

uint64_t random_next(struct random *random);

// Evenly from low up to and including high.
int64_t random_between(struct random *random, int64_t low, int64_t high);

#endif
