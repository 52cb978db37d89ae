// A histogram of times, log-linear as HDR histograms are: exact up to 127, and above that wrong by
// less than one part in 64, in a table of fixed size. Adding is a shift and an increment, so that
// millions of values a second can be recorded where they arise, and histograms can be added up.
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BITS = 6, // of precision
    HISTOGRAM_STEPS = 1 << HISTOGRAM_BITS,
    HISTOGRAM_OCTAVES = 34, // values up to 2^40; larger ones count as that
    HISTOGRAM_SLOTS = HISTOGRAM_STEPS * (HISTOGRAM_OCTAVES + 1),
};

// All zero is an empty one.
struct histogram {
    uint64_t count, sum, max;
    uint64_t slots[HISTOGRAM_SLOTS];
};

static inline unsigned histogram_slot(uint64_t value) {
    uint64_t top = (uint64_t)1 << (HISTOGRAM_OCTAVES + HISTOGRAM_BITS);
    value = value < top ? value : top - 1;
    if (value < HISTOGRAM_STEPS) {
        return (unsigned)value;
    }
    unsigned octave = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;
    return octave * HISTOGRAM_STEPS + (unsigned)(value >> octave);
}

static inline void histogram_add(struct histogram *histogram, uint64_t value) {
    histogram->slots[histogram_slot(value)]++;
    histogram->count++;
    histogram->sum += value;
    histogram->max = value > histogram->max ? value : histogram->max;
}

// The smallest and the largest value that this slot stands for.
uint64_t histogram_low(unsigned slot);
uint64_t histogram_high(unsigned slot);

// The value that this share of all values (0 to 1) does not exceed, rounded up to the end of its
// slot but never above the largest value; 0 when it is empty.
uint64_t histogram_at(const struct histogram *histogram, double share);

void histogram_merge(struct histogram *into, const struct histogram *from);

#endif
