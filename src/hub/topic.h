// Names of topics and patterns. A name is up to 256 bytes of valid UTF-8 without control
// characters; slashes divide it into segments. A name in which a whole segment is `*`, or whose
// last segment is
// `**`, is a pattern: `*` is any one non-empty segment, `**` is one segment or more.
#ifndef HUB_TOPIC_H
#define HUB_TOPIC_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/hash.h"

enum { TOPIC_NAME_MAX = 256 };

struct topic_name {
    struct bytes text;
    uint64_t hash; // by the process's one key, so that it is computed once an event
};

// NULL when the text may name a topic or a pattern, else a sentence that says why not.
const char *topic_problem(struct bytes text);

bool topic_is_pattern(struct bytes text);

// Whether the topic is one of those that the pattern names.
bool topic_matches(struct bytes pattern, struct bytes topic);

// Takes the first segment off `rest`: false when there is none left. "a//b" has an empty one.
struct topic_walk {
    const char *next, *end;
};
static inline struct topic_walk topic_walk(struct bytes text) {
    return (struct topic_walk){.next = text.at, .end = text.at + text.len};
}
bool topic_walk_next(struct topic_walk *walk, struct bytes *segment);

#endif
