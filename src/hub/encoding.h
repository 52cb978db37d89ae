// The representations in which a feed hands out its frames. Listeners of one feed share one
// encoding, and therefore bytes. The event stream is what frames hold, so it costs nothing; the
// others are encoded into a run once for all who stand at the same cursor.
#ifndef HUB_ENCODING_H
#define HUB_ENCODING_H

#include "base/buf.h"
#include "hub/frame.h"
#include "hub/ws_frame.h"

enum encoding {
    ENCODING_EVENT_STREAM,
    ENCODING_NDJSON,    // one object a line
    ENCODING_ITEMS,     // objects, each preceded by a comma: the inside of a JSON array
    ENCODING_WS_JSON,   // a WebSocket text message each, with the object
    ENCODING_WS_STREAM, // the same with the event-stream bytes
    ENCODING_COUNT,
};

// Appends the frame in this encoding: 0, ERR_NOMEM or ERR_TOO_LARGE. Deterministic: the same frame
// gives the same bytes, so that a half-sent frame can be encoded again and continued.
int encoding_append(enum encoding encoding, const struct frame *frame, struct buf *out);

static inline bool encoding_is_ws(enum encoding encoding) {
    return encoding == ENCODING_WS_JSON || encoding == ENCODING_WS_STREAM;
}

// Appends a whole WebSocket frame: 0, ERR_NOMEM or ERR_TOO_LARGE, and then `out` is as it was.
int encoding_append_ws(struct buf *out, enum ws_opcode opcode, struct bytes payload);

#endif
