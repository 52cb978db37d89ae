// Lines from a descriptor, one after the other, in bounded memory: a line that is too long is
// dropped, told of, and the next one read. It stops waiting when the end is asked for (stop.h).
#ifndef CLI_LINE_READER_H
#define CLI_LINE_READER_H

#include <stdint.h>

#include "base/buf.h"

struct line_reader {
    int fd; // the owner's
    struct buf input;
    size_t taken, scanned; // of the input: handed out; searched for a line's end
    uint64_t number;       // of the line that was handed out last, from 1
    uint64_t bytes;        // read so far
    bool ended, dropping;
};

// Allocates nothing. A line has at most line_max bytes.
void line_reader_init(struct line_reader *reader, const struct mem *mem, int fd, size_t line_max);
void line_reader_finish(struct line_reader *reader);

// 1 and the line without its end, valid until the next call; 0 after the last (which needs no end);
// ERR_TOO_LARGE for a line that is too long, ERR_NOMEM, ERR_SYSTEM (errno says how), or ERR_GONE
// when the end was asked for. After ERR_TOO_LARGE it goes on with the next line.
int line_reader_next(struct line_reader *reader, struct bytes *line);

#endif
