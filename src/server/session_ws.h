// The WebSocket session, for the files that make it up: session_ws.c (its life, frames) and
// session_ws_message.c (what a client says). It is a talk on a stream, whatever carries that: a
// connection of HTTP/1.1 after 101, or a stream of HTTP/2 after CONNECT. It has no socket and sends
// nothing: what it has to say waits in `out` until the hub asks for it, between two events. So it is
// stalled as they are, and what waits is limited. One thread: the worker's.
#ifndef SERVER_SESSION_WS_H
#define SERVER_SESSION_WS_H

#include "auth/identity.h"
#include "http/websocket_reader.h"
#include "server/stream.h"

enum {
    WS_UNREAD_MAX =
        256 * 1024,         // of answers and pongs that the client does not take, before another
    WS_WAITING_MAX = 1024,  // requests that wait, for the disk or their turn
    WS_WAITING_COST = 1024, // bytes that each is taken for
};

struct session_ws {
    struct talk talk; // first: a talk and its session are the same address
    struct stream *stream;
    struct identity *identity; // for whom the client speaks, with a reference; or NULL
    struct buf shown;          // what the backend of --auth-url gets to see of the client
    struct websocket_reader reader;
    struct buf out;      // whole frames
    struct list waiting; // requests whose answers are not there yet
    size_t waiting_count;
    size_t waiting_bytes; // of those that are kept while the backend is asked whether they may
    bool closing; // its last frame is in `out`, or has left it: nothing of what comes counts
};

// Before the stream joins: 0 or ERR_NOMEM. Takes a reference of its own, and a copy of `shown`.
int session_ws_begin(struct stream *stream, struct identity *identity, struct bytes shown);

// Says something: one text message.
void ws_say(struct session_ws *ws, struct bytes text);

// A message of the client, which is valid UTF-8: acts on it, and answers now or later.
void ws_take_message(struct session_ws *ws, struct bytes text);

// The session ends: whoever waits for an answer does so no longer.
void ws_drop_waiting(struct session_ws *ws);

// There is no memory to go on with: ends at once, without a word.
void ws_give_up(struct session_ws *ws);

#endif
