// The topics that hold something, by name: each a queue of frames in rising order of ids. A topic
// exists while its queue is not empty. The frames are borrowed from the log. Not locked: the
// history around it is.
#ifndef HISTORY_MEMORY_TOPICS_H
#define HISTORY_MEMORY_TOPICS_H

#include "base/map.h"
#include "base/ring.h"
#include "history/history.h"
#include "history/memory_floors.h"
#include "hub/frame.h"

struct memory_purge;

struct memory_topic {
    struct map_node node;
    struct ring frames; // of struct frame *
    uint64_t bytes;     // their cost
    event_id floor;     // nothing above it was dropped
    const struct topic_limits *limits;
    struct memory_purge *purge; // the oldest of its events are purged and about to go; mostly NULL
    struct floor_prefixes prefixes;
    uint16_t name_len;
    char name[];
};

struct memory_topics {
    const struct mem *mem;
    struct memory_floors *floors; // borrowed
    struct map map;
    uint64_t bytes; // what the topics themselves occupy, without their events
};

void memory_topics_init(struct memory_topics *topics, const struct mem *mem,
                        struct memory_floors *floors);

// Frees the topics, not their frames.
void memory_topics_finish(struct memory_topics *topics);

// NULL when nothing of that name is held.
struct memory_topic *memory_topics_find(const struct memory_topics *topics,
                                        const struct topic_name *name);

// The frame is the newest of its topic `name`, which may appear with it, and then has these limits.
// NULL when there is no memory, and nothing has changed.
struct memory_topic *memory_topics_push(struct memory_topics *topics, const struct topic_name *name,
                                        const struct topic_limits *limits, struct frame *frame);

// Takes back the last push to this topic.
void memory_topics_unpush(struct memory_topics *topics, struct memory_topic *topic);

// Whether it holds nothing more after this drop, and vanishes with it.
static inline bool memory_topic_ends(const struct memory_topic *topic) {
    return topic->frames.count == 1;
}

// The topic's oldest event is dropped: its floors rise, and the topic may vanish with it. A `value`
// is what nothing newer had replaced.
void memory_topics_drop(struct memory_topics *topics, struct memory_topic *topic, bool value);

// An event that was never held is dropped.
void memory_topics_miss(struct memory_topics *topics, const struct topic_name *name,
                        const struct frame *frame);

// What a topic occupies without its events.
uint64_t memory_topics_cost(size_t name_len);

// The floor of one selector, topic or pattern.
event_id memory_topics_floor(const struct memory_topics *topics, const struct topic_name *name,
                             bool pattern);

static inline struct frame *memory_topic_frame(const struct memory_topic *topic, uint32_t place) {
    return *(struct frame **)ring_at(&topic->frames, place);
}

// How many of its frames have ids up to `id`: the place of the first one above.
uint32_t memory_topic_seek(const struct memory_topic *topic, event_id id);

// Its floors rise to this id, of events that are dropped or as good as dropped.
void memory_topics_raise(struct memory_topics *topics, struct memory_topic *topic, event_id id);

static inline struct bytes memory_topic_name(const struct memory_topic *topic) {
    return bytes_make(topic->name, topic->name_len);
}

#endif
