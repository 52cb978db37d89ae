// What was published of late under a key: from the key to the id of the event. So the sequencer knows
// a publish that is repeated. It has its memory from the start and never allocates later; whatever
// publishers send, a call takes constant time.
//
// One thread at a time: the sequencer's lock. Nothing fails but once_table_init.
#ifndef BUS_ONCE_H
#define BUS_ONCE_H

#include "hub/frame.h"

struct once_entry {
    struct once once;
    event_id id;   // 0: it was forgotten; its place comes free in its turn
    uint32_t next; // in its bucket: the place of another, plus 1; 0 for none
};

// The entries lie in a ring, in the order of their ids: what is too old is at its head.
struct once_table {
    const struct mem *mem;
    int64_t window_ms;
    struct once_entry *entries;
    uint32_t *buckets;                // the place of the first of each, plus 1; 0 for none
    uint32_t mask;                    // of the buckets
    uint32_t capacity, oldest, count; // of the ring
};

// For so many keys (at least 1), each for so long; 0 ms: it remembers nothing and has no memory. 0 or
// ERR_NOMEM.
int once_table_init(struct once_table *table, const struct mem *mem, uint32_t capacity,
                    int64_t window_ms);
void once_table_finish(struct once_table *table);

// The event that was published with this key (`a` alone counts), or NULL if there was none within the
// window. `now` is wall-clock milliseconds. Until the next call.
const struct once_entry *once_table_find(const struct once_table *table, const struct once *once,
                                         int64_t now);

// Remembers that this id was given out, above all before it. An older event with this key is
// forgotten. True when another key had to go before its time, to make room.
bool once_table_add(struct once_table *table, const struct once *once, event_id id, int64_t now);

// As add, but for what was before everything in the table, newest first, at the start; a key that is
// there already stays as it is. False when there is no room for more.
bool once_table_recall(struct once_table *table, const struct once *once, event_id id);

#endif
