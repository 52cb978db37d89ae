// The rare half of the checker: numbers that were not expected.
#include "load/sequence.h"

enum { MEMORY = 64 };

static void skip(struct sequence *sequence, uint32_t number, struct sequence_faults *faults) {
    uint32_t missing = number - sequence->next;
    faults->missing += missing;
    sequence->seen = missing + 1 < MEMORY ? sequence->seen << (missing + 1) : 0;
    sequence->seen |= 1;
    sequence->next = number + 1;
}

void sequence_stray(struct sequence *sequence, uint32_t number, struct sequence_faults *faults) {
    if (number > sequence->next) {
        skip(sequence, number, faults);
        return;
    }
    uint32_t back = sequence->next - 1 - number;
    uint64_t bit = back < MEMORY ? (uint64_t)1 << back : 0;
    if (sequence->seen & bit) {
        faults->duplicates++;
        return;
    }
    faults->late++;
    faults->missing -= faults->missing > 0;
    sequence->seen |= bit;
}

void sequence_end(const struct sequence *sequence, uint32_t count, struct sequence_faults *faults) {
    faults->missing += count > sequence->next ? count - sequence->next : 0;
}
