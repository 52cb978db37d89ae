// What a listener asked for: a set of topics and patterns, sorted and without repetition, so that
// two listeners that ask for the same thing in any order have equal selections and share a feed.
// Immutable after creation; one owner at a time.
#ifndef HUB_SELECTION_H
#define HUB_SELECTION_H

#include <stdbool.h>

#include "base/mem.h"
#include "hub/frame.h"
#include "hub/topic.h"

struct selector {
    struct topic_name name;
    bool pattern;
};

struct selection {
    const struct mem *mem;
    uint64_t hash;
    uint32_t count;
    bool has_pattern;
    struct selector items[]; // then the texts
};

// The names have passed topic_problem. 0 or ERR_NOMEM.
int selection_create(struct selection **out, const struct mem *mem, const struct hash_key *key,
                     const struct bytes *names, size_t count);

// The same for other names than `like` has: whatever else that says stays.
int selection_derive(struct selection **out, const struct selection *like,
                     const struct hash_key *key, const struct bytes *names, size_t count);

// NULLs the pointer.
void selection_destroy(struct selection **selection);

bool selection_equal(const struct selection *a, const struct selection *b);

// Whether the frame's event was published to anything in the selection.
bool selection_hears(const struct selection *selection, const struct frame *frame);
// The same for a topic.
bool selection_names(const struct selection *selection, const struct topic_name *topic);

#endif
