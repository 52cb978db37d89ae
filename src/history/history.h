// History: what outlives the windows. One interface, one implementation for memory and (with a data
// directory) one on disk. The sequencer appends in order; workers read through the embedded `past`.
// Floors never miss a drop, but may be higher than the truth: see docs/design/history-in-memory.md.
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include "hub/past.h"

struct history_stats {
    uint64_t events, topics; // held now; an event in several topics counts once
    uint64_t bytes;          // what the budget is charged with: events, topics and their indexes
    // Events no longer held by any topic, each once, by what made the last one drop it. What was
    // appended is held or is counted here; what found no memory counts as budget.
    uint64_t dropped_count, dropped_bytes, dropped_age, dropped_budget;
};

struct history_topic {
    struct bytes name; // of a visit: for that call; of a question: the asker's own
    uint64_t events, bytes;
    event_id oldest, newest;
};

// Returns false to end the walk. Runs under the history's lock: brief, and no call back into it.
typedef bool history_visit(void *ctx, const struct history_topic *topic);

struct history {
    struct past past;

    // Takes a reference of its own if it keeps the frame. Called in rising order of ids, by one
    // thread at a time (the sequencer's lock). Never fails: what cannot be kept (no memory) counts
    // as dropped, and readers are told by the floor. `now` is wall-clock milliseconds.
    void (*append)(struct history *history, struct frame *frame, int64_t now);

    // Drops what is too old, a bounded amount a call; true when there is more to drop. Any thread.
    bool (*expire)(struct history *history, int64_t now);

    void (*stats)(struct history *history, struct history_stats *out);

    // Visits topics in no order, about `portion` of them a call: start with *place = 0; false when
    // all were seen or the visitor ended it. Topics that come or go between calls may be missed or
    // seen twice.
    bool (*topics)(struct history *history, size_t *place, size_t portion, history_visit *visit,
                   void *ctx);

    // One topic by its name; false when history holds nothing of it.
    bool (*topic)(struct history *history, const struct topic_name *name,
                  struct history_topic *out);

    void (*destroy)(struct history *history);
};

struct history_limits {
    uint64_t topic_count; // events a topic; 0: keep none
    uint64_t topic_bytes; // of frames, a topic; 0: no limit of its own
    uint64_t bytes;       // of all topics together, with what it takes to find them
    int64_t age_ms;       // by the ids; 0: no limit
    event_id origin; // events up to here may have been before our time: every floor starts at it
};

// `key` hashes topic names as the frames do. 0 or ERR_NOMEM.
int history_memory_create(struct history **out, const struct mem *mem, const struct hash_key *key,
                          const struct history_limits *limits);

// NULLs the pointer.
void history_destroy(struct history **history);

#endif
