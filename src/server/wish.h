// What a subscriber wishes for, read from its request: topics, a place to start, a representation.
#ifndef SERVER_WISH_H
#define SERVER_WISH_H

#include "http/negotiate.h"
#include "http/websocket.h"
#include "hub/selection.h"
#include "server/exchange.h"

enum wish_start {
    WISH_NOW,      // from here on
    WISH_EARLIEST, // everything there is
    WISH_AFTER,    // after `cursor`, an id in text
    WISH_SINCE,    // from `since_ms`
    WISH_LAST,     // the newest `last`
};

enum { CURSOR_TEXT_MAX = 256, READ_EVENTS_MAX = 1000000, WISH_TYPES_MAX = SELECTION_TYPES_MAX };

struct wish {
    struct buf text;    // holds what the slices point to
    struct bytes query; // the request's own, and as long there as that
    struct bytes *names;
    size_t name_count, type_count;
    struct bytes types[WISH_TYPES_MAX]; // 0 of them: all
    enum http_representation representation;
    enum wish_start start;
    struct bytes cursor;
    int64_t since_ms, wait_ms;
    uint64_t last, limit; // limit 0: none
    bool at_once;         // a wait of 0 was asked for
    bool control;
    bool envelope;
    bool by_header;     // the cursor was a header, not in the URL
    bool personal;      // it carries what says whose it is
    struct bytes known; // the value of If-None-Match, and as long there as the request
    bool gzip;          // what it gets is to be compressed
    bool websocket;     // instead of the representation
    enum websocket_protocol protocol;
    struct buf
        shown; // of a WebSocket: what the backend of --auth-url gets to see, as auth_hook_keep
    char accept[WEBSOCKET_ACCEPT_LEN]; // what the handshake proves, if it has a key
    bool latest;                       // only the newest of each key, of what is in the past
    event_id snapshot; // up to where a snapshot goes that was begun before; 0: it begins here
};

// Reads the request. True when all is well; else the exchange has been answered. In both cases
// wish_finish must follow.
bool wish_read(struct wish *wish, struct exchange *exchange, const struct http_request *req);
void wish_finish(struct wish *wish);

// Why nobody may listen to what has this name, a topic or a pattern: a sentence, or NULL. Whatever a
// listener asks for passes here, in a subscribe or in a change. Any thread.
const char *wish_topic_problem(struct bytes name);

// The topic in a path below /events/, decoded into `into`: false when there is none or the exchange
// was answered because it is malformed.
bool wish_path_topic(struct exchange *exchange, struct bytes path, struct buf *into,
                     struct bytes *topic);

#endif
