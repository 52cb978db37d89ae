// Which event is the newest of its key, of those that memory holds: one entry for each topic, type
// and key, and another for its private events, so that those replace nothing for who does not hear
// them. What finds no memory is not known, and then counts as the newest. Not locked: the history
// around it is.
#ifndef HISTORY_MEMORY_KEYS_H
#define HISTORY_MEMORY_KEYS_H

#include "base/map.h"
#include "history/memory_topics.h"
#include "hub/selection.h"

enum { KEY_COST = 72 }; // an entry, its bucket and the allocator's own

struct memory_keys {
    const struct mem *mem;
    struct hash_key key;
    struct map map;
};

void memory_keys_init(struct memory_keys *keys, const struct mem *mem, const struct hash_key *key);

// When all events have been removed.
void memory_keys_finish(struct memory_keys *keys);

// The topic's newest event has come, and is to leave. The latter is true when nothing newer has
// replaced it: what it said is lost.
void memory_keys_add(struct memory_keys *keys, const struct memory_topic *topic,
                     struct frame *frame);
bool memory_keys_remove(struct memory_keys *keys, const struct memory_topic *topic,
                        const struct frame *frame);

// Whether a selection with `latest` still gets an event of the past: when it is the newest of its
// key in any of the topics that are asked for, or has no key and `values` are not all that counts.
bool memory_keys_show(const struct memory_keys *keys, const struct memory_topics *topics,
                      const struct selection *selection, const struct frame *frame, bool values);

#endif
