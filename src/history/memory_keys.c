// A map from topic, type, key and whether it is private to the frame; the texts are the frame's own. A
// newer event takes its predecessor's entry over, so that only a new key takes memory.
#include "history/memory_keys.h"

#include "base/list.h"

struct entry {
    struct map_node node;
    struct frame *frame;
    const struct memory_topic *topic;
};

struct wanted {
    const struct frame *frame;
    const struct memory_topic *topic;
};

void memory_keys_init(struct memory_keys *keys, const struct mem *mem, const struct hash_key *key) {
    *keys = (struct memory_keys){.mem = mem, .key = *key};
    map_init(&keys->map, mem);
}

void memory_keys_finish(struct memory_keys *keys) {
    map_finish(&keys->map);
}

static bool is_same(const struct map_node *node, const void *key) {
    const struct entry *entry = (const struct entry *)(const void *)node;
    const struct wanted *wanted = key;
    return entry->topic == wanted->topic && entry->frame->private == wanted->frame->private &&
           bytes_equal(frame_key(entry->frame), frame_key(wanted->frame)) &&
           bytes_equal(frame_type(entry->frame), frame_type(wanted->frame));
}

static uint64_t hash_of(const struct memory_keys *keys, const struct memory_topic *topic,
                        const struct frame *frame) {
    struct bytes key = frame_key(frame), type = frame_type(frame);
    uint64_t hash = hash_bytes(&keys->key, key.at, key.len) ^ topic->node.hash ^ frame->private;
    return type.len ? hash * 31 + hash_bytes(&keys->key, type.at, type.len) : hash;
}

static struct entry *find(const struct memory_keys *keys, const struct memory_topic *topic,
                          const struct frame *frame) {
    struct wanted wanted = {.frame = frame, .topic = topic};
    struct map_node *node = map_find(&keys->map, hash_of(keys, topic, frame), is_same, &wanted);
    return node ? container_of(node, struct entry, node) : NULL;
}

void memory_keys_add(struct memory_keys *keys, const struct memory_topic *topic,
                     struct frame *frame) {
    if (frame->key_len == 0) {
        return;
    }
    struct entry *entry = find(keys, topic, frame);
    if (entry) {
        entry->frame = frame;
        return;
    }
    entry = mem_new(keys->mem, sizeof(*entry));
    if (!entry) {
        return;
    }
    entry->frame = frame;
    entry->topic = topic;
    if (map_insert(&keys->map, &entry->node, hash_of(keys, topic, frame))) {
        mem_free(keys->mem, entry);
    }
}

bool memory_keys_remove(struct memory_keys *keys, const struct memory_topic *topic,
                        const struct frame *frame) {
    struct entry *entry = frame->key_len ? find(keys, topic, frame) : NULL;
    if (entry && entry->frame == frame) {
        map_remove(&keys->map, &entry->node);
        mem_free(keys->mem, entry);
        return true;
    }
    return !entry;
}

static bool is_newest(const struct memory_keys *keys, const struct memory_topic *topic,
                      const struct frame *frame) {
    if (memory_topic_frame(topic, 0)->id > frame->id) {
        return false; // this topic has dropped it
    }
    const struct entry *entry = find(keys, topic, frame);
    return !entry || entry->frame == frame;
}

bool memory_keys_show(const struct memory_keys *keys, const struct memory_topics *topics,
                      const struct selection *selection, const struct frame *frame, bool values) {
    if (frame->key_len == 0) {
        return !values;
    }
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        const struct memory_topic *topic = memory_topics_find(topics, &name);
        if (topic && is_newest(keys, topic, frame) &&
            (frame->topic_count == 1 || selection_names(selection, &name, frame->private))) {
            return true;
        }
    }
    return false;
}
