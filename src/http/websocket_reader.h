// What a WebSocket client sends, from bytes to messages (RFC 6455, 5). Frames are wslay's; the rules
// that span them are here: fragments, what may come between them, UTF-8, sizes, closing. The first
// offence is the end. Pure: the caller's thread, no sockets.
//
// Between frames it holds no memory, so that a listener that says nothing costs nothing. Within a
// frame it holds about 4.3 kB, and the message that is being put together.
#ifndef HTTP_WEBSOCKET_READER_H
#define HTTP_WEBSOCKET_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum websocket_code {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNSUPPORTED = 1003,
    WEBSOCKET_NO_CODE = 1005, // is never sent: the peer gave none
    WEBSOCKET_BAD_DATA = 1007,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_TOO_BIG = 1009,
    WEBSOCKET_INTERNAL = 1011,
    WEBSOCKET_RESTART = 1012,
    WEBSOCKET_TRY_LATER = 1013,
};

enum websocket_kind {
    WEBSOCKET_TEXT,   // a whole message, valid UTF-8
    WEBSOCKET_PING,   // to be answered with the same payload
    WEBSOCKET_PONG,   //
    WEBSOCKET_CLOSE,  // to be answered in kind; nothing comes after it
    WEBSOCKET_FAILED, // the peer broke a rule: to be closed with the code and the reason
};

struct websocket_event {
    enum websocket_kind kind;
    struct bytes payload; // until the next call
    int code;             // of WEBSOCKET_CLOSE and WEBSOCKET_FAILED
    const char *reason;   // of WEBSOCKET_FAILED
};

struct websocket_frame;

struct websocket_reader {
    struct websocket_frame *frame; // what is being read; NULL between frames
    struct buf message;            // the fragments so far
    size_t checked;                // bytes of it that are known to be UTF-8
    bool open;                     // there are more fragments to come
    bool given;                    // the message was handed out by the last call
};

// `most`: bytes of a message.
void websocket_reader_init(struct websocket_reader *reader, const struct mem *mem, size_t most);
void websocket_reader_finish(struct websocket_reader *reader);

// Takes from the front of *in. 1: there is *event; call again. 0: all is taken, and there is no more
// to say. ERR_NOMEM. After WEBSOCKET_CLOSE, WEBSOCKET_FAILED or an error it must not be called again.
int websocket_reader_next(struct websocket_reader *reader, struct bytes *in,
                          struct websocket_event *event);

// Whether a message or a frame has begun and is not complete.
static inline bool websocket_reader_within(const struct websocket_reader *reader) {
    return reader->frame || reader->open;
}

#endif
