// Two passes, each over every byte once: the scan (scan.h) finds the end of the head and refuses
// what is no head; then, once, the slices are cut and given their meaning (framing.h). What
// arrives in crumbs costs the same as what arrives whole, and is refused with the same number.
#include "http/request.h"

#include <limits.h>

#include "base/error.h"
#include "http/framing.h"
#include "http/host.h"
#include "http/token.h"

static struct http_scan_limits scan_limits(struct http_limits limits) {
    bool most = limits.max_headers == 0 || limits.max_headers > HTTP_MAX_HEADERS;
    return (struct http_scan_limits){
        .target = limits.max_target ? limits.max_target : SIZE_MAX,
        .fields = most ? HTTP_MAX_HEADERS : limits.max_headers,
    };
}

// The scan has seen that `stop` is there.
static struct bytes take(struct bytes *rest, char stop) {
    const char *end = memchr(rest->at, stop, rest->len);
    struct bytes taken = bytes_make(rest->at, (size_t)(end - rest->at));
    *rest = bytes_make(end + 1, rest->len - taken.len - 1);
    return taken;
}

static void skip(struct bytes *rest, size_t n) {
    *rest = bytes_make(rest->at + n, rest->len - n);
}

static enum http_method method_of(struct bytes text) {
    static const char *const names[HTTP_OTHER] = {
        [HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",     [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
        [HTTP_PATCH] = "PATCH",
    };
    for (int i = 0; i < HTTP_OTHER; i++) {
        if (bytes_is(text, names[i])) {
            return (enum http_method)i;
        }
    }
    return HTTP_OTHER;
}

static void cut(struct http_request *req, struct bytes rest) {
    if (rest.at[0] == '\r') {
        skip(&rest, 2);
    }
    req->method_text = take(&rest, ' ');
    req->method = method_of(req->method_text);
    req->target = take(&rest, ' ');
    struct bytes version = take(&rest, '\r');
    req->minor = version.at[version.len - 1] - '0';
    skip(&rest, 1);
    while (rest.at[0] != '\r') {
        struct http_header *header = &req->headers[req->header_count++];
        header->name = take(&rest, ':');
        header->value = bytes_trim(take(&rest, '\r'));
        skip(&rest, 1);
    }
}

static bool has_scheme(struct bytes target, const char *scheme) {
    size_t len = strlen(scheme);
    return target.len > len && bytes_equal_nocase(bytes_make(target.at, len), bytes_of(scheme));
}

// Cuts scheme and authority off a target in absolute form.
static int take_authority(struct http_request *req, struct bytes *rest) {
    size_t scheme = has_scheme(*rest, "http://") ? 7 : has_scheme(*rest, "https://") ? 8 : 0;
    if (scheme == 0) {
        return HTTP_ERR_TARGET;
    }
    skip(rest, scheme);
    size_t len = 0;
    while (len < rest->len && rest->at[len] != '/' && rest->at[len] != '?') {
        len++;
    }
    req->authority = bytes_make(rest->at, len);
    skip(rest, len);
    return http_host_valid(req->authority) ? 0 : HTTP_ERR_TARGET;
}

static int read_target(struct http_request *req) {
    struct bytes rest = req->target;
    if (rest.at[0] == '*') {
        req->path = rest;
        return rest.len == 1 && req->method == HTTP_OPTIONS ? 0 : HTTP_ERR_TARGET;
    }
    int rc = rest.at[0] == '/' ? 0 : take_authority(req, &rest);
    if (rc) {
        return rc;
    }
    const char *mark = rest.len ? memchr(rest.at, '?', rest.len) : NULL;
    size_t len = mark ? (size_t)(mark - rest.at) : rest.len;
    req->path = len ? bytes_make(rest.at, len) : bytes_of("/");
    if (mark) {
        req->query = bytes_make(mark + 1, rest.len - len - 1);
    }
    return 0;
}

static int interpret(struct http_request *req, struct bytes head) {
    *req = (struct http_request){.scan = req->scan};
    cut(req, head);
    int rc = read_target(req);
    return rc ? rc : http_framing_read(req);
}

int http_request_parse(struct http_request *req, struct http_limits limits, const char *bytes,
                       size_t len, size_t *scanned) {
    size_t ceiling = limits.max_head < INT_MAX ? limits.max_head : INT_MAX;
    size_t most = len < ceiling ? len : ceiling;
    if (*scanned == 0) {
        http_scan_init_head(&req->scan);
    }
    // The limits may have shrunk since the last call, when the configuration was read again.
    size_t fresh = most > *scanned ? most - *scanned : 0;
    int64_t end =
        fresh ? http_scan_feed(&req->scan, scan_limits(limits), bytes + *scanned, fresh) : 0;
    if (end < 0) {
        return (int)end;
    }
    if (end > 0) {
        *scanned += (size_t)end;
        int rc = interpret(req, bytes_make(bytes, *scanned));
        return rc ? rc : (int)*scanned;
    }
    *scanned += fresh;
    if (*scanned < ceiling) {
        return 0;
    }
    return http_scan_in_target(&req->scan) ? HTTP_ERR_TARGET_TOO_LONG : HTTP_ERR_HEAD_TOO_LARGE;
}

struct bytes http_request_header(const struct http_request *req, const char *name) {
    for (size_t i = 0; i < req->header_count; i++) {
        if (bytes_equal_nocase(req->headers[i].name, bytes_of(name))) {
            return req->headers[i].value;
        }
    }
    return (struct bytes){0};
}

bool http_request_lists(const struct http_request *req, const char *name, const char *element) {
    for (size_t i = 0; i < req->header_count; i++) {
        struct bytes list = req->headers[i].value, piece;
        while (bytes_equal_nocase(req->headers[i].name, bytes_of(name)) &&
               http_list_next(&list, ',', &piece)) {
            if (bytes_equal_nocase(piece, bytes_of(element))) {
                return true;
            }
        }
    }
    return false;
}
