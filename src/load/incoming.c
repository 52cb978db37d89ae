// The framing of responses, one line or one run of body at a time. Lenient: it reads what the server
// under test sends, and judges only what it cannot go on without.
#include "load/incoming.h"

#include <stdlib.h>

#include "base/error.h"

// True when the line is complete: it is in incoming->line, cut and terminated.
static bool take_line(struct incoming *incoming, struct bytes *rest) {
    const char *stop = memchr(rest->at, '\n', rest->len);
    size_t len = stop ? (size_t)(stop - rest->at) : rest->len;
    size_t room = INCOMING_LINE_MAX - 1u - incoming->line_len;
    size_t some = len < room ? len : room;
    memcpy(incoming->line + incoming->line_len, rest->at, some);
    incoming->line_len = (uint16_t)(incoming->line_len + some);
    len += stop != NULL;
    *rest = bytes_make(rest->at + len, rest->len - len);
    if (!stop) {
        return false;
    }
    if (incoming->line_len && incoming->line[incoming->line_len - 1] == '\r') {
        incoming->line_len--;
    }
    incoming->line[incoming->line_len] = '\0';
    return true;
}

static int take_status(struct incoming *incoming) {
    if (strncmp(incoming->line, "HTTP/1.", 7) != 0 || incoming->line_len < 12) {
        return ERR_INVALID;
    }
    incoming->status = (uint16_t)strtoul(incoming->line + 9, NULL, 10);
    incoming->close = incoming->line[7] == '0';
    incoming->state = INCOMING_HEADERS;
    return INCOMING_MORE;
}

static bool header_is(const struct incoming *incoming, const char *name, const char **value) {
    size_t len = strlen(name);
    if (strncasecmp(incoming->line, name, len) != 0 || incoming->line[len] != ':') {
        return false;
    }
    *value = incoming->line + len + 1;
    *value += strspn(*value, " \t");
    return true;
}

static void take_cursor(struct incoming *incoming, const char *value) {
    size_t len = strlen(value);
    if (len <= INCOMING_CURSOR_MAX) {
        incoming->cursor_len = (uint8_t)len;
        memcpy(incoming->cursor, value, len);
    }
}

static void take_header(struct incoming *incoming) {
    const char *value;
    if (header_is(incoming, "content-length", &value)) {
        incoming->counted = true;
        incoming->left = strtoull(value, NULL, 10);
    } else if (header_is(incoming, "transfer-encoding", &value)) {
        incoming->chunked = strcasecmp(value, "chunked") == 0;
    } else if (header_is(incoming, "connection", &value)) {
        incoming->close = strcasecmp(value, "close") == 0;
    } else if (header_is(incoming, "content-encoding", &value)) {
        incoming->gzip = strcasecmp(value, "gzip") == 0;
    } else if (header_is(incoming, "last-event-id", &value)) {
        take_cursor(incoming, value);
    }
}

static int end_head(struct incoming *incoming) {
    if (incoming->status == 101) {
        incoming->state = INCOMING_UNTIL_CLOSE;
        return INCOMING_HEAD;
    }
    if (incoming->status / 100 == 1) {
        *incoming = (struct incoming){0};
        return INCOMING_MORE;
    }
    bool bodiless = incoming->status == 204 || incoming->status == 304;
    incoming->state = bodiless            ? INCOMING_ENDED
                      : incoming->chunked ? INCOMING_CHUNK_SIZE
                      : incoming->counted ? INCOMING_COUNTED
                                          : INCOMING_UNTIL_CLOSE;
    if (incoming->state == INCOMING_COUNTED && incoming->left == 0) {
        incoming->state = INCOMING_ENDED;
    }
    return INCOMING_HEAD;
}

static int take_chunk_size(struct incoming *incoming) {
    char *end;
    incoming->left = strtoull(incoming->line, &end, 16);
    if (end == incoming->line) {
        return ERR_INVALID;
    }
    incoming->state = incoming->left ? INCOMING_CHUNK : INCOMING_TRAILER;
    return INCOMING_MORE;
}

static int use_line(struct incoming *incoming) {
    switch (incoming->state) {
    case INCOMING_STATUS:
        return take_status(incoming);
    case INCOMING_HEADERS:
        if (incoming->line_len == 0) {
            return end_head(incoming);
        }
        take_header(incoming);
        return INCOMING_MORE;
    case INCOMING_CHUNK_SIZE:
        return take_chunk_size(incoming);
    case INCOMING_CHUNK_END:
        incoming->state = INCOMING_CHUNK_SIZE;
        return INCOMING_MORE;
    default:
        incoming->state = incoming->line_len == 0 ? INCOMING_ENDED : INCOMING_TRAILER;
        return INCOMING_MORE;
    }
}

static int take_body(struct incoming *incoming, struct bytes *rest, struct bytes *body) {
    bool endless = incoming->state == INCOMING_UNTIL_CLOSE;
    size_t len = endless || rest->len < incoming->left ? rest->len : (size_t)incoming->left;
    *body = bytes_make(rest->at, len);
    *rest = bytes_make(rest->at + len, rest->len - len);
    incoming->left -= endless ? 0 : len;
    if (!endless && incoming->left == 0) {
        incoming->state = incoming->state == INCOMING_CHUNK ? INCOMING_CHUNK_END : INCOMING_ENDED;
    }
    return INCOMING_BODY;
}

int incoming_next(struct incoming *incoming, struct bytes *rest, struct bytes *body) {
    for (;;) {
        if (incoming->state == INCOMING_ENDED) {
            return INCOMING_DONE;
        }
        if (rest->len == 0) {
            return INCOMING_MORE;
        }
        if (incoming->state == INCOMING_UNTIL_CLOSE || incoming->state == INCOMING_COUNTED ||
            incoming->state == INCOMING_CHUNK) {
            return take_body(incoming, rest, body);
        }
        if (!take_line(incoming, rest)) {
            return INCOMING_MORE;
        }
        int step = use_line(incoming);
        incoming->line_len = 0;
        if (step != INCOMING_MORE) {
            return step;
        }
    }
}
