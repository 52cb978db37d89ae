// From a request's path and method to the handler that answers it.
#ifndef SERVER_ROUTER_H
#define SERVER_ROUTER_H

#include "server/exchange.h"

// NULL when the request was answered here: no such path, a method that it does not have, OPTIONS.
const struct handler *router_find(struct exchange *exchange, const struct http_request *req);

// The head of a request is in hand: notes for whom it speaks and from which page, finds its route and
// begins it. `has_body`: there is more to come than the head. 0, also when it was answered here, or the
// error of the handler's `begin`.
int router_begin(struct exchange *exchange, const struct http_request *req, bool has_body);

#endif
