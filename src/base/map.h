// An intrusive hash map. The caller embeds a node, computes the hash and compares the keys; the map
// owns only its buckets. It grows and shrinks a few buckets at a time, so that no single call pays
// for a table of a million. Duplicate keys are the caller's affair.
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

struct map_table {
    struct map_node **buckets;
    size_t size; // a power of two, or 0 while there is no table
};

struct map {
    const struct mem *mem;
    struct map_table now, old; // while it resizes, nodes move from old to now
    size_t moved;              // buckets of old that are done with
    size_t count;
    bool walking; // the tables stay as they are until the visitor returns
};

typedef bool map_match(const struct map_node *node, const void *key);

void map_init(struct map *map, const struct mem *mem);

// Frees the buckets. The nodes are the caller's; none may still be wanted.
void map_finish(struct map *map);

struct map_node *map_find(const struct map *map, uint64_t hash, map_match *match, const void *key);

// 0, or ERR_NOMEM when the very first table could not be had (a table that cannot grow still
// works).
int map_insert(struct map *map, struct map_node *node, uint64_t hash);

// The node must be in the map.
void map_remove(struct map *map, struct map_node *node);

// Visits every node in no order, in portions: start with *place = 0; false when all were seen.
// A node that is in the map all the while is seen once, or more often if the map shrinks between
// the calls; one that comes or goes may be missed. `visit` may remove the node that it is given.
typedef void map_visit(void *ctx, struct map_node *node);
bool map_walk(struct map *map, size_t *place, size_t buckets, map_visit *visit, void *ctx);

#endif
