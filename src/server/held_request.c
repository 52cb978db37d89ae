// The struct, and behind it the text that its slices point to.
#include "server/held_request.h"

#include <stdlib.h>

struct held_request {
    struct http_request req;
    char text[];
};

static size_t size_of(const struct http_request *req) {
    size_t size = req->method_text.len + req->target.len + req->path.len + req->query.len +
                  req->authority.len;
    for (size_t i = 0; i < req->header_count; i++) {
        size += req->headers[i].name.len + req->headers[i].value.len;
    }
    return size;
}

// A slice that is absent stays so.
static void move_slice(struct bytes *slice, char **end) {
    if (slice->at) {
        memcpy(*end, slice->at, slice->len);
        slice->at = *end;
        *end += slice->len;
    }
}

struct held_request *held_request_create(const struct http_request *req) {
    struct held_request *held = malloc(sizeof(*held) + size_of(req));
    if (!held) {
        return NULL;
    }
    char *end = held->text;
    held->req = *req;
    move_slice(&held->req.method_text, &end);
    move_slice(&held->req.target, &end);
    move_slice(&held->req.path, &end);
    move_slice(&held->req.query, &end);
    move_slice(&held->req.authority, &end);
    for (size_t i = 0; i < req->header_count; i++) {
        move_slice(&held->req.headers[i].name, &end);
        move_slice(&held->req.headers[i].value, &end);
    }
    return held;
}

void held_request_destroy(struct held_request *held) {
    free(held);
}

const struct http_request *held_request_get(const struct held_request *held) {
    return &held->req;
}
