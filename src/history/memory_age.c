// A sweep for each age that the rules name: it goes through the log from the oldest event on, as far
// as its age allows, and takes each event out of those topics that have this age. So an event is
// looked at once for each age that it outlives, nothing is kept for a topic, and any portion of the
// work may be done at any time. What is exact: nothing that is too old is left when there is no more
// to look at.
#include "history/memory_age.h"

#include "history/memory.h"

static struct frame *next_of(const struct memory *memory, const struct memory_age *age) {
    struct frame *oldest = memory_log_oldest(&memory->log);
    if (!oldest || oldest->id > age->reached) {
        return oldest;
    }
    struct log_place place = memory_log_seek(&memory->log, age->reached);
    return memory_log_next(&memory->log, &place);
}

static int64_t due_time(const struct memory_age *age, event_id id) {
    int64_t ms = id_to_ms(id);
    return age->age_ms > INT64_MAX - ms ? INT64_MAX : ms + age->age_ms;
}

// The next event that is too old for this age; NULL when there is none.
static struct frame *too_old(const struct memory *memory, struct memory_age *age, int64_t now) {
    struct frame *frame = now > age->due ? next_of(memory, age) : NULL;
    if (frame) {
        age->due = due_time(age, frame->id);
    }
    return now > age->due ? frame : NULL;
}

static void drop_from_topics(struct memory *memory, const struct memory_age *age,
                             struct frame *frame) {
    frame_ref(frame); // its last topic gives it away
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        struct memory_topic *topic = memory_topics_find(&memory->topics, &name);
        if (topic && topic->limits->age_ms == age->age_ms &&
            memory_topic_frame(topic, 0) == frame) {
            memory_drop_oldest_of(memory, topic, &memory->dropped.dropped_age);
        }
    }
    frame_unref(frame);
}

static bool anything_too_old(struct memory *memory, int64_t now) {
    for (size_t i = 0; i < memory->rules.age_count; i++) {
        if (too_old(memory, &memory->rules.ages[i], now)) {
            return true;
        }
    }
    return false;
}

bool memory_age_some(struct memory *memory, int64_t now, size_t portion) {
    struct memory_rules *rules = &memory->rules;
    // The ages take turns, so that none starves while events come faster than they can be looked at.
    for (size_t idle = 0; portion && idle < rules->age_count; rules->next_age++) {
        struct memory_age *age = &rules->ages[rules->next_age % rules->age_count];
        struct frame *frame = too_old(memory, age, now);
        if (!frame) {
            idle++;
            continue;
        }
        age->reached = frame->id;
        drop_from_topics(memory, age, frame);
        portion--;
        idle = 0;
    }
    return portion == 0 && anything_too_old(memory, now);
}
