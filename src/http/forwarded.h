// Whose request it is, as the proxies on its way say: X-Forwarded-For, or Forwarded (RFC 7239).
// Pure: any thread, nothing is allocated.
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "http/request.h"

enum http_forwarded_kind { HTTP_X_FORWARDED_FOR, HTTP_FORWARDED };

// One end of a hop.
struct http_node {
    uint8_t ip[16]; // IPv4 as ::ffff:a.b.c.d; all zero: not on a network
    uint16_t port;  // 0: not said
};

// Whether what this node says of the one before it may be believed.
typedef bool http_believes(void *ctx, const struct http_node *node);

// Before: *node is the peer. After: the client. It goes back from the peer, whose word stands last
// in the list, to the first that is not believed; what stands before that is its own invention and
// is not read. It ends early where nobody says more, or one will not say ("unknown", "_hidden"). 0,
// or ERR_INVALID when a word that had to be believed is malformed; *node is then still the peer.
int http_forwarded_client(const struct http_request *req, enum http_forwarded_kind kind,
                          http_believes *believes, void *ctx, struct http_node *node);

#endif
