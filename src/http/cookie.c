// One walk over the Cookie headers: HTTP/2 may send one for each cookie, HTTP/1 sends one for all.
// What is malformed is passed over, as browsers' servers do.
#include "http/cookie.h"

static struct bytes unquote(struct bytes value) {
    bool quoted = value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"';
    return quoted ? bytes_make(value.at + 1, value.len - 2) : value;
}

static struct bytes find(struct bytes rest, struct bytes name) {
    while (rest.len) {
        const char *end = memchr(rest.at, ';', rest.len);
        struct bytes pair = bytes_make(rest.at, end ? (size_t)(end - rest.at) : rest.len);
        size_t used = pair.len + (end != NULL);
        rest = bytes_make(rest.at + used, rest.len - used);
        pair = bytes_trim(pair);
        const char *equals = pair.len ? memchr(pair.at, '=', pair.len) : NULL;
        if (equals && bytes_equal(bytes_make(pair.at, (size_t)(equals - pair.at)), name)) {
            size_t skip = name.len + 1;
            return unquote(bytes_make(pair.at + skip, pair.len - skip));
        }
    }
    return bytes_make(NULL, 0);
}

struct bytes http_cookie(const struct http_request *req, struct bytes name) {
    struct bytes value = {0};
    for (size_t i = 0; i < req->header_count && !value.at; i++) {
        if (bytes_equal_nocase(req->headers[i].name, bytes_of("cookie"))) {
            value = find(req->headers[i].value, name);
        }
    }
    return value;
}
