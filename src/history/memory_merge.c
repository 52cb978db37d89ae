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

static void swap(struct memory_merge *merge, uint32_t a, uint32_t b) {
    struct merge_head head = merge->heads[a];
    merge->heads[a] = merge->heads[b];
    merge->heads[b] = head;
}

static void sift_up(struct memory_merge *merge, uint32_t at) {
    while (at && merge->heads[at].key < merge->heads[(at - 1) / 2].key) {
        swap(merge, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct memory_merge *merge, uint32_t at) {
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->count; child++) {
            least = merge->heads[child].key < merge->heads[least].key ? child : least;
        }
        if (least == at) {
            return;
        }
        swap(merge, at, least);
        at = least;
    }
}

static void add_topic(struct memory_merge *merge, const struct memory_topic *topic, event_id from) {
    uint32_t above = memory_topic_seek(topic, from), first = memory_purge_first(topic);
    above = above < first && !merge->backward ? first : above;
    if (merge->backward ? above <= first : above == topic->frames.count) {
        return;
    }
    struct merge_head *head = &merge->heads[merge->count];
    *head = (struct merge_head){
        .topic = topic, .first = first, .at = merge->backward ? above - 1 : above};
    head->key = key_of(merge, head);
    sift_up(merge, merge->count++);
}

void memory_merge_init(struct memory_merge *merge, const struct memory_topics *topics,
                       const struct selection *selection, event_id from, bool backward) {
    merge->backward = backward;
    merge->count = 0;
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct memory_topic *topic = memory_topics_find(topics, &selection->items[i].name);
        if (topic) {
            add_topic(merge, topic, from);
        }
    }
}

struct frame *memory_merge_peek(const struct memory_merge *merge) {
    const struct merge_head *next = &merge->heads[0];
    return merge->count ? memory_topic_frame(next->topic, next->at) : NULL;
}

static void advance(struct memory_merge *merge) {
    struct merge_head *head = &merge->heads[0];
    if (head->at == (merge->backward ? head->first : head->topic->frames.count - 1)) {
        *head = merge->heads[--merge->count];
    } else {
        head->at = merge->backward ? head->at - 1 : head->at + 1;
        head->key = key_of(merge, head);
    }
    sift_down(merge, 0);
}

void memory_merge_skip(struct memory_merge *merge) {
    event_id key = merge->heads[0].key;
    while (merge->count && merge->heads[0].key == key) {
        advance(merge);
    }
}
