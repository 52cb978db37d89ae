// Slots of a histogram: slot s of octave o holds 2^o values. Slots 0 to 127 hold one value each.
#include "load/histogram.h"

static unsigned octave_of(unsigned slot) {
    return slot < 2 * HISTOGRAM_STEPS ? 0 : slot / HISTOGRAM_STEPS - 1;
}

uint64_t histogram_low(unsigned slot) {
    unsigned octave = octave_of(slot);
    return (uint64_t)(slot - octave * HISTOGRAM_STEPS) << octave;
}

uint64_t histogram_high(unsigned slot) {
    return histogram_low(slot) + ((uint64_t)1 << octave_of(slot)) - 1;
}

uint64_t histogram_at(const struct histogram *histogram, double share) {
    double exact = share * (double)histogram->count;
    uint64_t rank = (uint64_t)exact, passed = 0;
    rank += (double)rank < exact;
    rank = rank ? rank : 1;
    for (unsigned slot = 0; histogram->count && slot < HISTOGRAM_SLOTS; slot++) {
        passed += histogram->slots[slot];
        if (passed >= rank) {
            uint64_t high = histogram_high(slot);
            return high < histogram->max ? high : histogram->max;
        }
    }
    return histogram->max;
}

void histogram_merge(struct histogram *into, const struct histogram *from) {
    for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
        into->slots[slot] += from->slots[slot];
    }
    into->count += from->count;
    into->sum += from->sum;
    into->max = from->max > into->max ? from->max : into->max;
}
