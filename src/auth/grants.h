// What somebody may do: topics and patterns that may be published to, and that may be listened to.
// Immutable after it was filled; whoever fills it owns it.
#ifndef AUTH_GRANTS_H
#define AUTH_GRANTS_H

#include <stdbool.h>

#include "base/buf.h"

enum { GRANTS_MAX = 1024 };

enum right { RIGHT_SUBSCRIBE = 1, RIGHT_PUBLISH = 2 };

struct grant {
    uint32_t at, len; // in the text
    uint8_t rights;
};

struct grants {
    struct buf text;
    struct grant *items;
    size_t count;
};

void grants_init(struct grants *grants);
void grants_finish(struct grants *grants);

// Adds a topic or pattern, which has passed topic_problem: 0, ERR_NOMEM or ERR_TOO_LARGE.
int grants_add(struct grants *grants, struct bytes name, unsigned rights);

// Whether everything that `name`, a topic or a pattern, stands for is granted: by one grant, never by
// several together.
bool grants_cover(const struct grants *grants, struct bytes name, enum right right);

#endif
