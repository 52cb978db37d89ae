// The patterns that one worker's feeds hold, as a tree of segments: matching a topic costs its
// segments and the branches that fit, not the number of patterns. One thread: the worker's.
#ifndef HUB_PATTERNS_H
#define HUB_PATTERNS_H

#include "base/list.h"
#include "base/map.h"
#include "hub/topic.h"

// A node of the tree. The path from the root to it spells a prefix of patterns; `subscriptions` are
// the feeds whose pattern ends here.
struct pattern {
    struct map_node node; // among the edges, by (parent, segment)
    struct pattern *parent;
    uint32_t children;
    uint32_t segment_len;
    struct list subscriptions;
    char segment[];
};

struct patterns {
    const struct mem *mem;
    struct hash_key key;
    struct map edges;
    struct pattern *root;
    size_t count;        // nodes at which a pattern ends
    uint64_t generation; // changes whenever the set of patterns changes
};

void patterns_init(struct patterns *patterns, const struct mem *mem, const struct hash_key *key);
void patterns_finish(struct patterns *patterns);

// The node of this pattern, made if need be; the caller subscribes to it at once.
// NULL when there is no memory.
struct pattern *patterns_enter(struct patterns *patterns, struct bytes text);

// Enters a subscription into a node, and takes it out again; the node goes when nothing needs it.
void patterns_subscribe(struct patterns *patterns, struct pattern *pattern, struct list *link);
void patterns_unsubscribe(struct patterns *patterns, struct pattern *pattern, struct list *link);

// Calls `found` for each pattern with subscriptions that matches; stops at a nonzero return and
// passes it on.
typedef int pattern_found(void *ctx, struct pattern *pattern);
int patterns_match(const struct patterns *patterns, struct bytes topic, pattern_found *found,
                   void *ctx);

#endif
