// WebSocket frames (RFC 6455) as a server sends them: which bytes are payload, and which frames want
// an answer. Where a message begins and ends is of no interest here. Memory is bounded: of control
// frames it keeps their payload, of others nothing.
#ifndef LOAD_FRAMES_H
#define LOAD_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { FRAMES_CONTROL_MAX = 125, FRAMES_PONG_MAX = 6 + FRAMES_CONTROL_MAX };

// All zero is the start.
struct frames {
    uint64_t left; // of the payload under way
    uint8_t head_len, opcode, control_len;
    bool within; // the head is complete
    unsigned char head[10];
    char control[FRAMES_CONTROL_MAX];
};

enum frames_step {
    FRAMES_MORE, // all of *rest was used; feed on
    FRAMES_DATA, // *payload is a part of a message
    FRAMES_PING, // one is complete: frames_pong
    FRAMES_CLOSE,
};

// Takes what it can from *rest and says what it was: a step, or ERR_INVALID.
int frames_next(struct frames *frames, struct bytes *rest, struct bytes *payload);

// The answer to the ping that came last, masked as a client must; its length.
size_t frames_pong(const struct frames *frames, char out[FRAMES_PONG_MAX]);

#endif
