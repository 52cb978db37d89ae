// Walking the ids of several topics at once in the global order, forward or backward, each once even
// when several of the topics have it. It lives in one read transaction. Errors are LMDB's.
#ifndef HISTORY_DISK_MERGE_H
#define HISTORY_DISK_MERGE_H

#include "base/heap.h"
#include "history/disk_index.h"
#include "history/disk_purges.h"
#include "hub/selection.h"

enum { DISK_MERGE_MAX = 128 }; // topics; whoever asks for more has the log scanned instead

struct disk_merge_head {
    event_id above; // ids up to here are no longer the topic's
    uint64_t topic;
    struct disk_chunk chunk;
    uint32_t place;
};

struct disk_merge {
    MDB_cursor *index;
    bool backward;
    struct heap heap; // of the heads, by the next id
    struct heap_entry entries[DISK_MERGE_MAX];
    struct disk_merge_head heads[DISK_MERGE_MAX];
};

// Forward: ids above `from`, rising. Backward: those up to `from`, falling.
void disk_merge_init(struct disk_merge *merge, MDB_cursor *index, bool backward);

// Enters a topic that holds nothing up to `gone`; all of them before the first is skipped.
int disk_merge_add(struct disk_merge *merge, uint64_t topic, event_id gone, event_id from);

// The next id, which stays the next until it is skipped; false when there is none.
bool disk_merge_peek(const struct disk_merge *merge, event_id *id);
int disk_merge_skip(struct disk_merge *merge);

// Backward, and with one topic left: skips up to `most` ids at once, and returns how many. They are of
// one chunk, so it may be fewer than there are, or none.
size_t disk_merge_leap(struct disk_merge *merge, size_t most);

#endif
