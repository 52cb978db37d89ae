// One array of buckets for topics that vanished and for prefixes of patterns. The policy: a
// constant amount of work a drop and a question, whatever strangers subscribe to; exact for a
// pattern whose wildcards come last (`a/b/*`, `a/**`), too high for one like `a/*/c` when other
// topics under `a` drop, and for one that begins with a wildcard when any topic does.
#include "history/memory_floors.h"

// Keeps the topic `a` and the prefix `a` of a pattern in different buckets.
static const uint64_t PREFIX_SALT = UINT64_C(0x9e3779b97f4a7c15);

void memory_floors_init(struct memory_floors *floors, const struct hash_key *key, event_id origin) {
    floors->key = *key;
    floors->all = origin;
    for (size_t i = 0; i < FLOOR_BUCKETS; i++) {
        floors->buckets[i] = origin;
    }
}

static void raise_to(event_id *floor, event_id id) {
    *floor = *floor < id ? id : *floor;
}

static uint16_t topic_bucket(uint64_t hash) {
    return (uint16_t)(hash % FLOOR_BUCKETS);
}

static uint16_t prefix_bucket(const struct memory_floors *floors, const char *at, const char *end) {
    return topic_bucket(hash_bytes(&floors->key, at, (size_t)(end - at)) ^ PREFIX_SALT);
}

struct floor_prefixes memory_floors_prefixes(const struct memory_floors *floors,
                                             struct bytes topic) {
    struct floor_prefixes prefixes = {0};
    struct topic_walk walk = topic_walk(topic);
    struct bytes segment;
    // Only what something follows: a wildcard stands for at least one segment.
    while (prefixes.count < FLOOR_DEPTH && topic_walk_next(&walk, &segment) && walk.next) {
        prefixes.buckets[prefixes.count++] =
            prefix_bucket(floors, topic.at, segment.at + segment.len);
    }
    return prefixes;
}

void memory_floors_raise(struct memory_floors *floors, const struct floor_prefixes *prefixes,
                         event_id id) {
    raise_to(&floors->all, id);
    for (uint16_t i = 0; i < prefixes->count; i++) {
        raise_to(&floors->buckets[prefixes->buckets[i]], id);
    }
}

void memory_floors_leave(struct memory_floors *floors, uint64_t topic_hash, event_id floor) {
    raise_to(&floors->buckets[topic_bucket(topic_hash)], floor);
}

event_id memory_floors_of_topic(const struct memory_floors *floors, uint64_t topic_hash) {
    return floors->buckets[topic_bucket(topic_hash)];
}

event_id memory_floors_of_pattern(const struct memory_floors *floors, struct bytes pattern) {
    struct topic_walk walk = topic_walk(pattern);
    struct bytes segment;
    const char *end = NULL;
    for (int depth = 0; depth < FLOOR_DEPTH && topic_walk_next(&walk, &segment); depth++) {
        if (bytes_is(segment, "*") || bytes_is(segment, "**")) {
            break;
        }
        end = segment.at + segment.len;
    }
    return end ? floors->buckets[prefix_bucket(floors, pattern.at, end)] : floors->all;
}
