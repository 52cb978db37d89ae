// A queue of fixed-size elements in one growing ring. First in, first out, and any element can be
// reached by its place, so a sorted ring can be searched. It gives its memory back when it empties.
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct ring {
    const struct mem *mem;
    char *at;
    uint32_t element, cap, head, count;
};

void ring_init(struct ring *ring, const struct mem *mem, size_t element);
void ring_finish(struct ring *ring);

// The new last element, uninitialised; NULL when there is no memory, and nothing has changed.
void *ring_push(struct ring *ring);

// Drops the first element; there must be one.
void ring_pop(struct ring *ring);

// Takes back the last push.
void ring_unpush(struct ring *ring);

// The element at `place`, counted from the first; valid until the ring changes.
static inline void *ring_at(const struct ring *ring, uint32_t place) {
    return ring->at + (size_t)((ring->head + place) & (ring->cap - 1)) * ring->element;
}

static inline void *ring_last(const struct ring *ring) {
    return ring_at(ring, ring->count - 1);
}

#endif
