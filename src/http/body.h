// The body of a request, piece by piece, as Content-Length or chunks frame it. Nothing is copied or
// gathered: a piece is a slice of what was fed. How large a body may be is the caller's to count.
// Pure: any thread, no allocation.
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "base/bytes.h"
#include "http/request.h"

enum {
    HTTP_CHUNK_DIGITS_MAX = 15,     // hexadecimal digits of a chunk size, leading zeros included
    HTTP_CHUNK_EXTENSION_MAX = 256, // bytes of a chunk's extensions
    HTTP_TRAILERS_MAX = 4096,       // bytes of all trailers, which are checked and dropped
    HTTP_TRAILER_FIELDS_MAX = 16,
};

enum { HTTP_BODY_MORE = 0, HTTP_BODY_PIECE = 1, HTTP_BODY_DONE = 2 };

struct http_body {
    int state;          // private, or the error that ended it
    uint64_t left;      // bytes to come of the body, or of the chunk
    size_t digits, run; // of the chunk's size; of its extension or of the trailers
    struct http_scan trailers;
};

// For a request whose head was parsed; BODY_NONE is done at once.
void http_body_init(struct http_body *body, const struct http_request *req);

// Takes what it can from the front of *in, which moves up. HTTP_BODY_PIECE: *piece is the next
// data, never empty, a slice of the input; call again. HTTP_BODY_MORE: all of *in is used up.
// HTTP_BODY_DONE: what is left in *in belongs to the next request; from then on the answer stays
// the same. Otherwise an enum http_error, for ever: answer and close.
int http_body_feed(struct http_body *body, struct bytes *in, struct bytes *piece);

#endif
