// Topics come with their first event and go with their last; what outlives them is their floor, in
// the shared buckets. Everything is found by hash, nothing here walks topics.
#include "history/memory_topics.h"

#include "base/list.h"

// What a topic takes from the allocator beyond its struct and name: the first ring, a bucket and
// the allocator's own.
enum { TOPIC_OVERHEAD = 80 };

void memory_topics_init(struct memory_topics *topics, const struct mem *mem,
                        struct memory_floors *floors) {
    *topics = (struct memory_topics){.mem = mem, .floors = floors};
    map_init(&topics->map, mem);
}

uint64_t memory_topics_cost(size_t name_len) {
    return sizeof(struct memory_topic) + name_len + TOPIC_OVERHEAD;
}

static void destroy_topic(struct memory_topics *topics, struct memory_topic *topic) {
    map_remove(&topics->map, &topic->node);
    topics->bytes -= memory_topics_cost(topic->name_len);
    ring_finish(&topic->frames);
    mem_free(topics->mem, topic);
}

static void destroy_visited(void *ctx, struct map_node *node) {
    destroy_topic(ctx, container_of(node, struct memory_topic, node));
}

void memory_topics_finish(struct memory_topics *topics) {
    size_t place = 0;
    (void)map_walk(&topics->map, &place, SIZE_MAX, destroy_visited, topics);
    map_finish(&topics->map);
}

static bool has_name(const struct map_node *node, const void *key) {
    const struct bytes *name = key;
    const struct memory_topic *topic = (const struct memory_topic *)(const void *)node;
    return bytes_equal(memory_topic_name(topic), *name);
}

struct memory_topic *memory_topics_find(const struct memory_topics *topics,
                                        const struct topic_name *name) {
    struct map_node *node = map_find(&topics->map, name->hash, has_name, &name->text);
    return node ? container_of(node, struct memory_topic, node) : NULL;
}

static struct memory_topic *create_topic(struct memory_topics *topics,
                                         const struct topic_name *name,
                                         const struct topic_limits *limits) {
    struct memory_topic *topic = mem_new(topics->mem, sizeof(*topic) + name->text.len);
    if (!topic) {
        return NULL;
    }
    memcpy(topic->name, name->text.at, name->text.len);
    topic->name_len = (uint16_t)name->text.len;
    if (map_insert(&topics->map, &topic->node, name->hash)) {
        mem_free(topics->mem, topic);
        return NULL;
    }
    ring_init(&topic->frames, topics->mem, sizeof(struct frame *));
    topic->limits = limits;
    topic->floor = memory_floors_of_topic(topics->floors, name->hash);
    topic->prefixes = memory_floors_prefixes(topics->floors, name->text);
    topics->bytes += memory_topics_cost(topic->name_len);
    return topic;
}

static void retire_if_empty(struct memory_topics *topics, struct memory_topic *topic) {
    if (topic->frames.count == 0) {
        memory_floors_leave(topics->floors, topic->node.hash, topic->floor);
        destroy_topic(topics, topic);
    }
}

struct memory_topic *memory_topics_push(struct memory_topics *topics, const struct topic_name *name,
                                        const struct topic_limits *limits, struct frame *frame) {
    struct memory_topic *topic = memory_topics_find(topics, name);
    if (!topic) {
        topic = create_topic(topics, name, limits);
    }
    if (!topic) {
        return NULL;
    }
    struct frame **last = ring_push(&topic->frames);
    if (!last) {
        retire_if_empty(topics, topic);
        return NULL;
    }
    *last = frame;
    topic->bytes += frame_cost(frame);
    return topic;
}

void memory_topics_unpush(struct memory_topics *topics, struct memory_topic *topic) {
    topic->bytes -= frame_cost(memory_topic_frame(topic, topic->frames.count - 1));
    ring_unpush(&topic->frames);
    retire_if_empty(topics, topic);
}

void memory_topics_raise(struct memory_topics *topics, struct memory_topic *topic, event_id id) {
    // It may be lower than the floor already: of an event too large to be held, of a bucket, or of
    // what was purged.
    topic->floor = topic->floor < id ? id : topic->floor;
    memory_floors_raise(topics->floors, &topic->prefixes, id);
}

static void raise_type(struct memory_topics *topics, uint64_t hash,
                       const struct floor_prefixes *prefixes, const struct frame *frame,
                       bool value) {
    uint64_t type = memory_floors_type(topics->floors, frame_type(frame));
    if (frame->private) {
        memory_floors_raise_private(topics->floors, hash, prefixes, type, value, frame->id);
    } else {
        memory_floors_raise_type(topics->floors, hash, prefixes, type, value, frame->id);
    }
}

void memory_topics_drop(struct memory_topics *topics, struct memory_topic *topic, bool value) {
    const struct frame *frame = memory_topic_frame(topic, 0);
    ring_pop(&topic->frames);
    topic->bytes -= frame_cost(frame);
    if (!frame->private) {
        memory_topics_raise(topics, topic, frame->id);
    }
    raise_type(topics, topic->node.hash, &topic->prefixes, frame, value);
    retire_if_empty(topics, topic);
}

void memory_topics_miss(struct memory_topics *topics, const struct topic_name *name,
                        const struct frame *frame) {
    struct memory_topic *topic = memory_topics_find(topics, name);
    struct floor_prefixes prefixes =
        topic ? topic->prefixes : memory_floors_prefixes(topics->floors, name->text);
    if (topic && !frame->private) {
        topic->floor = frame->id;
    } else if (!frame->private) {
        memory_floors_leave(topics->floors, name->hash, frame->id);
    }
    if (!frame->private) {
        memory_floors_raise(topics->floors, &prefixes, frame->id);
    }
    raise_type(topics, name->hash, &prefixes, frame, true);
}

event_id memory_topics_floor(const struct memory_topics *topics, const struct topic_name *name,
                             bool pattern) {
    if (pattern) {
        return memory_floors_of_pattern(topics->floors, name->text);
    }
    const struct memory_topic *topic = memory_topics_find(topics, name);
    return topic ? topic->floor : memory_floors_of_topic(topics->floors, name->hash);
}

uint32_t memory_topic_seek(const struct memory_topic *topic, event_id id) {
    uint32_t low = 0, high = topic->frames.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memory_topic_frame(topic, middle)->id > id) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}
