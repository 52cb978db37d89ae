// The map: chained buckets in two tables, the old one emptied a little with every change.
#include "base/map.h"

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

static struct map_node **bucket_of(const struct map_table *table, uint64_t hash) {
    return &table->buckets[hash & (table->size - 1)];
}

static void push(struct map_table *table, struct map_node *node) {
    struct map_node **bucket = bucket_of(table, node->hash);
    node->next = *bucket;
    *bucket = node;
}

static void move_some(struct map *map, size_t buckets) {
    while (map->old.size && buckets--) {
        struct map_node *node = map->old.buckets[map->moved];
        map->old.buckets[map->moved] = NULL;
        while (node) {
            struct map_node *next = node->next;
            push(&map->now, node);
            node = next;
        }
        if (++map->moved == map->old.size) {
            mem_free(map->mem, map->old.buckets);
            map->old = (struct map_table){0};
        }
    }
}

static int resize(struct map *map, size_t size) {
    struct map_node **buckets = mem_new(map->mem, size * sizeof(*buckets));
    if (!buckets) {
        return ERR_NOMEM;
    }
    map->old = map->now;
    map->now = (struct map_table){.buckets = buckets, .size = size};
    map->moved = 0;
    return 0;
}

static void adjust(struct map *map) {
    if (map->walking) {
        return;
    }
    if (map->old.size) {
        move_some(map, MOVE_PER_CHANGE);
    } else if (map->count > map->now.size) {
        (void)resize(map, map->now.size * 2);
    } else if (map->now.size > FIRST_SIZE && map->count < map->now.size / 4) {
        (void)resize(map, map->now.size / 2);
    }
}

static struct map_node *find_in(const struct map_table *table, uint64_t hash, map_match *match,
                                const void *key) {
    if (table->size == 0) {
        return NULL;
    }
    struct map_node *node = *bucket_of(table, hash);
    while (node && (node->hash != hash || !match(node, key))) {
        node = node->next;
    }
    return node;
}

struct map_node *map_find(const struct map *map, uint64_t hash, map_match *match, const void *key) {
    struct map_node *node = find_in(&map->now, hash, match, key);
    return node ? node : find_in(&map->old, hash, match, key);
}

int map_insert(struct map *map, struct map_node *node, uint64_t hash) {
    if (map->now.size == 0 && resize(map, FIRST_SIZE)) {
        return ERR_NOMEM;
    }
    node->hash = hash;
    push(&map->now, node);
    map->count++;
    adjust(map);
    return 0;
}

static bool remove_from(struct map_table *table, struct map_node *node) {
    if (table->size == 0) {
        return false;
    }
    struct map_node **link = bucket_of(table, node->hash);
    while (*link && *link != node) {
        link = &(*link)->next;
    }
    if (!*link) {
        return false;
    }
    *link = node->next;
    return true;
}

void map_remove(struct map *map, struct map_node *node) {
    if (remove_from(&map->now, node) || remove_from(&map->old, node)) {
        map->count--;
        adjust(map);
    }
}

static void visit_bucket(struct map_node *node, map_visit *visit, void *ctx) {
    while (node) {
        struct map_node *next = node->next;
        visit(ctx, node);
        node = next;
    }
}

bool map_walk(struct map *map, size_t *place, size_t buckets, map_visit *visit, void *ctx) {
    // One table makes one numbering of the buckets; a walk is rare enough to pay for the rest of
    // it.
    move_some(map, map->old.size);
    map->walking = true;
    while (*place < map->now.size && buckets--) {
        visit_bucket(map->now.buckets[(*place)++], visit, ctx);
    }
    map->walking = false;
    return *place < map->now.size;
}
