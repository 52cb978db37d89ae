// Percent-decoding and encoding. A decoded text is never longer than the raw one, so its room is
// reserved once and the loops cannot fail for want of it.
#include "http/url.h"

#include "base/error.h"

static int digit_of(char c) {
    char lower = (char)(c | 0x20);
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte that the escape at the front stands for; -1 when it is none.
static int unescape(struct bytes text) {
    int high = text.len > 2 ? digit_of(text.at[1]) : -1;
    int low = text.len > 2 ? digit_of(text.at[2]) : -1;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static int decode(struct bytes text, bool plus_is_space, struct buf *out) {
    int rc = buf_reserve(out, text.len);
    size_t len = out->len;
    for (size_t i = 0; i < text.len && rc == 0; i++) {
        int c = (unsigned char)text.at[i];
        if (c == '%') {
            c = unescape(bytes_make(text.at + i, text.len - i));
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c <= 0) { // a NUL is refused whether it came as one or as %00
            rc = ERR_INVALID;
        } else {
            out->at[len++] = (char)c;
        }
    }
    out->len = rc ? out->len : len;
    return rc;
}

int http_path_decode(struct bytes path, struct buf *out) {
    return decode(path, false, out);
}

int http_query_init(struct http_query_iter *iter, struct bytes query, struct buf *into) {
    *iter = (struct http_query_iter){.rest = query, .into = into};
    return buf_reserve(into, query.len);
}

// Up to the first `stop`, which is dropped, or to the end.
static struct bytes take(struct bytes *rest, char stop) {
    const char *end = rest->len ? memchr(rest->at, stop, rest->len) : NULL;
    struct bytes taken = bytes_make(rest->at, end ? (size_t)(end - rest->at) : rest->len);
    size_t used = taken.len + (end ? 1 : 0);
    *rest = bytes_make(used ? rest->at + used : rest->at, rest->len - used);
    return taken;
}

static int decode_part(struct http_query_iter *iter, struct bytes raw, struct bytes *out) {
    size_t start = iter->into->len;
    int rc = decode(raw, true, iter->into);
    if (rc == 0) {
        size_t len = iter->into->len - start;
        *out = len ? bytes_make(iter->into->at + start, len) : bytes_make("", 0);
    }
    return rc;
}

int http_query_next(struct http_query_iter *iter, struct bytes *name, struct bytes *value) {
    struct bytes parameter = {0};
    while (iter->rest.len && parameter.len == 0) {
        parameter = take(&iter->rest, '&');
    }
    if (parameter.len == 0) {
        return 0;
    }
    struct bytes raw_name = take(&parameter, '=');
    int rc = decode_part(iter, raw_name, name);
    rc = rc ? rc : decode_part(iter, parameter, value);
    return rc ? rc : 1;
}

static bool is_plain(char c, const char *keep) {
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           (c && (strchr("-._~", c) || strchr(keep, c)));
}

int http_url_encode(struct bytes text, const char *keep, struct buf *out) {
    static const char hex[] = "0123456789ABCDEF";
    size_t before = out->len;
    int rc = 0;
    for (size_t i = 0; i < text.len && rc == 0; i++) {
        unsigned char c = (unsigned char)text.at[i];
        char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
        bool plain = is_plain(text.at[i], keep);
        rc = plain ? buf_append(out, text.at + i, 1) : buf_append(out, escape, sizeof(escape));
    }
    out->len = rc ? before : out->len;
    return rc;
}

bool http_url_is_address(struct bytes url) {
    size_t scheme = bytes_starts_with(url, "http://")    ? strlen("http://")
                    : bytes_starts_with(url, "https://") ? strlen("https://")
                                                         : url.len;
    return scheme < url.len && url.at[scheme] != '/' && !bytes_have_control(url) &&
           !memchr(url.at, ' ', url.len);
}
