// Origins are compared as wholes: no prefix, suffix or pattern, which is where such lists go wrong.
#include "http/origin.h"

#include "http/host.h"

bool http_origin_allowed(struct bytes origin, const struct bytes *list, size_t count) {
    for (size_t i = 0; i < count && origin.len; i++) {
        if (bytes_is(list[i], "*") || bytes_equal_nocase(origin, list[i])) {
            return true;
        }
    }
    return false;
}

static bool has_host(struct bytes origin, struct bytes authority) {
    const char *scheme = origin.len ? memmem(origin.at, origin.len, "://", 3) : NULL;
    size_t skip = scheme ? (size_t)(scheme - origin.at) + 3 : 0;
    return scheme && authority.len &&
           bytes_equal_nocase(bytes_make(origin.at + skip, origin.len - skip), authority);
}

bool http_origin_is_own(const struct http_request *req) {
    struct bytes origin = http_request_header(req, "origin");
    struct bytes site = http_request_header(req, "sec-fetch-site");
    if (site.at) {
        return bytes_is(site, "same-origin") || bytes_is(site, "none");
    }
    return !origin.at || has_host(origin, req->authority);
}

static bool is_scheme_char(char c) {
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
           c == '.';
}

bool http_origin_valid(struct bytes entry) {
    if (bytes_is(entry, "*") || bytes_is(entry, "null")) {
        return true;
    }
    size_t len = 0;
    while (len < entry.len && is_scheme_char(entry.at[len])) {
        len++;
    }
    if (len == 0) {
        return false;
    }
    struct bytes rest = bytes_make(entry.at + len, entry.len - len);
    return bytes_starts_with(rest, "://") && http_host_valid(bytes_make(rest.at + 3, rest.len - 3));
}
