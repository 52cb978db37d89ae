// Filling templates. A place is a claim's name between braces; braces mean nothing else in a grant.
#include "auth/template.h"

#include "auth/claims.h"
#include "base/error.h"
#include "hub/topic.h"

// Up to the next place: *before is the text in front of it, *name the claim. False when there is none;
// then *before is the rest.
static bool next_place(struct bytes *rest, struct bytes *before, struct bytes *name) {
    const char *open = rest->len ? memchr(rest->at, '{', rest->len) : NULL;
    if (!open) {
        *before = *rest;
        return false;
    }
    const char *end = rest->at + rest->len;
    const char *close = memchr(open, '}', (size_t)(end - open));
    *before = bytes_make(rest->at, (size_t)(open - rest->at));
    *name = close ? bytes_make(open + 1, (size_t)(close - open - 1)) : bytes_make(open, 0);
    *rest = close ? bytes_make(close + 1, (size_t)(end - close - 1)) : bytes_make(end, 0);
    return true;
}

const char *template_problem(struct bytes text) {
    struct bytes rest = text, before, name;
    while (next_place(&rest, &before, &name)) {
        if (name.len == 0) {
            return "a place for a value is written {claim}, as in users/{sub}/*";
        }
    }
    return topic_problem(text);
}

int template_fill(struct bytes text, struct bytes claims, struct buf *out) {
    struct bytes rest = text, before, name;
    size_t start = out->len;
    int rc = 0;
    bool more = true;
    while (rc == 0 && more) {
        more = next_place(&rest, &before, &name);
        rc = buf_append(out, before.at, before.len);
        if (rc == 0 && more) {
            rc = claims_segment(claims, name, out);
        }
    }
    // Together they may make a wildcard that none of them was: `{a}` next to `*`.
    if (rc == 0 && topic_problem(bytes_make(out->at + start, out->len - start))) {
        rc = ERR_NOT_FOUND;
    }
    if (rc) {
        out->len = start;
    }
    return rc;
}
