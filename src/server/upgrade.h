// From a request to a WebSocket: who may, and what is answered. One thread: the worker's.
#ifndef SERVER_UPGRADE_H
#define SERVER_UPGRADE_H

#include "server/stream.h"
#include "server/wish.h"

// Whether the handshake is right and the page, if it is one, may connect. False when it was refused,
// and the exchange is answered.
bool upgrade_check(struct exchange *exchange, const struct http_request *req, struct wish *wish);

// The head that accepts it; `cursor` must outlive it, and the wish.
void upgrade_compose_head(struct exchange *exchange, const struct wish *wish, struct bytes cursor,
                          struct reply *head);

// Has the stream speak WebSocket as was wished, for this identity (NULL: for nobody in particular),
// before it joins: 0 or ERR_NOMEM.
int upgrade_begin(struct stream *stream, struct identity *identity, const struct wish *wish);

#endif
