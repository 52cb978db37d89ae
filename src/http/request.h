// The head of an HTTP/1.x request, parsed strictly: what two parsers could read in two ways is
// refused (docs/design/strict-requests.md). Pure: any thread, no allocation; every slice points
// into the bytes of the caller and lives as long as they do and stay where they are.
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/bytes.h"
#include "http/error.h"
#include "http/scan.h"

enum { HTTP_MAX_HEADERS = 64 };

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_PATCH,
    HTTP_OTHER, // method_text says which
};

enum http_body_kind { BODY_NONE, BODY_LENGTH, BODY_CHUNKED };

struct http_header {
    struct bytes name, value; // the value without the blanks around it; it may hold bytes over 0x7f
};

struct http_limits {
    size_t max_head;    // bytes up to and including the empty line; over it: 431
    size_t max_headers; // 0 or anything above HTTP_MAX_HEADERS stands for HTTP_MAX_HEADERS
    size_t max_target;  // 0: only max_head bounds it; over it: 414
};

struct http_request {
    enum http_method method;
    struct bytes method_text;
    struct bytes target;    // as sent
    struct bytes path;      // raw, from '/' up to '?'; "*" for OPTIONS *; "/" if a URL has no path
    struct bytes query;     // raw, after '?'; .at NULL when there is no '?'
    struct bytes authority; // host[:port]: of an absolute target, else of Host; .at NULL: neither
    int minor;              // HTTP/1.0 or 1.1
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t header_count;
    enum http_body_kind body;
    uint64_t content_length; // of BODY_LENGTH; at most INT64_MAX
    bool keep_alive;         // the peer is willing; the answer decides
    bool expect_continue;    // it waits for "100 Continue" before it sends the body

    struct http_scan scan; // private: where the parser stands between calls
};

// Parses the head at the front of `bytes`. More than 0: the bytes it takes, and *req is filled. 0:
// it is not complete yet; call again with the same bytes and more behind them, the same *req and
// the same *scanned (they may have moved; no byte is looked at twice). Otherwise an enum
// http_error: answer and close, nothing behind it can be trusted. *scanned must be 0 at the start
// of a request; *req needs no preparation. One empty line before the request line is skipped (and
// counted).
int http_request_parse(struct http_request *req, struct http_limits limits, const char *bytes,
                       size_t len, size_t *scanned);

// The value of the first header of that name, in any case; .at NULL when there is none.
struct bytes http_request_header(const struct http_request *req, const char *name);

// Whether any header of that name is a comma-separated list with this element, in any case:
// http_request_lists(req, "connection", "upgrade").
bool http_request_lists(const struct http_request *req, const char *name, const char *element);

#endif
