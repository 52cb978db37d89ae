// Whether what arrives is complete and in order: one of these for each listener and lane. It takes
// the numbers 0, 1, 2, … as they come and tells what is missing, late or there twice.
//
// It remembers which of the last 64 numbers came. What comes even later than that is called late:
// it may have been a duplicate as well.
#ifndef LOAD_SEQUENCE_H
#define LOAD_SEQUENCE_H

#include <stdint.h>

struct sequence {
    uint64_t seen; // bit i: the number next - 1 - i has come
    uint32_t next;
};

struct sequence_faults {
    uint64_t missing;    // skipped, and have not come since
    uint64_t late;       // came after a later one
    uint64_t duplicates; // came again
};

// A number that was not the expected one.
void sequence_stray(struct sequence *sequence, uint32_t number, struct sequence_faults *faults);

// The next number that came. All zero is the start.
static inline void sequence_take(struct sequence *sequence, uint32_t number,
                                 struct sequence_faults *faults) {
    if (__builtin_expect(number == sequence->next, 1)) {
        sequence->next++;
        sequence->seen = sequence->seen << 1 | 1;
    } else {
        sequence_stray(sequence, number, faults);
    }
}

// The end: all numbers below `count` should have come.
void sequence_end(const struct sequence *sequence, uint32_t count, struct sequence_faults *faults);

#endif
