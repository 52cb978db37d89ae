// The policy: what the client wrote stays as it wrote it, also what freshet does not know, and only the
// query is given, because behind a proxy nobody here knows the path that the client asked for.
#include "server/next_page.h"

#include "base/error.h"
#include "http/url.h"

// Where to start, or a ticket, which is used up.
static bool is_for_this_request(struct bytes name) {
    return bytes_is(name, "last_event_id") || bytes_is(name, "since") || bytes_is(name, "last") ||
           bytes_is(name, "ticket");
}

// 1, 0, or a negative error.
static int is_kept(struct bytes parameter, event_id snapshot) {
    const char *equals = memchr(parameter.at, '=', parameter.len);
    size_t len = equals ? (size_t)(equals - parameter.at) : parameter.len;
    struct buf name;
    buf_init(&name, &mem_libc, 0);
    int rc = http_path_decode(bytes_make(parameter.at, len), &name);
    rc = rc ? rc
            : !is_for_this_request(buf_bytes(&name)) &&
                  !(snapshot && bytes_is(buf_bytes(&name), "latest"));
    buf_finish(&name);
    return rc;
}

// What could end a reference, or is not allowed in one, is escaped; the rest is escaped already.
static int append_safe(struct bytes text, struct buf *out) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool safe = c > ' ' && c < 0x7f && !strchr("<>\"\\^`{|}", c);
        rc = safe ? buf_append(out, text.at + i, 1) : buf_printf(out, "%%%02X", c);
    }
    return rc;
}

static int append_parameter(struct bytes parameter, event_id snapshot, struct buf *out) {
    int rc = parameter.len ? is_kept(parameter, snapshot) : 0;
    if (rc == 1) {
        rc = append_safe(parameter, out);
        rc = rc ? rc : buf_append_text(out, "&");
    }
    return rc;
}

int next_page_query(struct bytes query, struct buf *out) {
    return next_page_of_snapshot(query, 0, out);
}

int next_page_of_snapshot(struct bytes query, event_id snapshot, struct buf *out) {
    char text[ID_TEXT_MAX];
    int rc = buf_append_text(out, "?");
    while (rc == 0 && query.len) {
        const char *end = memchr(query.at, '&', query.len);
        size_t len = end ? (size_t)(end - query.at) : query.len;
        rc = append_parameter(bytes_make(query.at, len), snapshot, out);
        len += end ? 1 : 0;
        query = bytes_make(query.at + len, query.len - len);
    }
    if (rc == 0 && snapshot) {
        rc = buf_printf(out, "latest=%.*s&", (int)id_format(snapshot, text), text);
    }
    return rc ? rc : buf_append_text(out, "last_event_id=");
}
