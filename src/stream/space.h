// A growable run of bytes with a ceiling. It owns its memory and doubles, so that appending is
// linear over its life; it never holds more than `max`. Internal to the library.
#ifndef STREAM_SPACE_H
#define STREAM_SPACE_H

#include <string.h>

#include <freshet/event.h>

struct space {
    const struct freshet_allocator *allocator; // outlives the space
    char *at;
    size_t len, cap, max;
};

// Allocates nothing.
void freshet_space_init(struct space *space, const struct freshet_allocator *allocator, size_t max);
void freshet_space_finish(struct space *space);

// The slow half of space_reserve().
int freshet_space_grow(struct space *space, size_t more);

// Room for `more` bytes after len: 0, FRESHET_ERR_NOMEM or FRESHET_ERR_TOO_LARGE. On failure the
// space is as it was.
static inline int space_reserve(struct space *space, size_t more) {
    return more <= space->cap - space->len ? 0 : freshet_space_grow(space, more);
}

// As space_reserve().
static inline int space_append(struct space *space, const char *at, size_t len) {
    int rc = space_reserve(space, len);
    if (rc == 0 && len) {
        memcpy(space->at + space->len, at, len);
        space->len += len;
    }
    return rc;
}

#endif
