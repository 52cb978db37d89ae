// From a request's path and method to the handler that answers it.
#ifndef SERVER_ROUTER_H
#define SERVER_ROUTER_H

#include "server/exchange.h"

// NULL when the request was answered here: no such path, a method that it does not have, OPTIONS.
const struct handler *router_find(struct exchange *exchange, const struct http_request *req);

#endif
