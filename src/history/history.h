// History: what outlives the windows. One interface, one implementation for memory and (with a data
// directory) one on disk. The sequencer appends in order; workers read through the embedded `past`.
// What is appended can be read at once; that it is stored as well, and survives, is told later.
// Floors never miss a drop, but may be higher than the truth: see docs/design/history-in-memory.md.
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include "hub/past.h"

struct history_stats {
    uint64_t events, topics; // held now; an event in several topics counts once
    uint64_t bytes;          // what the budget is charged with: events, topics and their indexes
    // Events no longer held by any topic, each once, by what made the last one drop it. What was
    // appended is held or is counted here; what found no memory counts as budget.
    uint64_t dropped_count, dropped_bytes, dropped_age, dropped_budget, dropped_purge;
};

enum history_state {
    HISTORY_FINE,
    HISTORY_FULL, // there is no room (on the disk, in the file); it goes on by itself when there is
    HISTORY_FAILING, // the disk refuses writes; it is tried again
};

struct history_topic {
    struct bytes name; // of a visit: for that call; of a question: the asker's own
    uint64_t events, bytes;
    event_id oldest, newest;
};

// Returns false to end the walk. Runs under the history's lock: brief, and no call back into it.
typedef bool history_visit(void *ctx, const struct history_topic *topic);

// Where a walk over the topics stands: its own affair.
struct history_walk {
    size_t place;
    uint16_t name_len;
    char name[TOPIC_NAME_MAX];
};

struct history_limits;

// An event that must not be published twice; returns false to end the walk.
typedef bool history_recall(void *ctx, const struct once *once, event_id id);

struct history {
    struct past past;

    // Takes a reference of its own if it keeps the frame. Called in rising order of ids, by one
    // thread at a time (the sequencer's lock). Never fails: what cannot be kept (no memory) counts
    // as dropped, and readers are told by the floor. `now` is wall-clock milliseconds.
    void (*append)(struct history *history, struct frame *frame, int64_t now);

    // Drops what is too old, a bounded amount a call; true when there is more to drop. Any thread.
    bool (*expire)(struct history *history, int64_t now);

    // Other limits from here on, but for `bytes` and `origin`, which stay; copies what they borrow. What
    // is too much by the new ones goes before long, not at once: expire() sees to it. 0 or ERR_NOMEM, and
    // then nothing has changed. The thread that calls expire.
    int (*change)(struct history *history, const struct history_limits *limits);

    void (*stats)(struct history *history, struct history_stats *out);

    // Visits topics, about `portion` of them a call: start with *walk = {0}; false when all were seen
    // or the visitor ended it. Topics that come or go between calls may be missed or seen twice.
    bool (*topics)(struct history *history, struct history_walk *walk, size_t portion,
                   history_visit *visit, void *ctx);

    // One topic by its name; false when history holds nothing of it.
    bool (*topic)(struct history *history, const struct topic_name *name,
                  struct history_topic *out);

    // Forgets all events of a topic that are there now: 0, ERR_NOT_FOUND, or ERR_NOMEM. Whoever
    // would still have needed them is told of a gap. *number is what `purged` tells when it, and all
    // purges before it, survive; with ERR_NOT_FOUND those before it, which may be why. Any thread.
    int (*purge)(struct history *history, const struct topic_name *name, uint64_t *number);

    // Every purge up to this number is as safe as this history can make it. Memory: UINT64_MAX. Any
    // thread.
    uint64_t (*purged)(const struct history *history);

    // Everything given to append up to this id is as safe as this history can make it. Memory can do
    // no more than it has done: UINT64_MAX. Any thread.
    event_id (*stored)(const struct history *history);

    // Whether the event with this id, which is not above `stored`, may not have been: there was no
    // room for it to wait in. Whoever published it has to be told. Any thread.
    bool (*lost)(const struct history *history, event_id id);

    // Whether what comes now can be stored. Any thread.
    enum history_state (*state)(const struct history *history);

    // Visits what is held with a key against repetition, newest first, at most `most`, ids above
    // `after`: 0 or a negative error. Before the first append.
    int (*recall)(struct history *history, event_id after, size_t most, history_recall *visit,
                  void *ctx);

    void (*destroy)(struct history *history);
};

// What a topic may keep.
struct topic_limits {
    uint64_t count; // events; 0: keep none
    uint64_t bytes; // of frames; 0: no limit of its own
    int64_t age_ms; // by the ids; 0: no limit
};

// Other limits for the topics that a pattern (or a name) matches.
struct history_rule {
    struct bytes pattern;
    struct topic_limits limits;
};

struct history_limits {
    struct topic_limits topic;
    const struct history_rule *rules; // the first that matches counts; they outlive the history
    size_t rule_count;
    uint64_t bytes;  // of all topics together, with what it takes to find them
    event_id origin; // events up to here may have been before our time: every floor starts at it
};

// A copy of the rules with their patterns, in one block: 0 or ERR_NOMEM.
int history_rules_copy(struct history_rule **out, const struct mem *mem,
                       const struct history_limits *limits);

// The limits of the topic with this name.
const struct topic_limits *history_limits_of(const struct history_limits *limits,
                                             struct bytes name);

// `key` hashes topic names as the frames do. 0 or ERR_NOMEM.
int history_memory_create(struct history **out, const struct mem *mem, const struct hash_key *key,
                          const struct history_limits *limits);

// NULLs the pointer.
void history_destroy(struct history **history);

#endif
