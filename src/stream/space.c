// The growable run of bytes: how it grows.
#include "stream/space.h"

enum { SPACE_FIRST = 64 };

void freshet_space_init(struct space *space, const struct freshet_allocator *allocator,
                        size_t max) {
    *space = (struct space){.allocator = allocator, .max = max};
}

void freshet_space_finish(struct space *space) {
    if (space->at) {
        space->allocator->resize(space->allocator->ctx, space->at, 0);
    }
    *space = (struct space){.allocator = space->allocator, .max = space->max};
}

int freshet_space_grow(struct space *space, size_t more) {
    if (more > space->max - space->len) {
        return FRESHET_ERR_TOO_LARGE;
    }
    size_t need = space->len + more;
    size_t cap = space->cap > space->max / 2 ? space->max : space->cap * 2;
    cap = cap < SPACE_FIRST ? SPACE_FIRST : cap;
    cap = cap < need ? need : cap;
    cap = cap > space->max ? space->max : cap;
    char *at = space->allocator->resize(space->allocator->ctx, space->at, cap);
    if (!at) {
        return FRESHET_ERR_NOMEM;
    }
    space->at = at;
    space->cap = cap;
    return 0;
}
