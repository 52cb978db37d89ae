// Two maps over the same entries. In each, the oldest entry of a key stands in the map and the
// others queue behind it, so that an id used a million times is one node in a bucket and not a
// chain of a million: whatever publishers bring, adding and removing are constant time.
#include "history/memory_own_ids.h"

#include "base/error.h"
#include "history/memory_purge.h"

// Matches of one pattern against one topic that a search may take.
enum { SEARCH_MATCHES = 4096 };

struct own_place {
    struct map_node node; // in the map while it is the oldest of its key
    struct list same;     // a ring, without a head, of all that have the key
};

struct own_id {
    struct own_place in_topic, anywhere;
    struct frame *frame;
    const struct memory_topic *topic;
};

struct own_key {
    struct bytes text;
    const struct memory_topic *topic;
};

void memory_own_ids_init(struct memory_own_ids *ids, const struct mem *mem,
                         const struct hash_key *key) {
    *ids = (struct memory_own_ids){.mem = mem, .key = *key};
    map_init(&ids->by_topic, mem);
    map_init(&ids->by_text, mem);
}

void memory_own_ids_finish(struct memory_own_ids *ids) {
    map_finish(&ids->by_topic);
    map_finish(&ids->by_text);
}

static const struct own_id *of_topic_node(const struct map_node *node) {
    return (const struct own_id *)(const void *)((const char *)node -
                                                 offsetof(struct own_id, in_topic.node));
}

static const struct own_id *of_text_node(const struct map_node *node) {
    return (const struct own_id *)(const void *)((const char *)node -
                                                 offsetof(struct own_id, anywhere.node));
}

static bool same_in_topic(const struct map_node *node, const void *key) {
    const struct own_id *own = of_topic_node(node);
    const struct own_key *wanted = key;
    return own->topic == wanted->topic && bytes_equal(frame_own_id(own->frame), wanted->text);
}

static bool same_anywhere(const struct map_node *node, const void *key) {
    const struct own_key *wanted = key;
    return bytes_equal(frame_own_id(of_text_node(node)->frame), wanted->text);
}

static uint64_t text_hash(const struct memory_own_ids *ids, struct bytes text) {
    return hash_bytes(&ids->key, text.at, text.len);
}

static int enter(struct map *map, struct own_place *place, uint64_t hash, map_match *match,
                 const struct own_key *key) {
    list_init(&place->same);
    place->node.hash = hash;
    struct map_node *oldest = map_find(map, hash, match, key);
    if (!oldest) {
        return map_insert(map, &place->node, hash);
    }
    list_push_back(&container_of(oldest, struct own_place, node)->same, &place->same);
    return 0;
}

static void leave(struct map *map, struct own_place *place, bool oldest) {
    struct list *next = place->same.next;
    list_remove(&place->same);
    if (!oldest) {
        return;
    }
    map_remove(map, &place->node);
    if (next != &place->same) {
        // Cannot fail: the map has its table.
        (void)map_insert(map, &container_of(next, struct own_place, same)->node, place->node.hash);
    }
}

void memory_own_ids_add(struct memory_own_ids *ids, const struct memory_topic *topic,
                        struct frame *frame) {
    struct own_key key = {.text = frame_own_id(frame), .topic = topic};
    if (key.text.len == 0) {
        return;
    }
    struct own_id *own = mem_new(ids->mem, sizeof(*own));
    if (!own) {
        return;
    }
    own->frame = frame;
    own->topic = topic;
    uint64_t hash = text_hash(ids, key.text);
    if (enter(&ids->by_text, &own->anywhere, hash, same_anywhere, &key)) {
        mem_free(ids->mem, own);
        return;
    }
    if (enter(&ids->by_topic, &own->in_topic, hash ^ topic->node.hash, same_in_topic, &key)) {
        leave(&ids->by_text, &own->anywhere,
              map_find(&ids->by_text, hash, same_anywhere, &key) == &own->anywhere.node);
        mem_free(ids->mem, own);
    }
}

static const struct own_id *oldest_in_topic(const struct memory_own_ids *ids,
                                            const struct own_key *key) {
    uint64_t hash = text_hash(ids, key->text) ^ key->topic->node.hash;
    const struct map_node *node = map_find(&ids->by_topic, hash, same_in_topic, key);
    return node ? of_topic_node(node) : NULL;
}

void memory_own_ids_remove(struct memory_own_ids *ids, const struct memory_topic *topic,
                           const struct frame *frame) {
    struct own_key key = {.text = frame_own_id(frame), .topic = topic};
    if (key.text.len == 0) {
        return;
    }
    uint64_t hash = text_hash(ids, key.text);
    struct map_node *node = map_find(&ids->by_topic, hash ^ topic->node.hash, same_in_topic, &key);
    if (!node || of_topic_node(node)->frame != frame) {
        return; // it was not indexed: there was no memory
    }
    struct own_id *own = container_of(node, struct own_id, in_topic.node);
    leave(&ids->by_topic, &own->in_topic, true);
    leave(&ids->by_text, &own->anywhere,
          map_find(&ids->by_text, hash, same_anywhere, &key) == &own->anywhere.node);
    mem_free(ids->mem, own);
}

static bool is_shown(const struct own_id *own) {
    return !own->topic->purge || own->frame->id > own->topic->purge->upto;
}

int memory_own_ids_find(const struct memory_own_ids *ids, const struct memory_topic *topic,
                        struct bytes own_id, bool privy, event_id *at) {
    struct own_key key = {.text = own_id, .topic = topic};
    const struct own_id *first = oldest_in_topic(ids, &key), *own = first;
    for (uint32_t hidden = 0; own && hidden < SEARCH_MATCHES; hidden++) {
        if (is_shown(own) && (privy || !own->frame->private)) {
            *at = own->frame->id;
            return 0;
        }
        own = container_of(own->in_topic.same.next, struct own_id, in_topic.same);
        own = own == first ? NULL : own;
    }
    return ERR_NOT_FOUND;
}

int memory_own_ids_search(const struct memory_own_ids *ids, const struct selection *selection,
                          struct bytes own_id, event_id *at) {
    struct own_key key = {.text = own_id};
    const struct map_node *node =
        map_find(&ids->by_text, text_hash(ids, own_id), same_anywhere, &key);
    const struct own_id *first = node ? of_text_node(node) : NULL, *own = first;
    for (uint32_t matches = 0; own && matches < SEARCH_MATCHES; matches += selection->count) {
        struct topic_name name = {.text = memory_topic_name(own->topic),
                                  .hash = own->topic->node.hash};
        if (is_shown(own) && selection_names(selection, &name, own->frame->private)) {
            *at = own->frame->id;
            return 0;
        }
        own = container_of(own->anywhere.same.next, struct own_id, anywhere.same);
        own = own == first ? NULL : own;
    }
    return ERR_NOT_FOUND;
}
