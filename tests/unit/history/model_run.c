// Thousands of random operations on a history and on the naive model beside it: after
// each, both say the same. A seed makes a run; the seeds are fixed, so that a failure is repeated.
#include "model_run.h"

#include <stdio.h>

#include "base/error.h"
#include "base/random.h"

struct pair {
    const struct model_kind *kind;
    struct fixture real;
    struct model model;
    struct random random;
    event_id newest;
    int64_t now;
    bool purged; // from then on a floor may be above the truth
};

static int64_t pick(struct pair *pair, int64_t low, int64_t high) {
    return random_between(&pair->random, low, high);
}

static void append_random(struct pair *pair) {
    char names[256] = "", own[8];
    struct model_event *event = model_add(&pair->model);
    for (int64_t topics = pick(pair, 0, 5) ? 1 : pick(pair, 2, 5); topics > 0; topics--) {
        // Some topics are busier than others, and some are named twice.
        int topic = (int)pick(pair, 0, pick(pair, 0, MODEL_TOPICS - 1));
        event->named[topic] = true;
        size_t len = strlen(names);
        snprintf(names + len, sizeof(names) - len, "%s%s", len ? " " : "", MODEL_NAMES[topic]);
    }
    event->type = (int)pick(pair, 0, MODEL_TYPES - 1);
    event->key = pick(pair, 0, 1) ? (int)pick(pair, 1, MODEL_KEYS) : 0;
    size_t named = strlen(names);
    named +=
        (size_t)(event->type ? snprintf(names + named, sizeof(names) - named, " ~t%d", event->type)
                             : 0);
    if (event->key) {
        snprintf(names + named, sizeof(names) - named, " ^k%d", event->key);
    }
    event->private = pick(pair, 0, 3) == 0;
    event->own = pick(pair, 0, 2) ? 0 : (int)pick(pair, 1, MODEL_OWN_IDS);
    snprintf(own, sizeof(own), "o%d", event->own);
    pair->now += pick(pair, 0, 3);
    event_id next = id_from_ms(pair->now);
    pair->newest = next > pair->newest ? next : pair->newest + 1;
    size_t size = pick(pair, 0, 100) ? (size_t)pick(pair, 1, 200) : (size_t)pick(pair, 1, 5000);
    struct frame *frame =
        make_event(&pair->real, pair->newest, names, event->own ? own : NULL, size);
    frame->private = event->private;
    event->id = frame->id;
    event->cost = pair->kind->cost(frame);
    event->charge = pair->kind->charge(frame);
    pair->real.history->append(pair->real.history, frame, 0);
    frame_unref(frame);
    model_arrive(&pair->model);
}

static void expire(struct pair *pair) {
    while (pair->real.history->expire(pair->real.history, pair->now)) {
    }
    model_expire(&pair->model, pair->now);
}

static void purge_random(struct pair *pair) {
    int topic = (int)pick(pair, 0, MODEL_TOPICS - 1);
    struct topic_name name = name_of(&pair->real, MODEL_NAMES[topic]);
    fixture_settle(&pair->real);
    uint64_t number;
    pair->purged = true;
    int rc = pair->real.history->purge(pair->real.history, &name, &number);
    assert_int_equal(rc, model_purge(&pair->model, topic) ? 0 : ERR_NOT_FOUND);
}

// A selection of up to four names and perhaps a pattern.
static struct selection *ask_random(struct pair *pair, struct model_ask *ask, bool latest) {
    static const char *const types[MODEL_TYPES] = {"message", "t1", "t2"};
    static const char *const patterns[] = {"*",   "**",          "room/*",  "room/**",
                                           "*/1", "room/*/door", "x/y/z/*", "x/y/*/1"};
    struct bytes names[8];
    size_t count = 0;
    for (int64_t topics = pick(pair, 1, 4); topics > 0; topics--) {
        names[count++] = bytes_of(MODEL_NAMES[pick(pair, 0, MODEL_TOPICS - 1)]);
    }
    if (pick(pair, 0, 1)) {
        names[pick(pair, 0, 1) ? 0 : count++] = bytes_of(patterns[pick(pair, 0, 7)]);
    }
    struct selection *selection;
    struct bytes wanted[MODEL_TYPES];
    struct selection_filter filter = {.types = wanted, .latest = latest};
    *ask = (struct model_ask){.latest = latest, .types = (unsigned)pick(pair, 0, 9)};
    ask->types = ask->types < 1U << MODEL_TYPES ? ask->types : 0;
    for (int type = 0; type < MODEL_TYPES; type++) {
        if (ask->types & 1U << type) {
            wanted[filter.type_count++] = bytes_of(types[type]);
        }
    }
    assert_int_equal(
        selection_create_filtered(&selection, &mem_libc, &pair->real.key, names, count, &filter),
        0);
    int64_t privy = pick(pair, 0, 3); // of four: none, all, or the half
    for (uint32_t i = 0; i < selection->count; i++) {
        if (privy == 1 || (privy > 1 && pick(pair, 0, 1))) {
            selection_set_privy(selection, i);
        }
    }
    ask->pattern = selection->has_pattern;
    for (int i = 0; i < MODEL_TOPICS; i++) {
        struct topic_name name = name_of(&pair->real, MODEL_NAMES[i]);
        ask->topics[i] = selection_names(selection, &name, false);
        ask->privy[i] = selection_names(selection, &name, true);
    }
    return selection;
}

static event_id place_random(struct pair *pair) {
    if (pair->model.count == 0 || pick(pair, 0, 9) == 0) {
        return pick(pair, 0, 1) ? 0 : UINT64_MAX;
    }
    int64_t last = (int64_t)pair->model.count - 1;
    int64_t first = pick(pair, 0, 1) && last > 300 ? last - 300 : 0;
    return pair->model.events[pick(pair, first, last)].id + (event_id)pick(pair, 0, 2) - 1;
}

static void compare_read(struct pair *pair) {
    struct model_ask ask;
    struct past_batch batch;
    bool latest = pick(pair, 0, 1);
    struct selection *selection = ask_random(pair, &ask, latest);
    event_id after = place_random(pair), upto = place_random(pair);
    size_t max_bytes = pick(pair, 0, 1) ? SIZE_MAX : (size_t)pick(pair, 0, 5000);
    struct past *past = &pair->real.history->past;
    fixture_settle(&pair->real);
    ask.values = latest && pick(pair, 0, 1);
    model_mark(&pair->model);
    int rc = ask.values ? past->values(past, selection, after, upto, max_bytes, &batch)
                        : past->read(past, selection, after, upto, max_bytes, &batch);
    assert_int_equal(rc, 0);
    event_id at = after;
    size_t bytes = 0;
    for (size_t i = 0; i < batch.count; i++) {
        const struct model_event *event = model_next(&pair->model, &ask, at);
        assert_non_null(event);
        at = event->id;
        bytes += batch.frames[i]->size;
        assert_int_equal(batch.frames[i]->id, at);
    }
    assert_true(batch.count <= 1 || bytes <= max_bytes);
    assert_true(at <= batch.reached && (at <= upto || batch.count == 0));
    const struct model_event *rest = model_next(&pair->model, &ask, at);
    assert_true(!rest || rest->id > batch.reached || batch.reached <= after);
    assert_true(batch.reached >= upto || batch.reached > after);
    event_id floor = model_floor(&pair->model, &ask);
    assert_true(batch.floor >= floor);
    bool privy = false;
    for (int i = 0; i < MODEL_TOPICS; i++) {
        privy |= ask.privy[i];
    }
    bool exact = !selection->has_pattern && !latest && !ask.types && !privy &&
                 !(pair->purged && pair->kind->backend->settle);
    assert_true(!exact || batch.floor == floor);
    past_batch_release(&batch);
    selection_destroy(&selection);
}

static void compare_places(struct pair *pair) {
    struct model_ask ask;
    char own[8];
    struct selection *selection = ask_random(pair, &ask, false);
    struct past *past = &pair->real.history->past;
    size_t count = (size_t)pick(pair, 0, 30);
    event_id upto = place_random(pair), at = 0;
    fixture_settle(&pair->real);
    assert_int_equal(past->last(past, selection, count, upto),
                     model_last(&pair->model, &ask, count, upto));
    int wanted = (int)pick(pair, 1, MODEL_OWN_IDS);
    snprintf(own, sizeof(own), "o%d", wanted);
    int result = past->find(past, selection, bytes_of(own), &at);
    assert_int_equal(result ? 0 : at, model_find(&pair->model, &ask, wanted));
    selection_destroy(&selection);
}

static void compare_topics(struct pair *pair) {
    fixture_settle(&pair->real);
    for (int i = 0; i < MODEL_TOPICS; i++) {
        struct topic_name name = name_of(&pair->real, MODEL_NAMES[i]);
        struct model_ask ask = {.pattern = false};
        ask.topics[i] = ask.privy[i] = true;
        struct history_topic topic;
        const struct model_event *first = model_next(&pair->model, &ask, 0);
        bool held = pair->real.history->topic(pair->real.history, &name, &topic);
        assert_int_equal(held, first != NULL);
        assert_true(!held || topic.oldest == first->id);
    }
}

static void compare_sums(struct pair *pair) {
    expire(pair); // what a purge left
    struct history_stats stats = stats_of(&pair->real);
    size_t held = model_held(&pair->model);
    assert_int_equal(stats.events, held);
    if (!pair->kind->backend->settle) {
        assert_int_equal(stats.bytes, model_bytes(&pair->model));
    }
    assert_true(stats.bytes <= pair->model.limits.bytes);
    assert_int_equal(stats.dropped_age + stats.dropped_budget + stats.dropped_bytes +
                         stats.dropped_count + stats.dropped_purge + held,
                     pair->model.count);
}

void model_run(const struct model_kind *kind, uint64_t seed, const struct history_limits *limits,
               int steps) {
    static struct pair pair;
    pair.kind = kind;
    pair.model.first = pair.model.count = 0;
    pair.model.limits = *limits;
    memset(pair.model.type_floors, 0, sizeof(pair.model.type_floors));
    memset(pair.model.purged, 0, sizeof(pair.model.purged));
    memset(pair.model.dropped, 0, sizeof(pair.model.dropped));
    pair.random.state = seed;
    pair.newest = 0;
    pair.now = 1;
    pair.purged = false;
    fixture_init(&pair.real, kind->backend, limits);
    for (int step = 0; step < steps; step++) {
        int64_t what = pick(&pair, 0, 9);
        if (what < 5) {
            append_random(&pair);
        } else if (what < 8) {
            compare_read(&pair);
        } else if (what < 9) {
            compare_places(&pair);
        } else if (pick(&pair, 0, 9) == 0) {
            pair.now += pick(&pair, 0, 400);
            expire(&pair);
        } else if (pick(&pair, 0, 9) == 0) {
            purge_random(&pair);
        } else if (pick(&pair, 0, 1)) {
            compare_topics(&pair);
        } else {
            compare_sums(&pair);
        }
    }
    fixture_finish(&pair.real);
}
