// A copy of a request's head, for a route that begins later than the head is there. It owns its memory,
// no more than the head had.
#ifndef SERVER_HELD_REQUEST_H
#define SERVER_HELD_REQUEST_H

#include "http/request.h"

struct held_request;

// NULL when there is no memory.
struct held_request *held_request_create(const struct http_request *req);

// NULL is fine.
void held_request_destroy(struct held_request *held);

const struct http_request *held_request_get(const struct held_request *held);

#endif
