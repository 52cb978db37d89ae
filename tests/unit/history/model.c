// Everything by walking everything.
#include "model.h"

#include "history/memory_topics.h"

const char *const MODEL_NAMES[MODEL_TOPICS] = {
    "a",           "b",       "c",       "room/1", "room/2", "room/1/door",
    "room/2/door", "x/y/z/1", "x/y/z/2", "x/y",    "d",      "e",
};

struct model_event *model_add(struct model *model) {
    struct model_event *event = &model->events[model->count++];
    assert_true(model->count <= MODEL_EVENTS);
    *event = (struct model_event){0};
    return event;
}

static bool is_held(const struct model_event *event) {
    for (int i = 0; i < MODEL_TOPICS; i++) {
        if (event->held[i]) {
            return true;
        }
    }
    return false;
}

static void raise_to(event_id *floor, event_id id) {
    *floor = *floor < id ? id : *floor;
}

static void drop(struct model *model, struct model_event *event, int topic) {
    event->held[topic] = false;
    raise_to(&model->type_floors[event->private][topic][event->type], event->id);
    raise_to(&model->dropped[event->private][topic][event->type][event->key], event->id);
}

void model_mark(struct model *model) {
    bool seen[2][MODEL_TOPICS][MODEL_TYPES][MODEL_KEYS + 1] = {{{{false}}}};
    for (size_t i = model->count; i > model->first; i--) {
        struct model_event *event = &model->events[i - 1];
        for (int topic = 0; topic < MODEL_TOPICS; topic++) {
            bool *before = &seen[event->private][topic][event->type][event->key];
            event->newest[topic] = event->held[topic] && !*before;
            *before |= event->held[topic];
        }
    }
}

static void drop_everywhere(struct model *model, struct model_event *event) {
    for (int i = 0; i < MODEL_TOPICS; i++) {
        if (event->held[i]) {
            drop(model, event, i);
        }
    }
}

static void forget_dropped(struct model *model) {
    while (model->first < model->count && !is_held(&model->events[model->first])) {
        model->first++;
    }
}

static struct model_event *oldest_of(struct model *model, int topic, size_t *count,
                                     uint64_t *bytes) {
    struct model_event *oldest = NULL;
    *count = 0;
    *bytes = 0;
    for (size_t i = model->first; i < model->count; i++) {
        struct model_event *event = &model->events[i];
        if (event->held[topic]) {
            oldest = oldest ? oldest : event;
            *bytes += event->cost;
            ++*count;
        }
    }
    return oldest;
}

uint64_t model_bytes(const struct model *model) {
    bool exists[MODEL_TOPICS] = {false};
    uint64_t sum = 0;
    for (size_t i = model->first; i < model->count; i++) {
        sum += is_held(&model->events[i]) ? model->events[i].charge : 0;
        for (int topic = 0; topic < MODEL_TOPICS; topic++) {
            exists[topic] |= model->events[i].held[topic];
        }
    }
    for (int topic = 0; topic < MODEL_TOPICS; topic++) {
        sum += exists[topic] ? memory_topics_cost(strlen(MODEL_NAMES[topic])) : 0;
    }
    return sum;
}

static const struct topic_limits *limits_of(const struct model *model, int topic) {
    return history_limits_of(&model->limits, bytes_of(MODEL_NAMES[topic]));
}

static void trim(struct model *model, int topic) {
    const struct topic_limits *limits = limits_of(model, topic);
    size_t count;
    uint64_t bytes;
    struct model_event *oldest = oldest_of(model, topic, &count, &bytes);
    while (count > limits->count || (limits->bytes && bytes > limits->bytes)) {
        drop(model, oldest, topic);
        oldest = oldest_of(model, topic, &count, &bytes);
    }
}

void model_arrive(struct model *model) {
    const struct history_limits *limits = &model->limits;
    struct model_event *event = &model->events[model->count - 1];
    memcpy(event->held, event->named, sizeof(event->held));
    if (event->charge > limits->bytes) {
        drop_everywhere(model, event);
        forget_dropped(model);
        return;
    }
    for (int topic = 0; topic < MODEL_TOPICS; topic++) {
        const struct topic_limits *own = limits_of(model, topic);
        if (event->held[topic] && (own->count == 0 || (own->bytes && event->cost > own->bytes))) {
            drop(model, event, topic);
        } else if (event->held[topic]) {
            trim(model, topic);
        }
    }
    for (size_t i = model->first; i < model->count && model_bytes(model) > limits->bytes; i++) {
        drop_everywhere(model, &model->events[i]);
    }
    forget_dropped(model);
}

void model_expire(struct model *model, int64_t now) {
    for (int topic = 0; topic < MODEL_TOPICS; topic++) {
        int64_t age_ms = limits_of(model, topic)->age_ms;
        for (size_t i = model->first; age_ms && i < model->count; i++) {
            struct model_event *event = &model->events[i];
            if (event->held[topic] && now - id_to_ms(event->id) > age_ms) {
                drop(model, event, topic);
            }
        }
    }
    forget_dropped(model);
}

bool model_purge(struct model *model, int topic) {
    bool any = false;
    for (size_t i = model->first; i < model->count; i++) {
        if (model->events[i].held[topic]) {
            drop(model, &model->events[i], topic);
            raise_to(&model->purged[topic], model->events[i].id);
            any = true;
        }
    }
    forget_dropped(model);
    return any;
}

static bool reaches(const struct model_event *event, const struct model_ask *ask, int topic) {
    return ask->topics[topic] && (!event->private || ask->privy[topic]);
}

static bool may_hear(const struct model_event *event, const struct model_ask *ask) {
    for (int i = 0; i < MODEL_TOPICS; i++) {
        if (event->named[i] && reaches(event, ask, i)) {
            return true;
        }
    }
    return false;
}

static bool holds(const struct model_event *event, const struct model_ask *ask) {
    for (int i = 0; i < MODEL_TOPICS; i++) {
        if (event->held[i] && ask->topics[i]) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct model_event *event, const struct model_ask *ask) {
    if (ask->types && !(ask->types & 1U << event->type)) {
        return false;
    }
    if (!ask->latest || event->key == 0) {
        return !ask->values;
    }
    bool newest = false;
    for (int i = 0; i < MODEL_TOPICS; i++) {
        newest |= event->newest[i] && reaches(event, ask, i);
    }
    return newest;
}

static bool answers(const struct model_event *event, const struct model_ask *ask) {
    bool named = false;
    if (!is_wanted(event, ask) || !may_hear(event, ask)) {
        return false;
    }
    for (int i = 0; i < MODEL_TOPICS; i++) {
        named |= event->named[i] && ask->topics[i];
    }
    return holds(event, ask) || (ask->pattern && named && is_held(event));
}

const struct model_event *model_next(const struct model *model, const struct model_ask *ask,
                                     event_id after) {
    for (size_t i = model->first; i < model->count; i++) {
        if (model->events[i].id > after && answers(&model->events[i], ask)) {
            return &model->events[i];
        }
    }
    return NULL;
}

// What was dropped of a key and is not replaced by something newer that is held; without a key
// nothing is.
static event_id value_floor(const struct model *model, bool private, int topic, int type) {
    event_id floor = 0;
    for (int key = 0; key <= MODEL_KEYS; key++) {
        event_id dropped = model->dropped[private][topic][type][key];
        bool replaced = false;
        for (size_t i = model->first; key && i < model->count; i++) {
            const struct model_event *event = &model->events[i];
            replaced |= event->held[topic] && event->type == type && event->key == key &&
                        event->private == private && event->id > dropped;
        }
        raise_to(&floor, replaced ? 0 : dropped);
    }
    return floor;
}

static event_id floor_of_topic(const struct model *model, const struct model_ask *ask, bool private,
                               int topic) {
    event_id floor = 0;
    for (int type = 0; type < MODEL_TYPES; type++) {
        if (ask->types == 0 || ask->types & 1U << type) {
            raise_to(&floor, ask->latest ? value_floor(model, private, topic, type)
                                         : model->type_floors[private][topic][type]);
        }
    }
    return floor;
}

event_id model_floor(const struct model *model, const struct model_ask *ask) {
    event_id floor = 0;
    for (int i = 0; i < MODEL_TOPICS; i++) {
        bool part = ask->types || ask->latest;
        raise_to(&floor, ask->topics[i] && !part ? model->purged[i] : 0);
        raise_to(&floor, ask->topics[i] ? floor_of_topic(model, ask, false, i) : 0);
        raise_to(&floor, ask->privy[i] ? floor_of_topic(model, ask, true, i) : 0);
    }
    return floor;
}

event_id model_last(const struct model *model, const struct model_ask *ask, size_t count,
                    event_id upto) {
    event_id cursor = upto;
    for (size_t i = model->count; i > model->first && count; i--) {
        const struct model_event *event = &model->events[i - 1];
        if (event->id <= upto && answers(event, ask)) {
            cursor = event->id - 1;
            count--;
        }
    }
    return cursor;
}

event_id model_find(const struct model *model, const struct model_ask *ask, int own) {
    for (size_t i = model->first; i < model->count; i++) {
        const struct model_event *event = &model->events[i];
        for (int k = 0; event->own == own && k < MODEL_TOPICS; k++) {
            if (event->held[k] && reaches(event, ask, k)) {
                return event->id;
            }
        }
    }
    return 0;
}

size_t model_held(const struct model *model) {
    size_t held = 0;
    for (size_t i = model->first; i < model->count; i++) {
        held += is_held(&model->events[i]);
    }
    return held;
}
