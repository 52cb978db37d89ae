// What is remembered of what was dropped: for every topic and pattern, known or not, an id that no
// dropped event of it lies above. In a fixed amount of memory, so names share buckets; a shared
// bucket can only make a floor too high (a gap is told though nothing was missed), never too low.
#ifndef HISTORY_MEMORY_FLOORS_H
#define HISTORY_MEMORY_FLOORS_H

#include "hub/id.h"
#include "hub/selection.h"

// A pattern is known by the segments before its first wildcard, at most FLOOR_DEPTH of them.
enum { FLOOR_BUCKETS = 1 << 14, FLOOR_DEPTH = 3 };

// For listeners that hear a part of what a topic has there is a second array: of the events of one
// type, and of those of them that nothing newer had replaced. Private events raise none of these two,
// but a third, which is like the second and counts for those alone who hear them.
struct memory_floors {
    struct hash_key key;
    uint64_t untyped; // the hash of the type of events without one
    event_id all;     // of every topic
    event_id buckets[FLOOR_BUCKETS];
    event_id of_types[FLOOR_BUCKETS];
    event_id of_private[FLOOR_BUCKETS];
};

// The buckets of the patterns that may match a topic, computed once a topic.
struct floor_prefixes {
    uint16_t count;
    uint16_t buckets[FLOOR_DEPTH];
};

// Nothing is known of events up to `origin`: every floor starts there.
void memory_floors_init(struct memory_floors *floors, const struct hash_key *key, event_id origin);

struct floor_prefixes memory_floors_prefixes(const struct memory_floors *floors,
                                             struct bytes topic);

// An event of a topic with these prefixes was dropped, which was not private.
void memory_floors_raise(struct memory_floors *floors, const struct floor_prefixes *prefixes,
                         event_id id);

// The floor of a topic that is no longer known by name, written when it goes and read when its name
// comes back.
void memory_floors_leave(struct memory_floors *floors, uint64_t topic_hash, event_id floor);
event_id memory_floors_of_topic(const struct memory_floors *floors, uint64_t topic_hash);

event_id memory_floors_of_pattern(const struct memory_floors *floors, struct bytes pattern);

// The hash of an event's type (of no bytes: it has none).
uint64_t memory_floors_type(const struct memory_floors *floors, struct bytes type);

// An event of the topic and type was dropped; a `value`, if nothing newer had replaced it.
void memory_floors_raise_type(struct memory_floors *floors, uint64_t topic_hash,
                              const struct floor_prefixes *prefixes, uint64_t type_hash, bool value,
                              event_id id);

// The same of a private event: all that is raised by it.
void memory_floors_raise_private(struct memory_floors *floors, uint64_t topic_hash,
                                 const struct floor_prefixes *prefixes, uint64_t type_hash,
                                 bool value, event_id id);

// Of what the selection, which lets some types through or wants the newest, hears of one of its
// items.
event_id memory_floors_of_part(const struct memory_floors *floors,
                               const struct selection *selection, const struct selector *item);

// Of the private events that the selection hears by one of its items; 0 when that hears none.
event_id memory_floors_of_private(const struct memory_floors *floors,
                                  const struct selection *selection, const struct selector *item);

static inline bool memory_floors_is_part(const struct selection *selection) {
    return selection->type_count || selection->latest;
}

#endif
