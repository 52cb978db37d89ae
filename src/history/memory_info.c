// What the metrics and the console ask: totals, one topic, all topics in portions. Visitors run
// under the lock, so that no name has to be copied; a portion is as long as its caller dares to
// hold it.
#include "history/memory.h"

#include "history/memory_purge.h"

struct visitor {
    history_visit *visit;
    void *ctx;
    bool ended;
};

void memory_stats(struct history *history, struct history_stats *out) {
    struct memory *memory = memory_of(history);
    pthread_mutex_lock(&memory->lock);
    *out = memory->dropped;
    out->events = memory->log.events;
    out->bytes = memory->frame_bytes + memory->topics.bytes;
    out->topics = memory->topics.map.count;
    pthread_mutex_unlock(&memory->lock);
}

// Whether any of it can be seen.
static bool is_shown(const struct memory_topic *topic) {
    return memory_purge_first(topic) < topic->frames.count;
}

static struct history_topic describe(const struct memory_topic *topic) {
    uint32_t first = memory_purge_first(topic);
    return (struct history_topic){
        .name = memory_topic_name(topic),
        .events = topic->frames.count - first,
        .bytes = memory_purge_bytes_left(topic),
        .oldest = memory_topic_frame(topic, first)->id,
        .newest = memory_topic_frame(topic, topic->frames.count - 1)->id,
    };
}

static void visit_node(void *ctx, struct map_node *node) {
    struct visitor *visitor = ctx;
    const struct memory_topic *topic = container_of(node, struct memory_topic, node);
    if (!visitor->ended && is_shown(topic)) {
        struct history_topic described = describe(topic);
        visitor->ended = !visitor->visit(visitor->ctx, &described);
    }
}

bool memory_walk(struct history *history, struct history_walk *walk, size_t portion,
                 history_visit *visit, void *ctx) {
    struct memory *memory = memory_of(history);
    struct visitor visitor = {.visit = visit, .ctx = ctx};
    pthread_mutex_lock(&memory->lock);
    bool more = map_walk(&memory->topics.map, &walk->place, portion, visit_node, &visitor);
    pthread_mutex_unlock(&memory->lock);
    return more && !visitor.ended;
}

bool memory_topic_info(struct history *history, const struct topic_name *name,
                       struct history_topic *out) {
    struct memory *memory = memory_of(history);
    pthread_mutex_lock(&memory->lock);
    const struct memory_topic *topic = memory_topics_find(&memory->topics, name);
    bool shown = topic && is_shown(topic);
    if (shown) {
        *out = describe(topic);
        out->name = name->text; // the topic's own may be gone when this returns
    }
    pthread_mutex_unlock(&memory->lock);
    return shown;
}
