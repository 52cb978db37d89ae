// The opening handshake of WebSocket (RFC 6455, 4): what a request must say, and what is said to it.
// Over HTTP/2 (RFC 8441) there is neither key nor upgrade; everything else is the same. Pure: any
// thread, no state.
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include "http/request.h"

enum { WEBSOCKET_ACCEPT_LEN = 28 };

// The subprotocols that are known here, by the form in which events come.
enum websocket_protocol {
    WEBSOCKET_NONE,   // the client named none that is known: JSON, and nothing is said of it
    WEBSOCKET_JSON,   // "freshet.json"
    WEBSOCKET_STREAM, // "freshet.stream": the event-stream bytes
};

// Whether a request of HTTP/1.1 asks to go on as WebSocket. What asks for other upgrades is served as
// if it did not.
bool websocket_wanted(const struct http_request *req);

// What is wrong with the handshake, or status 0. 426 is to be answered with Sec-WebSocket-Version: 13.
// `keyed`: it needs a key.
struct http_problem websocket_check(const struct http_request *req, bool keyed);

// What proves that the key was read: 0 or ERR_NOMEM.
int websocket_accept(struct bytes key, char out[WEBSOCKET_ACCEPT_LEN]);

// The first of those that the client names, in its order; its name, or NULL for WEBSOCKET_NONE.
enum websocket_protocol websocket_choose(const struct http_request *req);
const char *websocket_protocol_name(enum websocket_protocol protocol);

#endif
