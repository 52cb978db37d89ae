// Composing the heads of responses, and problem documents (RFC 9457). A header that would break
// the framing (CR, LF or another control in it) is refused, never mended. Pure: any thread; memory
// is the caller's buffers'.
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "base/buf.h"
#include "http/error.h"
#include "http/request.h"

enum http_connection {
    HTTP_CONNECTION_SILENT,     // no Connection header: HTTP/1.1 stays open
    HTTP_CONNECTION_CLOSE,      // "Connection: close"
    HTTP_CONNECTION_UPGRADE,    // "Connection: Upgrade", for 101
    HTTP_CONNECTION_KEEP_ALIVE, // "Connection: keep-alive", for HTTP/1.0
};

struct http_response {
    int status;
    struct bytes date; // http_date_at(); empty: no Date
    const struct http_header *headers;
    size_t header_count;
    bool has_length; // false: the body ends with the connection, or there can be none (101, 204,
                     // 304)
    uint64_t length; // Content-Length
    enum http_connection connection;
};

// Appends the status line, the headers and the empty line. 0; ERR_INVALID (a header that is no
// header, a status that has not three digits), ERR_NOMEM or ERR_TOO_LARGE, and then `out` is as it
// was.
int http_response_head(struct buf *out, const struct http_response *response);

// "OK" for 200; for a status that has no phrase here, that of its class. Never NULL.
const char *http_reason(int status);

// Appends {"type":"about:blank","title":…,"status":…,"detail":…}; detail must be valid UTF-8; an
// empty one is left out. 0, ERR_NOMEM or ERR_TOO_LARGE, and then `out` is as it was.
int http_problem_body(struct buf *out, int status, struct bytes detail);

#endif
