// Gives the headers about the message their meaning. A message that says a thing twice is refused
// even when both say the same: somebody upstream may have read only one of them.
#include "http/framing.h"

#include "http/host.h"
#include "http/token.h"

// How many headers have the name; *value is that of the last.
static size_t find_all(const struct http_request *req, const char *name, struct bytes *value) {
    size_t count = 0;
    for (size_t i = 0; i < req->header_count; i++) {
        if (bytes_equal_nocase(req->headers[i].name, bytes_of(name))) {
            *value = req->headers[i].value;
            count++;
        }
    }
    return count;
}

static int read_host(struct http_request *req) {
    struct bytes host = {0};
    size_t count = find_all(req, "host", &host);
    if (count == 0) {
        return req->minor ? HTTP_ERR_HOST_MISSING : 0;
    }
    if (count > 1) {
        return HTTP_ERR_HOST_REPEATED;
    }
    if (!http_host_valid(host)) {
        return HTTP_ERR_HOST;
    }
    if (req->authority.at && !bytes_equal_nocase(req->authority, host)) {
        return HTTP_ERR_HOST_DIFFERS;
    }
    req->authority = host;
    return 0;
}

// A leading zero is refused because somebody might read it as octal.
static int read_length(struct http_request *req, struct bytes value) {
    bool padded = value.len > 1 && value.at[0] == '0';
    if (padded || !bytes_to_u64(value, INT64_MAX, &req->content_length)) {
        return HTTP_ERR_LENGTH;
    }
    req->body = BODY_LENGTH;
    return 0;
}

// "chunked" alone is understood. Other codings before it could be, by somebody; any other list
// leaves the end of the body open.
static int read_coding(struct http_request *req, struct bytes value) {
    size_t count = 0;
    bool chunked = false;
    struct bytes coding;
    while (http_list_next(&value, ',', &coding)) {
        if (chunked || !http_is_token(coding)) {
            return HTTP_ERR_CODING;
        }
        chunked = bytes_equal_nocase(coding, bytes_of("chunked"));
        count++;
    }
    if (count == 0) {
        return HTTP_ERR_CODING;
    }
    req->body = BODY_CHUNKED;
    return chunked && count == 1 ? 0 : HTTP_ERR_CODING_UNSUPPORTED;
}

static int read_body(struct http_request *req) {
    struct bytes length = {0}, coding = {0};
    size_t lengths = find_all(req, "content-length", &length);
    size_t codings = find_all(req, "transfer-encoding", &coding);
    if (codings && req->minor == 0) {
        return HTTP_ERR_CODING_IN_1_0;
    }
    if (codings && lengths) {
        return HTTP_ERR_LENGTH_AND_CODING;
    }
    if (lengths > 1) {
        return HTTP_ERR_LENGTH_REPEATED;
    }
    if (codings) {
        return codings == 1 ? read_coding(req, coding) : HTTP_ERR_CODING;
    }
    return lengths ? read_length(req, length) : 0;
}

// RFC 9110, 10.1.1: in HTTP/1.0 the header means nothing.
static int read_expect(struct http_request *req) {
    struct bytes value = {0};
    size_t count = find_all(req, "expect", &value);
    if (count == 0 || req->minor == 0) {
        return 0;
    }
    req->expect_continue = bytes_equal_nocase(value, bytes_of("100-continue"));
    return req->expect_continue && count == 1 ? 0 : HTTP_ERR_EXPECT;
}

int http_framing_read(struct http_request *req) {
    int rc = read_host(req);
    rc = rc ? rc : read_body(req);
    rc = rc ? rc : read_expect(req);
    bool kept = req->minor == 1 || http_request_lists(req, "connection", "keep-alive");
    req->keep_alive = kept && !http_request_lists(req, "connection", "close");
    return rc;
}
