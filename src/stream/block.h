// The block: the fields between two blank lines, and what outlives them, the last event ID. Lines
// go in, events come out. Internal to the parser, which cuts the bytes into lines.
//
// Type and data are borrowed from the line that brought them for as long as they can be; the caller
// says, with freshet_block_keep(), when lines that it handed in are about to go.
#ifndef STREAM_BLOCK_H
#define STREAM_BLOCK_H

#include <stdbool.h>

#include <freshet/parser.h>

#include "stream/space.h"

// A text that lies either in somebody else's memory or in `own`.
struct field {
    struct freshet_text text;
    struct space own;
    bool present; // the block has a field of this name
};

struct block {
    const struct freshet_parser_settings *settings; // of the parser that this is part of
    struct field ids[2];                            // always in their own memory
    struct field *id, *last_id; // one of them each; they trade places at the end of a block
    struct field type, data;
    int64_t retry; // -1 while the block has none
};

// Allocates nothing. `settings` must outlive the block, which must stay where it is.
void freshet_block_init(struct block *block, const struct freshet_parser_settings *settings);
void freshet_block_finish(struct block *block);

// The settings' last_id becomes the last event ID: 0, FRESHET_ERR_NOMEM, FRESHET_ERR_TOO_LARGE.
int freshet_block_seed(struct block *block);

// Forgets the block, not the last event ID.
void freshet_block_discard(struct block *block);

// One line, without its end: 0, FRESHET_ERR_NOMEM, FRESHET_ERR_TOO_LARGE, FRESHET_ERR_STOPPED.
int freshet_block_line(struct block *block, struct freshet_text line);

// Copies what is still borrowed: 0, FRESHET_ERR_NOMEM, FRESHET_ERR_TOO_LARGE.
int freshet_block_keep(struct block *block);

// Whether a line that begins like this, its end not yet seen, can still matter. Once it can and is
// longer than BLOCK_NAME_MAX, it belongs to a known field whatever follows.
bool freshet_block_wants(struct freshet_text start);

enum { BLOCK_NAME_MAX = 5 };

#endif
