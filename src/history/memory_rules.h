// Whose limits count for a topic, and which ages there are. A topic that is held keeps its answer;
// for the others, which come and go or keep nothing, the last answers are remembered, so that
// patterns are matched once a topic and not once an event. Not locked: the history around it is.
#ifndef HISTORY_MEMORY_RULES_H
#define HISTORY_MEMORY_RULES_H

#include "history/history.h"

enum { RULES_KNOWN = 1024 };

// The events up to `reached` are gone from all topics that have this age.
struct memory_age {
    int64_t age_ms;
    event_id reached;
    int64_t due; // nothing of them is too old before this time has passed
};

struct memory_rules {
    const struct mem *mem;
    struct history_limits limits;
    struct history_rule *own; // the rules, when they are a copy; else NULL
    struct {
        uint64_t hash; // of the name, by a key that nobody outside knows
        const struct topic_limits *limits;
    } known[RULES_KNOWN];
    struct memory_age *ages; // each age that some topic may have, once
    size_t age_count, next_age;
};

// 0 or ERR_NOMEM.
int memory_rules_init(struct memory_rules *rules, const struct mem *mem,
                      const struct history_limits *limits);
void memory_rules_finish(struct memory_rules *rules);

// Others, with a copy of what they borrow, and the budget and the origin of those before; made without
// the lock. 0 or ERR_NOMEM.
int memory_rules_copy(struct memory_rules *out, const struct memory_rules *before,
                      const struct history_limits *limits);

const struct topic_limits *memory_rules_of(struct memory_rules *rules,
                                           const struct topic_name *name);

#endif
