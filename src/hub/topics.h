// The topics that one worker knows: those that a feed holds by name, and a bounded number of others
// that patterns were asked about lately. A topic remembers which patterns match it, so a pattern is
// matched once per topic, not once per event. One thread: the worker's.
#ifndef HUB_TOPICS_H
#define HUB_TOPICS_H

#include "hub/feed.h"
#include "hub/patterns.h"

struct topic {
    struct map_node node;
    struct list subscriptions; // feeds that named it
    struct list idle;          // in topics->idle while no feed names it
    struct pattern **matches;  // the patterns that match it...
    uint32_t match_count;
    uint64_t generation; // ...as of this generation of the pattern set
    uint32_t name_len;
    char name[];
};

struct topics {
    const struct mem *mem;
    struct map map;
    struct patterns patterns;
    struct list idle; // known only for their matches, least recently used first
    size_t idle_count, idle_max;
};

void topics_init(struct topics *topics, const struct mem *mem, const struct hash_key *key,
                 size_t idle_max);
void topics_finish(struct topics *topics);

// Enters the feed's hold on what the selector names: 0 or ERR_NOMEM.
int topics_subscribe(struct topics *topics, const struct selector *selector, struct feed *feed,
                     struct subscription *subscription);
void topics_unsubscribe(struct topics *topics, struct subscription *subscription);

// The topic, if anything may listen to it; NULL means that nobody does, by name or by pattern (or
// that there was no memory to find out: then *failed is set).
struct topic *topics_hear(struct topics *topics, const struct topic_name *name, bool *failed);

#endif
