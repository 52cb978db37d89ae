// A binary heap: keys with an item each, the smallest key first, in storage that the caller owns
// and sees to be large enough. An item is a number, mostly a place in an array of the caller's, so
// that little is moved however large what it stands for is. Nothing can fail.
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdint.h>

struct heap_entry {
    uint64_t key;
    uint32_t item;
};

struct heap {
    struct heap_entry *at; // the first is the smallest
    uint32_t count;
};

static inline void heap_init(struct heap *heap, struct heap_entry *storage) {
    *heap = (struct heap){.at = storage};
}

void heap_push(struct heap *heap, uint64_t key, uint32_t item);

// Of a heap that is not empty: gives the first another key, and so perhaps another place.
void heap_rekey(struct heap *heap, uint64_t key);

// The same: takes the first out.
void heap_pop(struct heap *heap);

#endif
