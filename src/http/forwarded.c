// Back along the proxies. The list is taken apart from its end, because its end is what the nearest
// proxy wrote: a client that opens a quotation and leaves it open harms only what it wrote itself.
#include "http/forwarded.h"

#include "base/error.h"
#include "base/ip.h"
#include "http/token.h"

enum { HIDDEN = 1 };

static bool parse_v4(struct bytes text, struct http_node *out) {
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nobody[4];
    uint8_t *v4 = out->ip + sizeof(prefix);
    memcpy(out->ip, prefix, sizeof(prefix));
    return ip_parse_v4(text, v4) && memcmp(v4, nobody, sizeof(nobody)) != 0;
}

static bool parse_v6(struct bytes text, struct http_node *out) {
    static const uint8_t nobody[16];
    return ip_parse_v6(text, out->ip) && memcmp(out->ip, nobody, sizeof(nobody)) != 0;
}

static bool is_obfuscated(struct bytes text) {
    return text.len > 1 && text.at[0] == '_' && http_is_token(text);
}

// What follows an address: nothing, ":1234", or ":_hidden".
static bool parse_port(struct bytes text, struct http_node *out) {
    uint64_t port = 0;
    if (text.len == 0) {
        return true;
    }
    text = bytes_make(text.at + 1, text.len - 1);
    if (!is_obfuscated(text) && (text.len > 5 || !bytes_to_u64(text, UINT16_MAX, &port))) {
        return false;
    }
    out->port = (uint16_t)port;
    return true;
}

// host[:port] or [v6][:port]: cuts it in two. The port keeps its colon.
static bool split(struct bytes node, struct bytes *host, struct bytes *port) {
    bool bracketed = node.len && node.at[0] == '[';
    const char *end = memchr(node.at, bracketed ? ']' : ':', node.len);
    size_t len = end ? (size_t)(end - node.at) : node.len;
    if (bracketed && !end) {
        return false;
    }
    *host = bracketed ? bytes_make(node.at + 1, len - 1) : bytes_make(node.at, len);
    len += bracketed ? 1 : 0;
    *port = bytes_make(node.at + len, node.len - len);
    return port->len == 0 || port->at[0] == ':';
}

static bool is_bare_v6(struct bytes node) {
    const char *colon = memchr(node.at, ':', node.len);
    return colon && memchr(colon + 1, ':', node.len - (size_t)(colon + 1 - node.at));
}

// 0, HIDDEN or ERR_INVALID.
static int parse_node(struct bytes text, enum http_forwarded_kind kind, struct http_node *out) {
    struct bytes host, port = {.at = text.at};
    bool v6 = text.len && text.at[0] == '[';
    *out = (struct http_node){0};
    if (kind == HTTP_X_FORWARDED_FOR && !v6 && is_bare_v6(text)) {
        v6 = true;
        host = text;
    } else if (!split(text, &host, &port)) {
        return ERR_INVALID;
    }
    if (!parse_port(port, out)) {
        return ERR_INVALID;
    }
    if (!v6 && (bytes_equal_nocase(host, bytes_of("unknown")) || is_obfuscated(host))) {
        return HIDDEN;
    }
    return (v6 ? parse_v6(host, out) : parse_v4(host, out)) ? 0 : ERR_INVALID;
}

// The value of a parameter, without its quotes: a node needs no escapes, so there may be none.
static bool unquote(struct bytes *value) {
    if (value->len == 0 || value->at[0] != '"') {
        return http_is_token(*value);
    }
    if (value->len < 2 || value->at[value->len - 1] != '"') {
        return false;
    }
    *value = bytes_make(value->at + 1, value->len - 2);
    return !memchr(value->at, '"', value->len) && !memchr(value->at, '\\', value->len);
}

// for=…;proto=…;by=… 0, HIDDEN or ERR_INVALID.
static int parse_element(struct bytes element, struct http_node *out) {
    struct bytes pair, node = {0};
    while (http_list_next(&element, ';', &pair)) {
        const char *equals = memchr(pair.at, '=', pair.len);
        size_t len = equals ? (size_t)(equals - pair.at) : pair.len;
        struct bytes name = bytes_make(pair.at, len);
        if (!equals || !http_is_token(name)) {
            return ERR_INVALID;
        }
        if (bytes_equal_nocase(name, bytes_of("for"))) {
            bool again = node.at;
            node = bytes_make(pair.at + len + 1, pair.len - len - 1);
            if (again || !unquote(&node)) {
                return ERR_INVALID;
            }
        }
    }
    return node.at ? parse_node(node, HTTP_FORWARDED, out) : HIDDEN;
}

// Where the last element begins. A comma between quotes does not part elements.
static size_t last_element(struct bytes list, enum http_forwarded_kind kind) {
    bool quoted = false;
    for (size_t i = list.len; i; i--) {
        char c = list.at[i - 1];
        quoted ^= kind == HTTP_FORWARDED && c == '"';
        if (c == ',' && !quoted) {
            return i;
        }
    }
    return 0;
}

// The list of a request goes on over all headers of that name, the last of them first here.
struct walk {
    const struct http_request *req;
    enum http_forwarded_kind kind;
    size_t headers; // that were not read yet
    struct bytes list;
};

static bool next_list(struct walk *walk) {
    const char *name = walk->kind == HTTP_FORWARDED ? "forwarded" : "x-forwarded-for";
    while (walk->headers) {
        const struct http_header *header = &walk->req->headers[--walk->headers];
        if (bytes_equal_nocase(header->name, bytes_of(name))) {
            walk->list = header->value;
            return true;
        }
    }
    return false;
}

static bool next_element(struct walk *walk, struct bytes *element) {
    while (walk->list.len || next_list(walk)) {
        size_t from = last_element(walk->list, walk->kind);
        *element = bytes_trim(bytes_make(walk->list.at + from, walk->list.len - from));
        walk->list.len = from ? from - 1 : 0;
        if (element->len) {
            return true;
        }
    }
    return false;
}

int http_forwarded_client(const struct http_request *req, enum http_forwarded_kind kind,
                          http_believes *believes, void *ctx, struct http_node *node) {
    struct walk walk = {.req = req, .kind = kind, .headers = req->header_count};
    struct http_node at = *node, before;
    struct bytes element;
    while (believes(ctx, &at) && next_element(&walk, &element)) {
        int rc = kind == HTTP_FORWARDED ? parse_element(element, &before)
                                        : parse_node(element, kind, &before);
        if (rc < 0) {
            return rc;
        }
        if (rc == HIDDEN) {
            break;
        }
        at = before;
    }
    *node = at;
    return 0;
}
