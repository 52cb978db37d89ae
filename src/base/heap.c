// What moves is held in hand while others make room, so that each step writes one entry.
#include "base/heap.h"

void heap_push(struct heap *heap, uint64_t key, uint32_t item) {
    uint32_t at = heap->count++;
    while (at && key < heap->at[(at - 1) / 2].key) {
        heap->at[at] = heap->at[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->at[at] = (struct heap_entry){.key = key, .item = item};
}

// Finds the entry a place, from the first down.
static void settle(struct heap *heap, struct heap_entry entry) {
    uint32_t at = 0;
    for (uint32_t child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && heap->at[child + 1].key < heap->at[child].key) {
            child++;
        }
        if (entry.key <= heap->at[child].key) {
            break;
        }
        heap->at[at] = heap->at[child];
        at = child;
    }
    heap->at[at] = entry;
}

void heap_rekey(struct heap *heap, uint64_t key) {
    settle(heap, (struct heap_entry){.key = key, .item = heap->at[0].item});
}

void heap_pop(struct heap *heap) {
    struct heap_entry last = heap->at[--heap->count];
    if (heap->count) {
        settle(heap, last);
    }
}
