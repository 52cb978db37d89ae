// The readers' half: what came after a cursor, where to start, where an id lies. The policy: a
// reader may make itself slow, never the sequencer. Topics are merged under the lock, which costs
// what the answer holds; a pattern has to look at every event, so it takes them from the log in
// small portions and matches them with the lock released, and a call stops after a bounded number
// of them.
#include "history/memory.h"

#include "base/error.h"
#include "history/memory_merge.h"
#include "history/memory_purge.h"

enum {
    PORTION = 256,            // events taken from the log in one hold of the lock
    MERGE_PORTION = 1024,     // steps of a merge that may find nothing in one hold of the lock
    SCAN_EVENTS = 4096,       // events a read() of a pattern looks at
    LOOK_BACK_EVENTS = 65536, // events a last() of a pattern or of several topics looks at
};

struct portion {
    const struct selection *latest; // by whose wish what was replaced is left out, or NULL
    bool values;
    struct frame *frames[PORTION];
    size_t count;
    size_t looked_at; // also at what is out of sight
    event_id last;    // looked at
};

static event_id floor_of(const struct memory *memory, const struct selection *selection) {
    event_id floor = 0;
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct selector *item = &selection->items[i];
        event_id one = memory_topics_floor(&memory->topics, &item->name, item->pattern);
        // Neither is too low. But what is being purged has raised only the first.
        if (memory_floors_is_part(selection) && list_empty(&memory->purges)) {
            event_id part = memory_floors_of_part(&memory->floors, selection, item);
            one = part < one ? part : one;
        }
        event_id hidden = memory_floors_of_private(&memory->floors, selection, item);
        one = one < hidden ? hidden : one;
        floor = floor < one ? one : floor;
    }
    return floor;
}

static bool has_room(const struct past_batch *batch, const struct frame *frame, size_t bytes_left) {
    return batch->count == 0 || (batch->count < PAST_BATCH && frame->size <= bytes_left);
}

static void put(struct past_batch *batch, struct frame *frame, size_t *bytes_left) {
    batch->frames[batch->count++] = frame;
    batch->reached = frame->id;
    *bytes_left -= frame->size < *bytes_left ? frame->size : *bytes_left;
}

// Whether it passes, of a topic of the selection.
static bool is_heard(const struct selection *selection, const struct frame *frame) {
    return selection_passes(selection, frame_type(frame)) &&
           (!frame->private || selection_concerns(selection, frame));
}

// Under the lock: which event is the newest of its key changes with each append.
static bool is_wanted(const struct memory *memory, const struct selection *selection,
                      const struct frame *frame, bool values) {
    return is_heard(selection, frame) &&
           ((!values && !selection->latest) ||
            memory_keys_show(&memory->keys, &memory->topics, selection, frame, values));
}

static void read_topics(struct memory *memory, const struct selection *selection, bool values,
                        event_id upto, size_t bytes_left, struct past_batch *batch) {
    int most = values || selection->latest ? PORTION : MERGE_PORTION;
    struct memory_merge merge;
    pthread_mutex_lock(&memory->lock);
    memory_merge_init(&merge, &memory->topics, selection, batch->reached, false);
    struct frame *frame = memory_merge_peek(&merge);
    // What does not pass costs a step, so steps are counted.
    for (int steps = 0; frame && frame->id <= upto && steps < most; steps++) {
        if (!is_wanted(memory, selection, frame, values)) {
            batch->reached = frame->id;
        } else if (has_room(batch, frame, bytes_left)) {
            put(batch, frame_ref(frame), &bytes_left);
        } else {
            break;
        }
        memory_merge_skip(&merge);
        frame = memory_merge_peek(&merge);
    }
    if (!frame || frame->id > upto) {
        batch->reached = upto;
    }
    batch->floor = floor_of(memory, selection);
    pthread_mutex_unlock(&memory->lock);
}

static void look_at(const struct memory *memory, struct frame *frame, struct portion *portion) {
    portion->looked_at++;
    portion->last = frame->id;
    // Purged events are passed over here, under the lock, and only while there are any.
    bool shows = list_empty(&memory->purges) || memory_purge_shows(memory, frame);
    if (shows && (!portion->latest || memory_keys_show(&memory->keys, &memory->topics,
                                                       portion->latest, frame, portion->values))) {
        portion->frames[portion->count++] = frame_ref(frame);
    }
}

static void take_forward(struct memory *memory, event_id after, event_id upto,
                         struct portion *portion) {
    portion->count = portion->looked_at = 0;
    pthread_mutex_lock(&memory->lock);
    struct log_place place = memory_log_seek(&memory->log, after);
    struct frame *frame = memory_log_next(&memory->log, &place);
    while (frame && frame->id <= upto && portion->looked_at < PORTION) {
        look_at(memory, frame, portion);
        frame = memory_log_next(&memory->log, &place);
    }
    pthread_mutex_unlock(&memory->lock);
}

static void take_backward(struct memory *memory, event_id upto, struct portion *portion) {
    portion->count = portion->looked_at = 0;
    pthread_mutex_lock(&memory->lock);
    struct log_place place = memory_log_seek(&memory->log, upto);
    struct frame *frame = memory_log_prev(&memory->log, &place);
    while (frame && portion->looked_at < PORTION) {
        look_at(memory, frame, portion);
        frame = portion->looked_at < PORTION ? memory_log_prev(&memory->log, &place) : NULL;
    }
    pthread_mutex_unlock(&memory->lock);
}

static void release_from(struct portion *portion, size_t at) {
    while (at < portion->count) {
        frame_unref(portion->frames[at++]);
    }
}

// False when the batch is full.
static bool keep_heard(struct portion *portion, const struct selection *selection,
                       size_t *bytes_left, struct past_batch *batch) {
    for (size_t i = 0; i < portion->count; i++) {
        struct frame *frame = portion->frames[i];
        if (!selection_hears(selection, frame)) {
            batch->reached = frame->id;
            frame_unref(frame);
        } else if (has_room(batch, frame, *bytes_left)) {
            put(batch, frame, bytes_left);
        } else {
            release_from(portion, i);
            return false;
        }
    }
    if (portion->looked_at) {
        batch->reached = portion->last;
    }
    return true;
}

static void read_log(struct memory *memory, const struct selection *selection, bool values,
                     event_id upto, size_t bytes_left, struct past_batch *batch) {
    struct portion portion = {.latest = values || selection->latest ? selection : NULL,
                              .values = values};
    for (size_t looked_at = 0; looked_at < SCAN_EVENTS; looked_at += PORTION) {
        take_forward(memory, batch->reached, upto, &portion);
        if (!keep_heard(&portion, selection, &bytes_left, batch)) {
            break;
        }
        if (portion.looked_at < PORTION) {
            batch->reached = upto;
            break;
        }
    }
    // Last, so that it covers what was dropped while the lock was released in between.
    pthread_mutex_lock(&memory->lock);
    batch->floor = floor_of(memory, selection);
    pthread_mutex_unlock(&memory->lock);
}

static int read_past(struct memory *memory, const struct selection *selection, bool values,
                     event_id after, event_id upto, size_t max_bytes, struct past_batch *batch) {
    batch->count = 0;
    batch->reached = after;
    if (upto < after) {
        upto = after;
    }
    if (memory_merge_serves(selection)) {
        read_topics(memory, selection, values, upto, max_bytes, batch);
    } else {
        read_log(memory, selection, values, upto, max_bytes, batch);
    }
    return 0;
}

int memory_read(struct past *past, const struct selection *selection, event_id after, event_id upto,
                size_t max_bytes, struct past_batch *batch) {
    return read_past(memory_of_past(past), selection, false, after, upto, max_bytes, batch);
}

int memory_values(struct past *past, const struct selection *selection, event_id after,
                  event_id upto, size_t max_bytes, struct past_batch *batch) {
    return read_past(memory_of_past(past), selection, true, after, upto, max_bytes, batch);
}

struct looking_back {
    size_t count;    // still to go
    event_id cursor; // the answer so far
    event_id seen;   // everything above was looked at
};

static size_t step_back(struct memory *memory, const struct selection *selection,
                        struct looking_back *back) {
    struct memory_merge merge;
    size_t steps = 0;
    pthread_mutex_lock(&memory->lock);
    memory_merge_init(&merge, &memory->topics, selection, back->seen, true);
    for (; steps < MERGE_PORTION && back->count && memory_merge_peek(&merge); steps++) {
        const struct frame *frame = memory_merge_peek(&merge);
        back->seen = frame->id - 1;
        if (is_heard(selection, frame)) {
            back->cursor = back->seen;
            back->count--;
        }
        memory_merge_skip(&merge);
    }
    pthread_mutex_unlock(&memory->lock);
    return steps;
}

static event_id last_of_topic(struct memory *memory, const struct topic_name *name, size_t count,
                              event_id upto) {
    event_id cursor = upto;
    pthread_mutex_lock(&memory->lock);
    const struct memory_topic *topic = memory_topics_find(&memory->topics, name);
    uint32_t first = topic ? memory_purge_first(topic) : 0;
    uint32_t above = topic ? memory_topic_seek(topic, upto) : 0;
    if (count && above > first) {
        uint32_t most = above - first;
        cursor = memory_topic_frame(topic, above - (count < most ? (uint32_t)count : most))->id - 1;
    }
    pthread_mutex_unlock(&memory->lock);
    return cursor;
}

static event_id last_of_topics(struct memory *memory, const struct selection *selection,
                               size_t count, event_id upto) {
    struct looking_back back = {.count = count, .cursor = upto, .seen = upto};
    size_t steps = 1;
    for (size_t looked_at = 0; back.count && steps && looked_at < LOOK_BACK_EVENTS;
         looked_at += steps) {
        steps = step_back(memory, selection, &back);
    }
    return back.cursor;
}

static event_id last_of_log(struct memory *memory, const struct selection *selection, size_t count,
                            event_id upto) {
    struct portion portion = {.count = 0};
    event_id cursor = upto, seen = upto;
    for (size_t looked_at = 0; count && looked_at < LOOK_BACK_EVENTS; looked_at += PORTION) {
        take_backward(memory, seen, &portion);
        for (size_t i = 0; i < portion.count; i++) {
            if (count && selection_hears(selection, portion.frames[i])) {
                cursor = portion.frames[i]->id - 1;
                count--;
            }
        }
        release_from(&portion, 0);
        seen = portion.last - 1;
        if (portion.looked_at < PORTION) {
            break;
        }
    }
    return cursor;
}

// Whether every event of its topics is one for it.
static bool hears_all(const struct memory *memory, const struct selection *selection) {
    return selection->type_count == 0 &&
           (!atomic_load_explicit(&memory->privates, memory_order_relaxed) ||
            !selection_hides(selection));
}

event_id memory_last(struct past *past, const struct selection *selection, size_t count,
                     event_id upto) {
    struct memory *memory = memory_of_past(past);
    if (selection->count == 1 && !selection->has_pattern && hears_all(memory, selection)) {
        return last_of_topic(memory, &selection->items[0].name, count, upto);
    }
    return memory_merge_serves(selection) ? last_of_topics(memory, selection, count, upto)
                                          : last_of_log(memory, selection, count, upto);
}

static int find_in_topics(const struct memory *memory, const struct selection *selection,
                          struct bytes own_id, event_id *at) {
    int result = ERR_NOT_FOUND;
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct selector *item = &selection->items[i];
        const struct memory_topic *topic = memory_topics_find(&memory->topics, &item->name);
        event_id one;
        if (topic && memory_own_ids_find(&memory->own_ids, topic, own_id, item->privy, &one) == 0) {
            *at = result == 0 && *at < one ? *at : one;
            result = 0;
        }
    }
    return result;
}

int memory_find(struct past *past, const struct selection *selection, struct bytes own_id,
                event_id *at) {
    struct memory *memory = memory_of_past(past);
    pthread_mutex_lock(&memory->lock);
    int result = selection->has_pattern
                     ? memory_own_ids_search(&memory->own_ids, selection, own_id, at)
                     : find_in_topics(memory, selection, own_id, at);
    pthread_mutex_unlock(&memory->lock);
    return result;
}
