// A string of RFC 9651 without parameters, or visible characters. A bare key has none of those that
// part or quote elements of a list: two keys that a proxy has joined are not a third.
#include "http/idempotency_key.h"

#include "base/error.h"

static int read_quoted(struct bytes inner, char *out) {
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        bool escaped = inner.at[i] == '\\';
        char c = escaped ? (++i < inner.len ? inner.at[i] : '\0') : inner.at[i];
        bool quotes = c == '"' || c == '\\';
        if (c < ' ' || c > '~' || quotes != escaped) {
            return ERR_INVALID;
        }
        if (len == HTTP_KEY_MAX) {
            return ERR_TOO_LARGE;
        }
        out[len++] = c;
    }
    return len ? (int)len : ERR_INVALID;
}

static int read_bare(struct bytes value, char *out) {
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] <= ' ' || value.at[i] > '~' || strchr("\",;\\", value.at[i])) {
            return ERR_INVALID;
        }
    }
    if (value.len > HTTP_KEY_MAX) {
        return ERR_TOO_LARGE;
    }
    memcpy(out, value.at, value.len);
    return value.len ? (int)value.len : ERR_INVALID;
}

int http_idempotency_key(struct bytes value, char out[HTTP_KEY_MAX]) {
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"') {
        return read_quoted(bytes_make(value.at + 1, value.len - 2), out);
    }
    return read_bare(value, out);
}
