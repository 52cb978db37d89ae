// The history in memory, as its own files see it. One mutex guards everything; what it is held for
// is bounded: an append and what the append pushes out, or a portion of a reader's work.
#ifndef HISTORY_MEMORY_H
#define HISTORY_MEMORY_H

#include <pthread.h>
#include <stdatomic.h>

#include "history/history.h"
#include "history/memory_keys.h"
#include "history/memory_log.h"
#include "history/memory_own_ids.h"
#include "history/memory_rules.h"
#include "history/memory_topics.h"

// Putting topics in order with limits that have changed.
struct memory_changing {
    bool under_way, again; // some topic had more than one portion
    size_t place, left;
};

struct memory {
    struct history history;
    const struct mem *mem;
    pthread_mutex_t lock;
    atomic_bool privates; // there has been a private event
    // Below: under the lock.
    struct memory_rules rules;
    struct memory_changing change;
    struct memory_log log;
    struct memory_topics topics;
    struct memory_own_ids own_ids;
    struct memory_keys keys;
    uint64_t frame_bytes;         // what the events are charged with
    struct history_stats dropped; // only the counters of drops
    struct list purges;           // of struct memory_purge, oldest first
    struct memory_floors floors;
};

// What the global budget is charged with for holding a frame: the frame, its places in the log, in
// the topics and in the indexes of own ids and of keys.
uint64_t memory_charge(const struct frame *frame);

// Drops the oldest event of one topic; *reason counts it if no other topic has it. The topic may be
// gone afterwards.
void memory_drop_oldest_of(struct memory *memory, struct memory_topic *topic, uint64_t *reason);

// The readers' half of the interface.
int memory_read(struct past *past, const struct selection *selection, event_id after, event_id upto,
                size_t max_bytes, struct past_batch *batch);
int memory_values(struct past *past, const struct selection *selection, event_id after,
                  event_id upto, size_t max_bytes, struct past_batch *batch);
event_id memory_last(struct past *past, const struct selection *selection, size_t count,
                     event_id upto);
int memory_find(struct past *past, const struct selection *selection, struct bytes own_id,
                event_id *at);

// The console's.
void memory_stats(struct history *history, struct history_stats *out);
bool memory_walk(struct history *history, struct history_walk *walk, size_t portion,
                 history_visit *visit, void *ctx);
bool memory_topic_info(struct history *history, const struct topic_name *name,
                       struct history_topic *out);

static inline struct memory *memory_of(struct history *history) {
    return container_of(history, struct memory, history);
}

static inline struct memory *memory_of_past(struct past *past) {
    return container_of(past, struct memory, history.past);
}

#endif
