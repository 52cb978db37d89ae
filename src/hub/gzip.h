// Gzip (RFC 1952) as a body that many listeners share the blocks of: a header of fixed bytes, then
// blocks that each end at a byte, then an end with the checksum. Every block leaves the reader with
// all that went into it, because it ends with an empty stored block, as zlib's flush does; some
// readers (Go's) hand out nothing before that. What is not the reader's own is a sum of eight bytes.
// Pure but for the deflater, which belongs to one thread.
#ifndef HUB_GZIP_H
#define HUB_GZIP_H

#include <stdbool.h>

#include "base/buf.h"

enum {
    GZIP_HEADER_SIZE = 10,
    GZIP_END_SIZE = 5 + 8,   // around the last bytes
    GZIP_WINDOW = 32 * 1024, // as far back as a reader remembers
};

// Of the plain bytes of a body so far. Starts with {0}.
struct gzip_sum {
    uint32_t crc, len;
};

// What a piece adds to the sum of everyone who gets it, worked out once.
struct gzip_piece {
    uint32_t crc, len;
    uint32_t shift; // what its length does to the checksum of what is before it
};

struct gzip_deflater;

// Whether this program was built with zlib. If not, nothing else here may be called but
// gzip_deflater_destroy.
bool gzip_available(void);

struct gzip_piece gzip_piece_of(struct bytes plain);
void gzip_sum_add(struct gzip_sum *sum, const struct gzip_piece *piece);

// Each appends: 0, ERR_NOMEM or ERR_TOO_LARGE.
int gzip_append_header(struct buf *out);
// As a block that is not deflated: at most ten bytes more for each 64 KB. Of nothing, nothing.
int gzip_append_stored(struct buf *out, struct bytes plain);

// The end of a body: `last`, less than 64 KB of it, and the sum of all, with `last`. Writes
// GZIP_END_SIZE bytes and those of `last`; returns how many.
size_t gzip_write_end(char *out, struct bytes last, struct gzip_sum sum);

// About a quarter of a megabyte, whatever it is used for: 0 or ERR_NOMEM.
int gzip_deflater_create(struct gzip_deflater **out, const struct mem *mem);
// NULLs the pointer; NULL is fine.
void gzip_deflater_destroy(struct gzip_deflater **deflater);

// Appends `plain`, deflated, or stored where that is shorter: 0, ERR_NOMEM or ERR_TOO_LARGE. It may
// refer to the bytes of `before`, which every reader must have had directly before it; may be empty.
int gzip_deflate(struct gzip_deflater *deflater, struct bytes before, struct bytes plain,
                 struct buf *out);

#endif
