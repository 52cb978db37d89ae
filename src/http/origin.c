// Origins are compared part by part: the scheme as a whole, the host as a whole or by one label, the
// port as a whole or not at all. No prefix and no other wildcard, which is where such lists go wrong.
#include "http/origin.h"

#include "http/host.h"

struct parts {
    struct bytes scheme, host;
    struct bytes port; // without the colon; of no bytes: there is none
};

static bool is_scheme_char(char c) {
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
           c == '.';
}

// False when it is no scheme://host[:port], whatever host and port are.
static bool split(struct bytes text, struct parts *parts) {
    size_t len = 0;
    while (len < text.len && is_scheme_char(text.at[len])) {
        len++;
    }
    struct bytes rest = bytes_make(text.at + len, text.len - len);
    if (len == 0 || !bytes_starts_with(rest, "://")) {
        return false;
    }
    rest = bytes_make(rest.at + 3, rest.len - 3);
    const char *colon = rest.len ? memrchr(rest.at, ':', rest.len) : NULL;
    const char *bracket = rest.len ? memrchr(rest.at, ']', rest.len) : NULL;
    size_t host = colon && (!bracket || colon > bracket) ? (size_t)(colon - rest.at) : rest.len;
    *parts = (struct parts){.scheme = bytes_make(text.at, len), .host = bytes_make(rest.at, host)};
    if (host < rest.len) {
        parts->port = bytes_make(colon + 1, rest.len - host - 1);
    }
    return true;
}

static bool is_port(struct bytes text) {
    uint64_t number;
    return text.len <= 5 && bytes_to_u64(text, UINT16_MAX, &number);
}

static bool same_port(struct bytes port, struct bytes entry) {
    if (!port.at) {
        return !entry.at || bytes_is(entry, "*");
    }
    return is_port(port) && (bytes_is(entry, "*") || bytes_equal(port, entry));
}

static bool matches(struct bytes origin, struct bytes entry) {
    struct parts one, other;
    if (bytes_equal_nocase(origin, entry)) {
        return true;
    }
    return split(origin, &one) && split(entry, &other) &&
           bytes_equal_nocase(one.scheme, other.scheme) && same_port(one.port, other.port) &&
           http_host_matches(one.host, other.host);
}

enum http_origin_match http_origin_match(struct bytes origin, const struct bytes *list,
                                         size_t count) {
    enum http_origin_match best = HTTP_ORIGIN_UNKNOWN;
    for (size_t i = 0; i < count && origin.len; i++) {
        if (bytes_is(list[i], "*")) {
            best = HTTP_ORIGIN_ANY;
        } else if (matches(origin, list[i])) {
            return HTTP_ORIGIN_NAMED;
        }
    }
    return best;
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

bool http_origin_has_owner(const char *origin) {
    return strcmp(origin, "*") != 0 && strcmp(origin, "null") != 0;
}

bool http_origin_valid(struct bytes entry) {
    struct parts parts;
    if (bytes_is(entry, "*") || bytes_is(entry, "null")) {
        return true;
    }
    if (!split(entry, &parts) || !http_host_entry_valid(parts.host)) {
        return false;
    }
    return !parts.port.at || bytes_is(parts.port, "*") || is_port(parts.port);
}
