// The index of the ids that publishers brought: where an event lies that a listener names by one.
// An id may be used again, in another topic or in the same one; the oldest event that is still held
// answers, because replaying too much is harmless and skipping is not. Not locked: the history
// around it is.
#ifndef HISTORY_MEMORY_OWN_IDS_H
#define HISTORY_MEMORY_OWN_IDS_H

#include "base/list.h"
#include "base/map.h"
#include "history/memory_topics.h"
#include "hub/selection.h"

// What one entry occupies, for the budget: the struct, its buckets and the allocator's own.
enum { OWN_ID_COST = 128 };

struct memory_own_ids {
    const struct mem *mem;
    struct hash_key key;
    struct map by_topic; // topic and id
    struct map by_text;  // id alone, for patterns
};

void memory_own_ids_init(struct memory_own_ids *ids, const struct mem *mem,
                         const struct hash_key *key);

// Every event has been removed before.
void memory_own_ids_finish(struct memory_own_ids *ids);

// Called in rising order of ids; nothing when the event brought no id of its own. Without memory it
// is not indexed: a listener that names it is told that it is not found.
void memory_own_ids_add(struct memory_own_ids *ids, const struct memory_topic *topic,
                        struct frame *frame);

// The topic drops this event, its oldest.
void memory_own_ids_remove(struct memory_own_ids *ids, const struct memory_topic *topic,
                           const struct frame *frame);

// The oldest event of this topic that has the id, and is not private if it is not for the privy: 0 or
// ERR_NOT_FOUND.
int memory_own_ids_find(const struct memory_own_ids *ids, const struct memory_topic *topic,
                        struct bytes own_id, bool privy, event_id *at);

// The oldest event of the selection that has the id: 0 or ERR_NOT_FOUND, also when the id is so
// common that the search was given up.
int memory_own_ids_search(const struct memory_own_ids *ids, const struct selection *selection,
                          struct bytes own_id, event_id *at);

#endif
