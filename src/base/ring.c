// The ring's growth; everything else is arithmetic in the header.
#include "base/ring.h"

#include <string.h>

enum { RING_FIRST = 4 };

void ring_init(struct ring *ring, const struct mem *mem, size_t element) {
    *ring = (struct ring){.mem = mem, .element = (uint32_t)element};
}

void ring_finish(struct ring *ring) {
    mem_free(ring->mem, ring->at);
    ring_init(ring, ring->mem, ring->element);
}

static int grow(struct ring *ring) {
    uint32_t cap = ring->cap ? ring->cap * 2 : RING_FIRST;
    char *at = cap > ring->cap ? mem_alloc(ring->mem, (size_t)cap * ring->element) : NULL;
    if (!at) {
        return -1;
    }
    uint32_t tail = ring->cap - ring->head < ring->count ? ring->cap - ring->head : ring->count;
    if (ring->count) {
        memcpy(at, ring_at(ring, 0), (size_t)tail * ring->element);
        memcpy(at + (size_t)tail * ring->element, ring->at,
               (size_t)(ring->count - tail) * ring->element);
    }
    mem_free(ring->mem, ring->at);
    ring->at = at;
    ring->cap = cap;
    ring->head = 0;
    return 0;
}

void *ring_push(struct ring *ring) {
    if (ring->count == ring->cap && grow(ring)) {
        return NULL;
    }
    ring->count++;
    return ring_last(ring);
}

void ring_pop(struct ring *ring) {
    ring->head = (ring->head + 1) & (ring->cap - 1);
    if (--ring->count == 0) {
        ring_finish(ring);
    }
}

void ring_unpush(struct ring *ring) {
    if (--ring->count == 0) {
        ring_finish(ring);
    }
}
