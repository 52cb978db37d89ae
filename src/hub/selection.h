// What a listener asked for: a set of topics and patterns, and perhaps of event types, each sorted
// and without repetition, so that two listeners that ask for the same thing in any order have equal
// selections and share a feed. Each of its items may be privy: by those alone private events are
// heard. Immutable after creation and selection_set_privy; one owner at a time.
#ifndef HUB_SELECTION_H
#define HUB_SELECTION_H

#include <stdbool.h>

#include "base/mem.h"
#include "hub/frame.h"
#include "hub/topic.h"

struct selector {
    struct topic_name name;
    bool pattern, privy;
};

// A type of events, and its hash by the key of the topics' names.
struct selection_type {
    struct bytes text;
    uint64_t hash;
};

// What is let through of the events of the topics.
struct selection_filter {
    const struct bytes *types; // `message` is the type of an event without one
    size_t type_count;         // 0: all are let through; SELECTION_TYPES_MAX at most
    bool latest;               // of the past: only the newest event of each key
};

enum { SELECTION_TYPES_MAX = 32 };

struct selection {
    const struct mem *mem;
    uint64_t hash;
    uint32_t count, type_count;
    struct selection_type *types; // behind the items
    bool has_pattern, latest;
    struct selector items[]; // then the types, then the texts
};

// The names have passed topic_problem. 0 or ERR_NOMEM.
int selection_create(struct selection **out, const struct mem *mem, const struct hash_key *key,
                     const struct bytes *names, size_t count);
int selection_create_filtered(struct selection **out, const struct mem *mem,
                              const struct hash_key *key, const struct bytes *names, size_t count,
                              const struct selection_filter *filter);

// With the filter that another has.
int selection_create_like(struct selection **out, const struct mem *mem, const struct hash_key *key,
                          const struct bytes *names, size_t count, const struct selection *like);

// Before anyone else sees it: private events of this item are heard as well. Twice is once.
void selection_set_privy(struct selection *selection, uint32_t place);

// NULLs the pointer.
void selection_destroy(struct selection **selection);

bool selection_equal(const struct selection *a, const struct selection *b);

// Whether the frame's event was published to anything in the selection that may hear it, and has a
// type that is let through.
bool selection_hears(const struct selection *selection, const struct frame *frame);
// Only the first of the two.
bool selection_concerns(const struct selection *selection, const struct frame *frame);
// Only the second, for a type (of no bytes: the event has none).
bool selection_lets_through(const struct selection *selection, struct bytes type);

static inline bool selection_passes(const struct selection *selection, struct bytes type) {
    return selection->type_count == 0 || selection_lets_through(selection, type);
}
// The same for a topic, of an event that may be private.
bool selection_names(const struct selection *selection, const struct topic_name *topic,
                     bool private);

// Whether a private event of some of it would not be heard.
bool selection_hides(const struct selection *selection);

#endif
