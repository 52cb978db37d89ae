// History as it would be written without a thought for cost: every event that ever was in one
// array, each marked with the topics that still hold it. What it answers is what any history must
// answer.
#ifndef TESTS_HISTORY_MODEL_H
#define TESTS_HISTORY_MODEL_H

#include "past.h"

enum {
    MODEL_EVENTS = 8000,
    MODEL_TOPICS = 12,
    MODEL_OWN_IDS = 40,
    MODEL_TYPES = 3,
    MODEL_KEYS = 6,
};

extern const char *const MODEL_NAMES[MODEL_TOPICS];

struct model_event {
    event_id id;
    uint64_t cost, charge;
    int own;       // 0: none
    int type, key; // likewise
    bool private;
    bool named[MODEL_TOPICS], held[MODEL_TOPICS];
    bool newest[MODEL_TOPICS]; // of its type and key; model_mark says it
};

struct model {
    struct history_limits limits;
    struct model_event events[MODEL_EVENTS];
    size_t first, count; // none before `first` is held
    // Of the events that are private, and of the others.
    event_id type_floors[2][MODEL_TOPICS][MODEL_TYPES];
    event_id purged[MODEL_TOPICS]; // whether private or not: that tells everyone
    event_id dropped[2][MODEL_TOPICS][MODEL_TYPES][MODEL_KEYS + 1]; // the newest, by key
};

// Which topics a question is about. By a pattern, an event answers as long as any topic holds it.
struct model_ask {
    bool topics[MODEL_TOPICS];
    bool privy[MODEL_TOPICS]; // those of them of which private events are heard
    bool pattern;
    unsigned types; // a bit each; 0: all
    bool latest, values;
};

struct model_event *model_add(struct model *model);

// The event that was added last arrives, with its fields set: drops what has to go.
void model_arrive(struct model *model);
void model_expire(struct model *model, int64_t now);
// False when the topic held nothing.
bool model_purge(struct model *model, int topic);

// Marks the newest events, before a question with `latest`.
void model_mark(struct model *model);

// The first event of the topics above `after`; NULL when there is none.
const struct model_event *model_next(const struct model *model, const struct model_ask *ask,
                                     event_id after);
event_id model_floor(const struct model *model, const struct model_ask *ask);
event_id model_last(const struct model *model, const struct model_ask *ask, size_t count,
                    event_id upto);
// 0 when it is not found.
event_id model_find(const struct model *model, const struct model_ask *ask, int own);
uint64_t model_bytes(const struct model *model);
size_t model_held(const struct model *model);

#endif
