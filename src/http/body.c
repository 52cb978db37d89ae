// The decoder as a machine whose state survives between calls. Chunk framing is as strict as the
// head: CR LF or nothing, digits that cannot overflow, bounded extensions and trailers.
#include "http/body.h"

enum {
    AT_DONE = 0,
    IN_DATA, // of Content-Length
    IN_SIZE,
    IN_EXTENSION,
    AT_SIZE_LF,
    IN_CHUNK,
    AT_CHUNK_CR,
    AT_CHUNK_LF,
    IN_TRAILERS,
};

static void begin_chunk(struct http_body *body) {
    body->state = IN_SIZE;
    body->left = 0;
    body->digits = 0;
}

void http_body_init(struct http_body *body, const struct http_request *req) {
    *body = (struct http_body){.state = AT_DONE};
    if (req->body == BODY_CHUNKED) {
        begin_chunk(body);
    } else if (req->body == BODY_LENGTH && req->content_length) {
        body->state = IN_DATA;
        body->left = req->content_length;
    }
}

static int digit_of(char c) {
    char lower = (char)(c | 0x20);
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int step_size(struct http_body *body, char c) {
    int digit = digit_of(c);
    if (digit >= 0 && body->digits < HTTP_CHUNK_DIGITS_MAX) {
        body->left = body->left * 16 + (uint64_t)digit;
        body->digits++;
        return 0;
    }
    if (body->digits == 0 || (c != ';' && c != '\r')) {
        return HTTP_ERR_CHUNK_SIZE;
    }
    body->state = c == ';' ? IN_EXTENSION : AT_SIZE_LF;
    return 0;
}

static int step_extension(struct http_body *body, char c) {
    if (c == '\r') {
        body->state = AT_SIZE_LF;
        return 0;
    }
    bool printable = (c >= ' ' && c < 0x7f) || c == '\t';
    return printable && body->run++ < HTTP_CHUNK_EXTENSION_MAX ? 0 : HTTP_ERR_CHUNK_EXTENSION;
}

static int step_size_lf(struct http_body *body, char c) {
    if (c != '\n') {
        return HTTP_ERR_CHUNK_SIZE;
    }
    body->state = body->left ? IN_CHUNK : IN_TRAILERS;
    body->run = 0;
    http_scan_init_fields(&body->trailers);
    return 0;
}

static int step_chunk_end(struct http_body *body, char c) {
    if (c != (body->state == AT_CHUNK_CR ? '\r' : '\n')) {
        return HTTP_ERR_CHUNK_END;
    }
    if (body->state == AT_CHUNK_CR) {
        body->state = AT_CHUNK_LF;
    } else {
        begin_chunk(body);
    }
    return 0;
}

static int step_trailers(struct http_body *body, char c) {
    struct http_scan_limits limits = {.fields = HTTP_TRAILER_FIELDS_MAX};
    int rc = (int)http_scan_feed(&body->trailers, limits, &c, 1);
    if (rc > 0) {
        body->state = AT_DONE;
        return 0;
    }
    if (rc == HTTP_ERR_TOO_MANY_FIELDS || (rc == 0 && ++body->run >= HTTP_TRAILERS_MAX)) {
        return HTTP_ERR_TRAILERS_TOO_LARGE;
    }
    return rc;
}

static int step(struct http_body *body, char c) {
    switch (body->state) {
    case IN_SIZE:
        return step_size(body, c);
    case IN_EXTENSION:
        return step_extension(body, c);
    case AT_SIZE_LF:
        return step_size_lf(body, c);
    case AT_CHUNK_CR:
    case AT_CHUNK_LF:
        return step_chunk_end(body, c);
    default:
        return step_trailers(body, c);
    }
}

static struct bytes take(struct bytes *in, uint64_t most) {
    size_t len = in->len < most ? in->len : (size_t)most;
    struct bytes taken = bytes_make(in->at, len);
    *in = bytes_make(in->at + len, in->len - len);
    return taken;
}

static void take_data(struct http_body *body, struct bytes *in, struct bytes *piece) {
    *piece = take(in, body->left);
    body->left -= piece->len;
    if (body->left == 0) {
        body->state = body->state == IN_DATA ? AT_DONE : AT_CHUNK_CR;
    }
}

int http_body_feed(struct http_body *body, struct bytes *in, struct bytes *piece) {
    while (body->state > AT_DONE && in->len) {
        if (body->state == IN_DATA || body->state == IN_CHUNK) {
            take_data(body, in, piece);
            return HTTP_BODY_PIECE;
        }
        int rc = step(body, *take(in, 1).at);
        body->state = rc ? rc : body->state;
    }
    if (body->state < AT_DONE) {
        return body->state;
    }
    return body->state == AT_DONE ? HTTP_BODY_DONE : HTTP_BODY_MORE;
}
