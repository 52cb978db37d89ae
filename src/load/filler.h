// What stands in events behind their stamp. The letter x costs nothing, but packs to nothing as well;
// JSON of changing values packs as what people send. One thread at a time.
#ifndef LOAD_FILLER_H
#define LOAD_FILLER_H

#include <stdbool.h>

#include "base/buf.h"

struct filler {
    struct buf pool;
    size_t room; // how far on a piece may begin
};

// For pieces of up to `size` bytes: 0 or ERR_NOMEM. filler_finish must follow.
int filler_init(struct filler *filler, bool json, size_t size);
void filler_finish(struct filler *filler);

// So many bytes for the event with this number; the same each time.
struct bytes filler_piece(const struct filler *filler, uint32_t number, size_t len);

#endif
