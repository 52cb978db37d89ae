// The map: chained buckets in two tables, the old one emptied a little with every change. A node is
// in the old table exactly while its bucket there has not been moved, so a new table is never
// cleared as a whole: a bucket of it gets its first value when the first node could come to it.
#include "base/map.h"

#include <string.h>

#include "base/error.h"

enum { FIRST_SIZE = 16, MOVE_PER_CHANGE = 8 };

void map_init(struct map *map, const struct mem *mem) {
    *map = (struct map){.mem = mem};
}

void map_finish(struct map *map) {
    mem_free(map->mem, map->now.buckets);
    mem_free(map->mem, map->old.buckets);
    map_init(map, map->mem);
}

// Where a node of this hash is, or belongs. There must be a table.
static struct map_node **bucket_of(const struct map *map, uint64_t hash) {
    size_t old = hash & (map->old.size - 1);
    if (map->old.size && old >= map->moved) {
        return &map->old.buckets[old];
    }
    return &map->now.buckets[hash & (map->now.size - 1)];
}

static void push(struct map *map, struct map_node *node) {
    struct map_node **bucket = bucket_of(map, node->hash);
    node->next = *bucket;
    *bucket = node;
}

// The buckets of the new table that the nodes of this old one are the first to come to.
static void clear_targets(struct map *map, size_t bucket) {
    for (; bucket < map->now.size; bucket += map->old.size) {
        map->now.buckets[bucket] = NULL;
    }
}

static void move_some(struct map *map, size_t buckets) {
    while (map->old.size && buckets--) {
        struct map_node *node = map->old.buckets[map->moved];
        clear_targets(map, map->moved++);
        while (node) {
            struct map_node *next = node->next;
            push(map, node);
            node = next;
        }
        if (map->moved == map->old.size) {
            mem_free(map->mem, map->old.buckets);
            map->old = (struct map_table){0};
        }
    }
}

static int open_table(struct map *map, size_t size) {
    struct map_node **buckets = mem_alloc(map->mem, size * sizeof(*buckets));
    if (!buckets) {
        return ERR_NOMEM;
    }
    map->old = map->now;
    map->now = (struct map_table){.buckets = buckets, .size = size};
    map->moved = 0;
    return 0;
}

static int open_first(struct map *map) {
    int rc = open_table(map, FIRST_SIZE);
    if (rc == 0) {
        memset(map->now.buckets, 0, FIRST_SIZE * sizeof(*map->now.buckets));
    }
    return rc;
}

static void adjust(struct map *map) {
    if (map->walking) {
        return;
    }
    if (map->old.size) {
        move_some(map, MOVE_PER_CHANGE);
    } else if (map->count > map->now.size) {
        (void)open_table(map, map->now.size * 2);
    } else if (map->now.size > FIRST_SIZE && map->count < map->now.size / 4) {
        (void)open_table(map, map->now.size / 2);
    }
}

struct map_node *map_find(const struct map *map, uint64_t hash, map_match *match, const void *key) {
    if (map->now.size == 0) {
        return NULL;
    }
    struct map_node *node = *bucket_of(map, hash);
    while (node && (node->hash != hash || !match(node, key))) {
        node = node->next;
    }
    return node;
}

int map_insert(struct map *map, struct map_node *node, uint64_t hash) {
    if (map->now.size == 0 && open_first(map)) {
        return ERR_NOMEM;
    }
    node->hash = hash;
    push(map, node);
    map->count++;
    adjust(map);
    return 0;
}

void map_remove(struct map *map, struct map_node *node) {
    struct map_node **link = bucket_of(map, node->hash);
    while (*link != node) {
        link = &(*link)->next;
    }
    *link = node->next;
    map->count--;
    adjust(map);
}

static void visit_bucket(struct map_node *node, map_visit *visit, void *ctx) {
    while (node) {
        struct map_node *next = node->next;
        visit(ctx, node);
        node = next;
    }
}

// All nodes whose hash ends in these bits, in either table.
static void visit_class(struct map *map, size_t class, size_t size, map_visit *visit, void *ctx) {
    for (size_t i = class; i < map->old.size; i += size) {
        if (i >= map->moved) {
            visit_bucket(map->old.buckets[i], visit, ctx);
        }
    }
    for (size_t i = class; i < map->now.size; i += size) {
        if (map->old.size == 0 || (i & (map->old.size - 1)) < map->moved) {
            visit_bucket(map->now.buckets[i], visit, ctx);
        }
    }
}

// Counts from the highest bit down, so that places which were passed stay passed when the tables
// become longer: their new halves are passed as well. 0 after the last.
static size_t next_place(size_t place, size_t size) {
    size_t bit = size / 2;
    while (bit && (place & bit)) {
        place ^= bit;
        bit /= 2;
    }
    return place | bit;
}

bool map_walk(struct map *map, size_t *place, size_t buckets, map_visit *visit, void *ctx) {
    bool two = map->old.size != 0 && map->old.size < map->now.size;
    size_t size = two ? map->old.size : map->now.size;
    bool more = size != 0;
    map->walking = true;
    while (more && buckets--) {
        *place &= size - 1; // it was a longer table when the walk began
        visit_class(map, *place, size, visit, ctx);
        *place = next_place(*place, size);
        more = *place != 0;
    }
    map->walking = false;
    return more;
}
