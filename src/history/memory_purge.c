// The policy: what a purge does under the lock at once is bounded (PURGE_AT_ONCE drops), whatever the
// topic holds; readers skip the rest until appends and expire() have dropped it. A topic has no
// second list for what is to go: a place in its queue is enough.
#include "history/memory_purge.h"

#include "base/error.h"
#include "history/memory.h"

enum { PURGE_AT_ONCE = 1024 };

uint32_t memory_purge_first(const struct memory_topic *topic) {
    return topic->purge ? memory_topic_seek(topic, topic->purge->upto) : 0;
}

uint64_t memory_purge_bytes_left(const struct memory_topic *topic) {
    return topic->purge ? topic->bytes - topic->purge->bytes : topic->bytes;
}

static void forget(struct memory *memory, struct memory_purge *purge) {
    list_remove(&purge->link);
    purge->topic->purge = NULL;
    mem_free(memory->mem, purge);
}

void memory_purge_note_drop(struct memory *memory, struct memory_topic *topic) {
    struct memory_purge *purge = topic->purge;
    if (!purge) {
        return;
    }
    purge->bytes -= frame_cost(memory_topic_frame(topic, 0));
    if (memory_topic_ends(topic) || memory_topic_frame(topic, 1)->id > purge->upto) {
        forget(memory, purge);
    }
}

bool memory_purge_shows(const struct memory *memory, const struct frame *frame) {
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        const struct memory_topic *topic = memory_topics_find(&memory->topics, &name);
        uint32_t place = topic ? memory_topic_seek(topic, frame->id) : 0;
        if (place && memory_topic_frame(topic, place - 1) == frame &&
            !(topic->purge && frame->id <= topic->purge->upto)) {
            return true;
        }
    }
    return false;
}

bool memory_purge_some(struct memory *memory, size_t portion) {
    while (portion && !list_empty(&memory->purges)) {
        struct memory_purge *purge = container_of(memory->purges.next, struct memory_purge, link);
        memory_drop_oldest_of(memory, purge->topic, &memory->dropped.dropped_purge);
        portion--;
    }
    return !list_empty(&memory->purges);
}

static int begin(struct memory *memory, struct memory_topic *topic) {
    if (!topic->purge) {
        topic->purge = mem_new(memory->mem, sizeof(*topic->purge));
        if (!topic->purge) {
            return ERR_NOMEM;
        }
        topic->purge->topic = topic;
        list_push_back(&memory->purges, &topic->purge->link);
    }
    topic->purge->upto = memory_topic_frame(topic, topic->frames.count - 1)->id;
    topic->purge->bytes = topic->bytes;
    memory_topics_raise(&memory->topics, topic, topic->purge->upto);
    return 0;
}

uint64_t memory_purged(const struct history *history) {
    (void)history;
    return UINT64_MAX;
}

int memory_purge(struct history *history, const struct topic_name *name, uint64_t *number) {
    *number = 0;
    struct memory *memory = memory_of(history);
    pthread_mutex_lock(&memory->lock);
    struct memory_topic *topic = memory_topics_find(&memory->topics, name);
    int rc = topic && memory_purge_first(topic) < topic->frames.count ? begin(memory, topic)
                                                                      : ERR_NOT_FOUND;
    if (rc == 0) {
        (void)memory_purge_some(memory, PURGE_AT_ONCE);
    }
    pthread_mutex_unlock(&memory->lock);
    return rc;
}
