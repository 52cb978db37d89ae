// Counting. The entry of a key comes with the first that it holds and goes with the last.
#include "auth/quota.h"

#include "base/error.h"
#include "base/list.h"

void quota_init(struct quota *quota, const struct mem *mem, uint64_t most) {
    quota->mem = mem;
    atomic_init(&quota->most, most);
    for (size_t i = 0; i < QUOTA_PARTS; i++) {
        pthread_mutex_init(&quota->parts[i].lock, NULL);
        map_init(&quota->parts[i].map, mem);
    }
}

void quota_limit(struct quota *quota, uint64_t most) {
    atomic_store(&quota->most, most);
}

void quota_finish(struct quota *quota) {
    for (size_t i = 0; i < QUOTA_PARTS; i++) {
        map_finish(&quota->parts[i].map);
        pthread_mutex_destroy(&quota->parts[i].lock);
    }
}

// By the bits at the top: the map takes those at the bottom.
static struct quota_part *part_of(struct quota *quota, uint64_t key) {
    return &quota->parts[key >> 60];
}

static struct quota_entry *entry_of(struct map_node *node) {
    return container_of(node, struct quota_entry, node);
}

static bool same_key(const struct map_node *node, const void *key) {
    return node->hash == *(const uint64_t *)key;
}

static int open_entry(struct quota *quota, struct map *map, uint64_t key,
                      struct quota_entry **entry) {
    struct quota_entry *fresh = mem_new(quota->mem, sizeof(*fresh));
    if (!fresh) {
        return ERR_NOMEM;
    }
    int rc = map_insert(map, &fresh->node, key);
    if (rc) {
        mem_free(quota->mem, fresh);
        return rc;
    }
    fresh->held = 1;
    *entry = fresh;
    return 0;
}

static int take(struct quota *quota, struct map *map, uint64_t key, uint64_t most,
                struct quota_entry **entry) {
    struct map_node *node = map_find(map, key, same_key, &key);
    if (!node) {
        return open_entry(quota, map, key, entry);
    }
    if (entry_of(node)->held >= most) {
        return ERR_TOO_LARGE;
    }
    *entry = entry_of(node);
    (*entry)->held++;
    return 0;
}

int quota_take(struct quota *quota, uint64_t key, struct quota_entry **entry) {
    *entry = NULL;
    uint64_t most = atomic_load_explicit(&quota->most, memory_order_relaxed);
    if (most == 0) {
        return 0;
    }
    struct quota_part *part = part_of(quota, key);
    pthread_mutex_lock(&part->lock);
    int rc = take(quota, &part->map, key, most, entry);
    pthread_mutex_unlock(&part->lock);
    return rc;
}

void quota_give(struct quota *quota, struct quota_entry **entry) {
    struct quota_entry *held = *entry;
    *entry = NULL;
    if (!held) {
        return;
    }
    struct quota_part *part = part_of(quota, held->node.hash);
    pthread_mutex_lock(&part->lock);
    bool last = --held->held == 0;
    if (last) {
        map_remove(&part->map, &held->node);
    }
    pthread_mutex_unlock(&part->lock);
    if (last) {
        mem_free(quota->mem, held);
    }
}

size_t quota_keys(struct quota *quota) {
    size_t keys = 0;
    for (size_t i = 0; i < QUOTA_PARTS; i++) {
        pthread_mutex_lock(&quota->parts[i].lock);
        keys += quota->parts[i].map.count;
        pthread_mutex_unlock(&quota->parts[i].lock);
    }
    return keys;
}
