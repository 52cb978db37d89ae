// A response as it comes in, cut down to what a load needs: its status, where a poll goes on, and
// which of its bytes are body, whether that is counted, chunked or ends with the connection (as
// what follows a 101 does). Header lines are cut at a fixed length, so the memory is bounded whatever
// the server sends.
#ifndef LOAD_INCOMING_H
#define LOAD_INCOMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { INCOMING_LINE_MAX = 96, INCOMING_CURSOR_MAX = 32 };

enum incoming_state {
    INCOMING_STATUS,
    INCOMING_HEADERS,
    INCOMING_UNTIL_CLOSE,
    INCOMING_COUNTED,
    INCOMING_CHUNK_SIZE,
    INCOMING_CHUNK,
    INCOMING_CHUNK_END,
    INCOMING_TRAILER,
    INCOMING_ENDED,
};

// All zero is the start of a response.
struct incoming {
    uint8_t state;
    bool chunked, counted, close; // close: the server will end the connection after it
    bool gzip;                    // the body is packed
    uint8_t cursor_len;
    uint16_t status;
    uint16_t line_len;
    uint64_t left; // of the body or chunk
    char line[INCOMING_LINE_MAX];
    char cursor[INCOMING_CURSOR_MAX]; // the value of Last-Event-ID, if it fits
};

enum incoming_step {
    INCOMING_MORE, // all of *rest was used; feed on
    INCOMING_HEAD, // the head is complete: the status is known
    INCOMING_BODY, // *body is a part of the body
    INCOMING_DONE, // the response is complete; what is in *rest belongs to the next one
};

// Takes what it can from *rest and says what it was: a step, or ERR_INVALID.
int incoming_next(struct incoming *incoming, struct bytes *rest, struct bytes *body);

static inline bool incoming_has_head(const struct incoming *incoming) {
    return incoming->state > INCOMING_HEADERS;
}

#endif
