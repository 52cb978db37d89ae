// Every topic learns its new limits at once, under the lock, which takes a moment for each topic that is
// held; what is too much then is dropped in portions. Ages begin their sweeps anew.
#include "history/memory_change.h"

#include "base/error.h"

enum { BUCKETS_A_CALL = 1024 };

static void learn(void *ctx, struct map_node *node) {
    struct memory *memory = ctx;
    struct memory_topic *topic = container_of(node, struct memory_topic, node);
    topic->limits = history_limits_of(&memory->rules.limits, memory_topic_name(topic));
}

int memory_change(struct history *history, const struct history_limits *limits) {
    struct memory *memory = memory_of(history);
    struct memory_rules before, *next = mem_alloc(memory->mem, sizeof(*next));
    size_t place = 0;
    if (!next || memory_rules_copy(next, &memory->rules, limits)) {
        mem_free(memory->mem, next);
        return ERR_NOMEM;
    }
    pthread_mutex_lock(&memory->lock);
    before = memory->rules;
    memory->rules = *next;
    (void)map_walk(&memory->topics.map, &place, SIZE_MAX, learn, memory);
    memory->change = (struct memory_changing){.under_way = true};
    pthread_mutex_unlock(&memory->lock);
    memory_rules_finish(&before);
    mem_free(memory->mem, next);
    return 0;
}

static bool is_too_much(const struct memory_topic *topic, uint64_t **reason,
                        struct memory *memory) {
    const struct topic_limits *limits = topic->limits;
    bool count = topic->frames.count > limits->count;
    *reason = count ? &memory->dropped.dropped_count : &memory->dropped.dropped_bytes;
    return count || (limits->bytes && topic->bytes > limits->bytes);
}

static void trim(void *ctx, struct map_node *node) {
    struct memory *memory = ctx;
    struct memory_topic *topic = container_of(node, struct memory_topic, node);
    struct memory_changing *change = &memory->change;
    uint64_t *reason;
    for (bool last = false; !last && is_too_much(topic, &reason, memory);) {
        if (change->left == 0) {
            change->again = true;
            return;
        }
        change->left--;
        last = memory_topic_ends(topic);
        memory_drop_oldest_of(memory, topic, reason);
    }
}

bool memory_change_some(struct memory *memory, size_t portion) {
    struct memory_changing *change = &memory->change;
    if (!change->under_way) {
        return false;
    }
    change->left = portion;
    if (!map_walk(&memory->topics.map, &change->place, BUCKETS_A_CALL, trim, memory)) {
        change->under_way = change->again;
        change->again = false;
        change->place = 0;
    }
    return change->under_way;
}
