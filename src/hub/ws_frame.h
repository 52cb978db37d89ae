// The head of a WebSocket frame as a server sends it (RFC 6455, 5.2): whole messages, never masked,
// so that the bytes are the same for every listener. Pure: any thread, nothing fails.
#ifndef HUB_WS_FRAME_H
#define HUB_WS_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING, WS_PONG };

enum { WS_HEAD_MAX = 10, WS_CONTROL_MAX = 125 };

// Writes the head of a frame with a payload of `len` bytes; returns its size.
static inline size_t ws_frame_head(char out[WS_HEAD_MAX], enum ws_opcode opcode, uint64_t len) {
    size_t more = len <= WS_CONTROL_MAX ? 0 : len <= UINT16_MAX ? 2 : 8;
    out[0] = (char)(0x80 | opcode);
    out[1] = (char)(more == 0 ? len : more == 2 ? 126 : 127);
    for (size_t i = 0; i < more; i++) {
        out[2 + i] = (char)(len >> 8 * (more - 1 - i));
    }
    return 2 + more;
}

#endif
