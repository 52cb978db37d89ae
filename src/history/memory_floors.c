// One array of buckets for topics that vanished and for prefixes of patterns. The policy: a
// constant amount of work a drop and a question, whatever strangers subscribe to; exact for a
// pattern whose wildcards come last (`a/b/*`, `a/**`), too high for one like `a/*/c` when other
// topics under `a` drop, and for one that begins with a wildcard when any topic does.
#include "history/memory_floors.h"

// Keeps the topic `a` and the prefix `a` of a pattern in different buckets.
static const uint64_t PREFIX_SALT = UINT64_C(0x9e3779b97f4a7c15);

// In the place of a type's hash: what nothing newer had replaced, of all types but `message`; and, with
// a type's, what something newer had.
static const uint64_t TYPED_VALUES = UINT64_C(0x6c61746573740001);
static const uint64_t REPLACED = UINT64_C(0x7265706c61636564);

// In the place of a type's hash: every type.
static const uint64_t ALL_TYPES = UINT64_C(0x616c6c7479706573);

// In the place of a prefix's bucket: every topic.
enum { NO_PREFIX = FLOOR_BUCKETS };

void memory_floors_init(struct memory_floors *floors, const struct hash_key *key, event_id origin) {
    floors->key = *key;
    floors->untyped = hash_bytes(key, "message", strlen("message"));
    floors->all = origin;
    for (size_t i = 0; i < FLOOR_BUCKETS; i++) {
        floors->buckets[i] = floors->of_types[i] = origin;
        floors->of_private[i] = 0; // whoever hears private events is told of the others as well
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

static uint32_t bucket_of_pattern(const struct memory_floors *floors, struct bytes pattern) {
    struct topic_walk walk = topic_walk(pattern);
    struct bytes segment;
    const char *end = NULL;
    for (int depth = 0; depth < FLOOR_DEPTH && topic_walk_next(&walk, &segment); depth++) {
        if (bytes_is(segment, "*") || bytes_is(segment, "**")) {
            break;
        }
        end = segment.at + segment.len;
    }
    return end ? prefix_bucket(floors, pattern.at, end) : NO_PREFIX;
}

event_id memory_floors_of_pattern(const struct memory_floors *floors, struct bytes pattern) {
    uint32_t bucket = bucket_of_pattern(floors, pattern);
    return bucket == NO_PREFIX ? floors->all : floors->buckets[bucket];
}

uint64_t memory_floors_type(const struct memory_floors *floors, struct bytes type) {
    return type.len ? hash_bytes(&floors->key, type.at, type.len) : floors->untyped;
}

// Both hashes are keyed; the product keeps (a, b) apart from (b, a).
static uint16_t type_bucket(uint64_t of, uint64_t type_hash) {
    return topic_bucket((of * PREFIX_SALT ^ type_hash) >> 7);
}

static void raise_one(event_id *array, uint64_t topic_hash, const struct floor_prefixes *prefixes,
                      uint64_t type_hash, event_id id) {
    raise_to(&array[type_bucket(topic_hash, type_hash)], id);
    raise_to(&array[type_bucket(NO_PREFIX, type_hash)], id);
    for (uint16_t i = 0; i < prefixes->count; i++) {
        raise_to(&array[type_bucket(prefixes->buckets[i], type_hash)], id);
    }
}

static void raise_in(const struct memory_floors *floors, event_id *array, uint64_t topic_hash,
                     const struct floor_prefixes *prefixes, uint64_t type_hash, bool value,
                     event_id id) {
    raise_one(array, topic_hash, prefixes, value ? type_hash : type_hash ^ REPLACED, id);
    // Most have neither a type nor a key: for those one is enough.
    if (value && type_hash != floors->untyped) {
        raise_one(array, topic_hash, prefixes, TYPED_VALUES, id);
    }
}

void memory_floors_raise_type(struct memory_floors *floors, uint64_t topic_hash,
                              const struct floor_prefixes *prefixes, uint64_t type_hash, bool value,
                              event_id id) {
    raise_in(floors, floors->of_types, topic_hash, prefixes, type_hash, value, id);
}

void memory_floors_raise_private(struct memory_floors *floors, uint64_t topic_hash,
                                 const struct floor_prefixes *prefixes, uint64_t type_hash,
                                 bool value, event_id id) {
    raise_in(floors, floors->of_private, topic_hash, prefixes, type_hash, value, id);
    raise_one(floors->of_private, topic_hash, prefixes, ALL_TYPES, id);
}

static uint64_t bucket_of_item(const struct memory_floors *floors, const struct selector *item) {
    return item->pattern ? bucket_of_pattern(floors, item->name.text) : item->name.hash;
}

static event_id part_in(const struct memory_floors *floors, const event_id *array,
                        const struct selection *selection, uint64_t of) {
    event_id floor = 0;
    if (selection->type_count == 0) {
        raise_to(&floor, array[type_bucket(of, floors->untyped)]);
        raise_to(&floor, array[type_bucket(of, TYPED_VALUES)]);
    }
    for (uint32_t i = 0; i < selection->type_count; i++) {
        uint64_t type = selection->types[i].hash;
        raise_to(&floor, array[type_bucket(of, type)]);
        if (!selection->latest) {
            raise_to(&floor, array[type_bucket(of, type ^ REPLACED)]);
        }
    }
    return floor;
}

event_id memory_floors_of_part(const struct memory_floors *floors,
                               const struct selection *selection, const struct selector *item) {
    return part_in(floors, floors->of_types, selection, bucket_of_item(floors, item));
}

event_id memory_floors_of_private(const struct memory_floors *floors,
                                  const struct selection *selection, const struct selector *item) {
    if (!item->privy) {
        return 0;
    }
    uint64_t of = bucket_of_item(floors, item);
    event_id all = floors->of_private[type_bucket(of, ALL_TYPES)];
    if (!memory_floors_is_part(selection)) {
        return all;
    }
    event_id part = part_in(floors, floors->of_private, selection, of);
    return part < all ? part : all;
}
