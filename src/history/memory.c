// The writers' half: appending and dropping. The policy: an event is held by every one of its
// topics that keep such events or by none, limits push out the oldest, and whatever goes, or never
// came in, raises the floors, so that a reader who missed it is told. What would not fit alone
// pushes nothing out: it is dropped.
#include "history/memory.h"

#include "base/error.h"
#include "history/memory_age.h"
#include "history/memory_change.h"
#include "history/memory_purge.h"

enum {
    PLACE_COST = 32,       // an event in the log, and the allocator's own for the frame
    TOPIC_PLACE_COST = 16, // an event in one topic
    EXPIRE_PORTION = 1024, // events an expire() looks at
    EXPIRE_PER_APPEND = 4, // for each age: it holds under load, whenever expire() comes
    EXPIRE_PER_APPEND_MAX = 64,
    PURGE_PER_APPEND = 16,
};

// The topics that hold a new event, each once.
struct holding {
    struct memory_topic *topics[FRAME_TOPICS_MAX];
    size_t count;
    uint64_t *refusal; // why one of its topics does not hold it; NULL when all do
};

uint64_t memory_charge(const struct frame *frame) {
    uint64_t a_topic =
        TOPIC_PLACE_COST + (frame->own_id_len ? OWN_ID_COST : 0) + (frame->key_len ? KEY_COST : 0);
    return frame_cost(frame) + PLACE_COST + frame->topic_count * a_topic;
}

static void release(struct memory *memory, struct frame *frame, uint64_t *reason) {
    memory->frame_bytes -= memory_charge(frame);
    (*reason)++;
    frame_unref(frame);
}

static void leave_topic(struct memory *memory, struct memory_topic *topic) {
    struct frame *frame = memory_topic_frame(topic, 0);
    memory_own_ids_remove(&memory->own_ids, topic, frame);
    bool value = memory_keys_remove(&memory->keys, topic, frame);
    memory_purge_note_drop(memory, topic);
    memory_topics_drop(&memory->topics, topic, value);
}

void memory_drop_oldest_of(struct memory *memory, struct memory_topic *topic, uint64_t *reason) {
    event_id id = memory_topic_frame(topic, 0)->id;
    leave_topic(memory, topic);
    struct frame *frame = memory_log_let_go(&memory->log, id);
    if (frame) {
        release(memory, frame, reason);
    }
}

// The oldest event of all is the oldest of every topic that still has it.
static void drop_oldest(struct memory *memory, uint64_t *reason) {
    struct frame *frame = memory_log_pop(&memory->log);
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        struct memory_topic *topic = memory_topics_find(&memory->topics, &name);
        if (topic && memory_topic_frame(topic, 0) == frame) {
            leave_topic(memory, topic);
        }
    }
    release(memory, frame, reason);
}

static void tidy_some(struct memory *memory, int64_t now) {
    size_t portion = EXPIRE_PER_APPEND * memory->rules.age_count;
    portion = portion < EXPIRE_PER_APPEND_MAX ? portion : EXPIRE_PER_APPEND_MAX;
    (void)memory_age_some(memory, now, portion);
    (void)memory_purge_some(memory, PURGE_PER_APPEND);
}

// Why no topic can hold the event; NULL when one could.
static uint64_t *refusal(struct memory *memory, const struct frame *frame) {
    if (frame->topic_count == 0) {
        return &memory->dropped.dropped_count;
    }
    bool fits = memory_charge(frame) <= memory->rules.limits.bytes;
    return fits ? NULL : &memory->dropped.dropped_budget;
}

static const struct topic_limits *limits_of(struct memory *memory, const struct topic_name *name) {
    const struct memory_topic *topic =
        memory->rules.limits.rule_count ? memory_topics_find(&memory->topics, name) : NULL;
    return topic ? topic->limits : memory_rules_of(&memory->rules, name);
}

static uint64_t *refusal_by(struct memory *memory, const struct topic_limits *limits,
                            const struct frame *frame) {
    if (limits->count == 0) {
        return &memory->dropped.dropped_count;
    }
    bool fits = !limits->bytes || frame_cost(frame) <= limits->bytes;
    return fits ? NULL : &memory->dropped.dropped_bytes;
}

static void miss(struct memory *memory, const struct frame *frame, uint64_t *reason) {
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        memory_topics_miss(&memory->topics, &name, frame);
    }
    (*reason)++;
}

static bool holds(const struct memory *memory, const struct topic_name *name,
                  const struct frame *frame) {
    const struct memory_topic *topic = memory_topics_find(&memory->topics, name);
    return topic && memory_topic_frame(topic, topic->frames.count - 1) == frame;
}

static int enter_topics(struct memory *memory, struct frame *frame, struct holding *holding) {
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        const struct topic_limits *limits = limits_of(memory, &name);
        uint64_t *refused = refusal_by(memory, limits, frame);
        if (refused) {
            memory_topics_miss(&memory->topics, &name, frame);
            holding->refusal = refused;
            continue;
        }
        if (i && holds(memory, &name, frame)) {
            continue; // a publisher named it twice
        }
        struct memory_topic *topic = memory_topics_push(&memory->topics, &name, limits, frame);
        if (!topic) {
            return ERR_NOMEM;
        }
        holding->topics[holding->count++] = topic;
    }
    return 0;
}

// What can fail comes first, so that there is little to take back.
static int hold(struct memory *memory, struct frame *frame, struct holding *holding) {
    if (memory_log_reserve(&memory->log)) {
        return ERR_NOMEM;
    }
    if (enter_topics(memory, frame, holding)) {
        while (holding->count) {
            memory_topics_unpush(&memory->topics, holding->topics[--holding->count]);
        }
        return ERR_NOMEM;
    }
    if (holding->count == 0) {
        (*holding->refusal)++;
        return 0;
    }
    memory_log_push(&memory->log, frame, holding->count);
    memory->frame_bytes += memory_charge(frame);
    for (size_t i = 0; i < holding->count; i++) {
        memory_own_ids_add(&memory->own_ids, holding->topics[i], frame);
        memory_keys_add(&memory->keys, holding->topics[i], frame);
    }
    return 0;
}

static void trim(struct memory *memory, const struct holding *holding) {
    uint64_t budget = memory->rules.limits.bytes;
    for (size_t i = 0; i < holding->count; i++) {
        // The new event fits alone, so the topic outlives both loops.
        struct memory_topic *topic = holding->topics[i];
        const struct topic_limits *limits = topic->limits;
        while (topic->frames.count > limits->count) {
            memory_drop_oldest_of(memory, topic, &memory->dropped.dropped_count);
        }
        while (limits->bytes && topic->bytes > limits->bytes) {
            memory_drop_oldest_of(memory, topic, &memory->dropped.dropped_bytes);
        }
    }
    while (memory->log.events && memory->frame_bytes + memory->topics.bytes > budget) {
        drop_oldest(memory, &memory->dropped.dropped_budget);
    }
}

static void append(struct history *history, struct frame *frame, int64_t now) {
    struct memory *memory = memory_of(history);
    struct holding holding = {.count = 0};
    if (frame->private) {
        atomic_store_explicit(&memory->privates, true, memory_order_relaxed);
    }
    pthread_mutex_lock(&memory->lock);
    tidy_some(memory, now);
    uint64_t *reason = refusal(memory, frame);
    if (!reason && hold(memory, frame, &holding)) {
        reason = &memory->dropped.dropped_budget;
    }
    if (reason) {
        miss(memory, frame, reason);
    } else {
        trim(memory, &holding);
    }
    pthread_mutex_unlock(&memory->lock);
}

static bool expire(struct history *history, int64_t now) {
    struct memory *memory = memory_of(history);
    pthread_mutex_lock(&memory->lock);
    bool more = memory_age_some(memory, now, EXPIRE_PORTION);
    more |= memory_purge_some(memory, EXPIRE_PORTION);
    more |= memory_change_some(memory, EXPIRE_PORTION);
    pthread_mutex_unlock(&memory->lock);
    return more;
}

static event_id stored(const struct history *history) {
    (void)history;
    return UINT64_MAX;
}

static bool lost(const struct history *history, event_id id) {
    (void)history;
    (void)id;
    return false;
}

static enum history_state state(const struct history *history) {
    (void)history;
    return HISTORY_FINE;
}

// A new process has forgotten everything.
static int recall(struct history *history, event_id after, size_t most, history_recall *visit,
                  void *ctx) {
    (void)history;
    (void)after;
    (void)most;
    (void)visit;
    (void)ctx;
    return 0;
}

static void destroy(struct history *history) {
    struct memory *memory = memory_of(history);
    uint64_t uncounted = 0;
    while (memory->log.events) {
        drop_oldest(memory, &uncounted);
    }
    memory_keys_finish(&memory->keys);
    memory_own_ids_finish(&memory->own_ids);
    memory_topics_finish(&memory->topics);
    memory_log_finish(&memory->log);
    memory_rules_finish(&memory->rules);
    pthread_mutex_destroy(&memory->lock);
    mem_free(memory->mem, memory);
}

int history_memory_create(struct history **out, const struct mem *mem, const struct hash_key *key,
                          const struct history_limits *limits) {
    struct memory *memory = mem_new(mem, sizeof(*memory));
    if (!memory) {
        return ERR_NOMEM;
    }
    if (memory_rules_init(&memory->rules, mem, limits) || pthread_mutex_init(&memory->lock, NULL)) {
        memory_rules_finish(&memory->rules);
        mem_free(mem, memory);
        return ERR_NOMEM;
    }
    memory->history = (struct history){
        .past = {.read = memory_read,
                 .values = memory_values,
                 .last = memory_last,
                 .find = memory_find},
        .append = append,
        .expire = expire,
        .change = memory_change,
        .stats = memory_stats,
        .topics = memory_walk,
        .topic = memory_topic_info,
        .purge = memory_purge,
        .purged = memory_purged,
        .stored = stored,
        .lost = lost,
        .state = state,
        .recall = recall,
        .destroy = destroy,
    };
    memory->mem = mem;
    list_init(&memory->purges);
    memory_log_init(&memory->log, mem);
    memory_floors_init(&memory->floors, key, limits->origin);
    memory_topics_init(&memory->topics, mem, &memory->floors);
    memory_own_ids_init(&memory->own_ids, mem, key);
    memory_keys_init(&memory->keys, mem, key);
    *out = &memory->history;
    return 0;
}
