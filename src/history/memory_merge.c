// A k-way merge on a heap. One comparison serves both directions: going backward, the keys are the
// ids with every bit flipped, and the smallest key is the highest id.
#include "history/memory_merge.h"

#include "history/memory_purge.h"

bool memory_merge_serves(const struct selection *selection) {
    return !selection->has_pattern && selection->count <= MERGE_MAX;
}

static event_id key_of(const struct memory_merge *merge, const struct merge_head *head) {
    event_id id = memory_topic_frame(head->topic, head->at)->id;
    return merge->backward ? ~id : id;
}

static void add_topic(struct memory_merge *merge, const struct memory_topic *topic, event_id from) {
    uint32_t above = memory_topic_seek(topic, from), first = memory_purge_first(topic);
    above = above < first && !merge->backward ? first : above;
    if (merge->backward ? above <= first : above == topic->frames.count) {
        return;
    }
    struct merge_head *head = &merge->heads[merge->heap.count];
    *head = (struct merge_head){
        .topic = topic, .first = first, .at = merge->backward ? above - 1 : above};
    heap_push(&merge->heap, key_of(merge, head), merge->heap.count);
}

void memory_merge_init(struct memory_merge *merge, const struct memory_topics *topics,
                       const struct selection *selection, event_id from, bool backward) {
    merge->backward = backward;
    heap_init(&merge->heap, merge->entries);
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct memory_topic *topic = memory_topics_find(topics, &selection->items[i].name);
        if (topic) {
            add_topic(merge, topic, from);
        }
    }
}

struct frame *memory_merge_peek(const struct memory_merge *merge) {
    if (merge->heap.count == 0) {
        return NULL;
    }
    const struct merge_head *next = &merge->heads[merge->entries[0].item];
    return memory_topic_frame(next->topic, next->at);
}

static void advance(struct memory_merge *merge) {
    struct merge_head *head = &merge->heads[merge->entries[0].item];
    if (head->at == (merge->backward ? head->first : head->topic->frames.count - 1)) {
        heap_pop(&merge->heap);
    } else {
        head->at = merge->backward ? head->at - 1 : head->at + 1;
        heap_rekey(&merge->heap, key_of(merge, head));
    }
}

void memory_merge_skip(struct memory_merge *merge) {
    event_id key = merge->entries[0].key;
    while (merge->heap.count && merge->entries[0].key == key) {
        advance(merge);
    }
}
