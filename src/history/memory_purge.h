// Purging a topic: its events are out of sight at once, and go a few at a time. They are always the
// oldest of the topic, so whatever else drops them meanwhile is right as well.
#ifndef HISTORY_MEMORY_PURGE_H
#define HISTORY_MEMORY_PURGE_H

#include "base/list.h"
#include "history/memory_topics.h"

struct memory;

// Exists while a topic has purged events that have not gone yet.
struct memory_purge {
    struct list link;
    struct memory_topic *topic;
    event_id upto;  // of the events out of sight
    uint64_t bytes; // their cost
};

// The first of the topic's events that can be seen; its `frames.count` when none can.
uint32_t memory_purge_first(const struct memory_topic *topic);

// The cost of those that can be seen.
uint64_t memory_purge_bytes_left(const struct memory_topic *topic);

// The topic's oldest event is about to be dropped.
void memory_purge_note_drop(struct memory *memory, struct memory_topic *topic);

// Whether any topic that holds the event shows it.
bool memory_purge_shows(const struct memory *memory, const struct frame *frame);

// Drops up to `portion` purged events; true when there are more.
bool memory_purge_some(struct memory *memory, size_t portion);

// As history.h says.
int memory_purge(struct history *history, const struct topic_name *name, uint64_t *number);
uint64_t memory_purged(const struct history *history);

#endif
