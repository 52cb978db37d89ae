// A count for each name. Everyone has the same time to come back, so those that are leaving stand in the
// order in which their time comes.
#include "server/presence.h"

#include "base/error.h"

struct held {
    struct map_node node;
    struct list link; // among those leaving, while `holds` is 0
    int64_t due;
    unsigned holds;
    unsigned len;
    char name[];
};

void presence_init(struct presence *presence, const struct mem *mem, const struct hash_key *key,
                   int64_t grace_ms) {
    *presence = (struct presence){.mem = mem, .key = *key, .grace_ms = grace_ms};
    map_init(&presence->topics, mem);
    list_init(&presence->leaving);
}

// Somebody is there again, or it is forgotten.
static void stop_leaving(struct presence *presence, struct held *held) {
    presence->leaving_count -= !list_empty(&held->link);
    list_remove(&held->link);
}

static void held_destroy(struct presence *presence, struct held *held) {
    stop_leaving(presence, held);
    map_remove(&presence->topics, &held->node);
    mem_free(presence->mem, held);
}

static void drop(void *ctx, struct map_node *node) {
    held_destroy(ctx, container_of(node, struct held, node));
}

void presence_finish(struct presence *presence) {
    size_t place = 0;
    while (map_walk(&presence->topics, &place, 256, drop, presence)) {
    }
    map_finish(&presence->topics);
}

static bool same_name(const struct map_node *node, const void *name) {
    const struct held *held = container_of(node, struct held, node);
    return bytes_equal(bytes_make(held->name, held->len), *(const struct bytes *)name);
}

static struct held *find(const struct presence *presence, struct bytes name, uint64_t hash) {
    struct map_node *node = map_find(&presence->topics, hash, same_name, &name);
    return node ? container_of(node, struct held, node) : NULL;
}

int presence_enter(struct presence *presence, struct bytes name) {
    uint64_t hash = hash_bytes(&presence->key, name.at, name.len);
    struct held *held = find(presence, name, hash);
    if (held) {
        held->holds++;
        stop_leaving(presence, held);
        return 0;
    }
    held = mem_new(presence->mem, sizeof(*held) + name.len);
    if (!held) {
        return ERR_NOMEM;
    }
    held->holds = 1;
    held->len = (unsigned)name.len;
    memcpy(held->name, name.at, name.len);
    list_init(&held->link);
    if (map_insert(&presence->topics, &held->node, hash)) {
        mem_free(presence->mem, held);
        return ERR_NOMEM;
    }
    return 1;
}

void presence_leave(struct presence *presence, struct bytes name, int64_t now) {
    struct held *held = find(presence, name, hash_bytes(&presence->key, name.at, name.len));
    if (held && held->holds && --held->holds == 0) {
        held->due = now + presence->grace_ms;
        list_push_back(&presence->leaving, &held->link);
        presence->leaving_count++;
    }
}

int64_t presence_next(const struct presence *presence) {
    if (list_empty(&presence->leaving)) {
        return INT64_MAX;
    }
    return presence->leaving_count > PRESENCE_LEAVING_MAX
               ? INT64_MIN
               : container_of(presence->leaving.next, struct held, link)->due;
}

int presence_gone(struct presence *presence, int64_t now, struct buf *name) {
    if (presence_next(presence) > now) {
        return 0;
    }
    struct held *held = container_of(presence->leaving.next, struct held, link);
    if (buf_append(name, held->name, held->len)) {
        return ERR_NOMEM;
    }
    held_destroy(presence, held);
    return 1;
}
