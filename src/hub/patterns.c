// The tree of segments. All edges live in one hash map, keyed by parent and segment, so a node with
// a hundred thousand children costs no more to step through than a node with one.
#include "hub/patterns.h"

#include "base/error.h"

struct edge_key {
    const struct pattern *parent;
    struct bytes segment;
};

static bool same_edge(const struct map_node *node, const void *key) {
    const struct pattern *pattern = container_of(node, struct pattern, node);
    const struct edge_key *edge = key;
    return pattern->parent == edge->parent &&
           bytes_equal(bytes_make(pattern->segment, pattern->segment_len), edge->segment);
}

static uint64_t edge_hash(const struct patterns *patterns, const struct edge_key *edge) {
    uint64_t parent = (uint64_t)(uintptr_t)edge->parent * 0x9e3779b97f4a7c15ULL;
    return hash_bytes(&patterns->key, edge->segment.at, edge->segment.len) ^
           (parent ^ parent >> 29);
}

static struct pattern *node_create(const struct mem *mem, struct pattern *parent,
                                   struct bytes segment) {
    struct pattern *node = mem_new(mem, sizeof(*node) + segment.len);
    if (node) {
        node->parent = parent;
        node->segment_len = (uint32_t)segment.len;
        list_init(&node->subscriptions);
        memcpy(node->segment, segment.at, segment.len);
    }
    return node;
}

void patterns_init(struct patterns *patterns, const struct mem *mem, const struct hash_key *key) {
    *patterns = (struct patterns){.mem = mem, .key = *key};
    map_init(&patterns->edges, mem);
}

void patterns_finish(struct patterns *patterns) {
    map_finish(&patterns->edges);
    mem_free(patterns->mem, patterns->root);
    patterns->root = NULL;
}

static struct pattern *child(const struct patterns *patterns, const struct pattern *parent,
                             struct bytes segment) {
    struct edge_key edge = {.parent = parent, .segment = segment};
    struct map_node *node =
        map_find(&patterns->edges, edge_hash(patterns, &edge), same_edge, &edge);
    return node ? container_of(node, struct pattern, node) : NULL;
}

static struct pattern *add_child(struct patterns *patterns, struct pattern *parent,
                                 struct bytes segment) {
    struct edge_key edge = {.parent = parent, .segment = segment};
    struct pattern *node = node_create(patterns->mem, parent, segment);
    if (node && map_insert(&patterns->edges, &node->node, edge_hash(patterns, &edge))) {
        mem_free(patterns->mem, node);
        return NULL;
    }
    if (node) {
        parent->children++;
    }
    return node;
}

// Removes a node, and its parents, as far as nothing needs them.
static void prune(struct patterns *patterns, struct pattern *pattern) {
    while (pattern->parent && pattern->children == 0 && list_empty(&pattern->subscriptions)) {
        struct pattern *parent = pattern->parent;
        map_remove(&patterns->edges, &pattern->node);
        mem_free(patterns->mem, pattern);
        parent->children--;
        pattern = parent;
    }
}

struct pattern *patterns_enter(struct patterns *patterns, struct bytes text) {
    if (!patterns->root) {
        patterns->root = node_create(patterns->mem, NULL, bytes_make("", 0));
    }
    struct topic_walk walk = topic_walk(text);
    struct pattern *at = patterns->root;
    struct bytes segment;
    while (at && topic_walk_next(&walk, &segment)) {
        struct pattern *next = child(patterns, at, segment);
        next = next ? next : add_child(patterns, at, segment);
        if (!next) {
            prune(patterns, at);
        }
        at = next;
    }
    return at;
}

void patterns_subscribe(struct patterns *patterns, struct pattern *pattern, struct list *link) {
    if (list_empty(&pattern->subscriptions)) {
        patterns->count++;
        patterns->generation++;
    }
    list_push_back(&pattern->subscriptions, link);
}

void patterns_unsubscribe(struct patterns *patterns, struct pattern *pattern, struct list *link) {
    list_remove(link);
    if (list_empty(&pattern->subscriptions)) {
        patterns->count--;
        patterns->generation++;
        prune(patterns, pattern);
    }
}

struct matching {
    const struct patterns *patterns;
    pattern_found *found;
    void *ctx;
};

static int offer(const struct matching *m, struct pattern *pattern) {
    return pattern && !list_empty(&pattern->subscriptions) ? m->found(m->ctx, pattern) : 0;
}

// Recursion is as deep as the topic has segments, and a name is at most 256 bytes long.
static int match_below(const struct matching *m, const struct pattern *at, struct topic_walk walk) {
    struct bytes segment;
    if (at->children == 0 || !topic_walk_next(&walk, &segment)) {
        return 0;
    }
    int rc = offer(m, child(m->patterns, at, bytes_make("**", 2)));
    struct pattern *fits[] = {
        child(m->patterns, at, segment),
        segment.len ? child(m->patterns, at, bytes_make("*", 1)) : NULL,
    };
    for (int i = 0; rc == 0 && i < 2; i++) {
        if (fits[i]) {
            rc = walk.next ? match_below(m, fits[i], walk) : offer(m, fits[i]);
        }
    }
    return rc;
}

int patterns_match(const struct patterns *patterns, struct bytes topic, pattern_found *found,
                   void *ctx) {
    struct matching m = {.patterns = patterns, .found = found, .ctx = ctx};
    return patterns->root ? match_below(&m, patterns->root, topic_walk(topic)) : 0;
}
