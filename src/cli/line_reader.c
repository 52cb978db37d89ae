// Reading in pieces and handing out lines.
#include "cli/line_reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/stop.h"

enum { CHUNK = 64 * 1024 };

void line_reader_init(struct line_reader *reader, const struct mem *mem, int fd, size_t line_max) {
    *reader = (struct line_reader){.fd = fd};
    buf_init(&reader->input, mem, line_max + CHUNK);
}

void line_reader_finish(struct line_reader *reader) {
    buf_finish(&reader->input);
}

static int wait_for_input(const struct line_reader *reader) {
    struct pollfd ready[2] = {{.fd = reader->fd, .events = POLLIN},
                              {.fd = stop_fd(), .events = POLLIN}};
    while (poll(ready, 2, -1) < 0 && errno == EINTR && !stop_asked()) {
    }
    return stop_asked() ? ERR_GONE : 0;
}

// What was handed out makes room first. More room than a line may take is refused by the buffer.
static int read_some(struct line_reader *reader) {
    struct buf *input = &reader->input;
    buf_consume(input, reader->taken);
    reader->scanned -= reader->taken;
    reader->taken = 0;
    int rc = buf_reserve(input, CHUNK);
    rc = rc ? rc : wait_for_input(reader);
    if (rc) {
        return rc;
    }
    ssize_t got = read(reader->fd, input->at + input->len, CHUNK);
    if (got < 0) {
        return ERR_SYSTEM;
    }
    input->len += (size_t)got;
    reader->bytes += (uint64_t)got;
    reader->ended = got == 0;
    return 0;
}

static void drop_all(struct line_reader *reader) {
    buf_clear(&reader->input);
    reader->taken = reader->scanned = 0;
}

// Hands out what ends at `end`, or tells that its beginning was dropped.
static int hand_out(struct line_reader *reader, size_t end, size_t next, struct bytes *line) {
    bool dropped = reader->dropping;
    *line = bytes_make(reader->input.at + reader->taken, end - reader->taken);
    reader->taken = reader->scanned = next;
    reader->dropping = false;
    reader->number++;
    return dropped ? ERR_TOO_LARGE : 1;
}

int line_reader_next(struct line_reader *reader, struct bytes *line) {
    struct buf *input = &reader->input;
    for (;;) {
        const char *end = reader->scanned < input->len ? memchr(input->at + reader->scanned, '\n',
                                                                input->len - reader->scanned)
                                                       : NULL;
        if (end) {
            size_t at = (size_t)(end - input->at);
            return hand_out(reader, at, at + 1, line);
        }
        reader->scanned = input->len;
        if (reader->ended) {
            bool rest = reader->taken < input->len || reader->dropping;
            return rest ? hand_out(reader, input->len, input->len, line) : 0;
        }
        if (reader->dropping) {
            drop_all(reader);
        }
        int rc = read_some(reader);
        if (rc == ERR_TOO_LARGE) {
            reader->dropping = true;
            drop_all(reader);
        } else if (rc) {
            return rc;
        }
    }
}
