// Walking several topics at once in the global order, forward or backward, each event once even
// when several of the topics hold it. A merge borrows the topics: it lives under one hold of the
// lock.
#ifndef HISTORY_MEMORY_MERGE_H
#define HISTORY_MEMORY_MERGE_H

#include "base/heap.h"
#include "history/memory_topics.h"
#include "hub/selection.h"

enum { MERGE_MAX = 128 }; // topics; whoever asks for more has the log scanned instead

struct merge_head {
    uint32_t at, first; // none before `first` is handed out
    const struct memory_topic *topic;
};

struct memory_merge {
    bool backward;
    struct heap heap; // of the heads, by the next event
    struct heap_entry entries[MERGE_MAX];
    struct merge_head heads[MERGE_MAX];
};

// Whether a merge can serve the selection: few enough topics, no patterns.
bool memory_merge_serves(const struct selection *selection);

// Forward: the events above `from`, rising. Backward: those up to `from`, falling.
void memory_merge_init(struct memory_merge *merge, const struct memory_topics *topics,
                       const struct selection *selection, event_id from, bool backward);

// The next event, which stays the next until it is skipped; NULL when there are no more.
struct frame *memory_merge_peek(const struct memory_merge *merge);
void memory_merge_skip(struct memory_merge *merge);

#endif
