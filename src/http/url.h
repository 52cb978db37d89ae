// URLs in parts: decoding what is percent-encoded in paths and queries, and encoding it again. What
// decodes to a NUL or has a malformed escape is refused; whether the result is UTF-8 is for whoever
// reads it. Pure: any thread; memory is the caller's buffers'.
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/buf.h"
#include "base/bytes.h"

// Appends `path` (or a part of one), decoded, to `out`. 0; ERR_INVALID, ERR_NOMEM or ERR_TOO_LARGE,
// and then `out` is as it was.
int http_path_decode(struct bytes path, struct buf *out);

// The parameters of a query: name[=value], parted by '&'; a '+' is a space.
struct http_query_iter {
    struct bytes rest;
    struct buf *into;
};

// Reserves what all of the query can take in `into`, so that this is the only call that can fail
// for want of memory (ERR_NOMEM, ERR_TOO_LARGE), and every name and value that comes stays valid
// while the caller leaves `into` alone.
int http_query_init(struct http_query_iter *iter, struct bytes query, struct buf *into);

// 1: the next parameter, decoded into the buffer (a value that is absent is empty); empty ones, as
// in "a&&b", are skipped. 0: there is none left. ERR_INVALID: a bad escape or a NUL.
int http_query_next(struct http_query_iter *iter, struct bytes *name, struct bytes *value);

// Whether it is an address to send requests to: http:// or https://, a host, and nothing that would end
// the line of a request.
bool http_url_is_address(struct bytes url);

// Appends `text` with everything but letters, digits, "-._~" and the bytes in `keep`
// percent-encoded: keep "/" for a path, "" for a query. 0, ERR_NOMEM or ERR_TOO_LARGE; then `out`
// is as it was.
int http_url_encode(struct bytes text, const char *keep, struct buf *out);

#endif
