// From the fields of an HTTP/2 head to a request. The head is written down as HTTP/1.1 would write
// it and read by the same parser, so that there is one set of rules: what is refused there is
// refused here, with the same answer. What could change the shape of that text is refused before.
#include "base/error.h"
#include "server/session_h2.h"

enum {
    BOMB_FIELDS = 1024,
};

static struct bytes bytes_of_rcbuf(nghttp2_rcbuf *buf) {
    if (!buf) {
        return (struct bytes){0};
    }
    nghttp2_vec vec = nghttp2_rcbuf_get_buf(buf);
    return bytes_make((const char *)vec.base, vec.len);
}

static void release(nghttp2_rcbuf **buf) {
    if (*buf) {
        nghttp2_rcbuf_decref(*buf);
        *buf = NULL;
    }
}

void h2_head_drop(struct session_h2 *s) {
    struct h2_head *head = &s->head;
    release(&head->method);
    release(&head->path);
    release(&head->authority);
    release(&head->scheme);
    release(&head->protocol);
    buf_finish(&head->text);
    *head = (struct h2_head){.id = 0};
}

void h2_head_begin(struct session_h2 *s, int32_t id, bool trailers) {
    h2_head_drop(s);
    s->head.id = id;
    s->head.trailers = trailers;
    buf_init(&s->head.text, &mem_libc, h2_settings(s)->max_head);
}

static nghttp2_rcbuf **pseudo(struct h2_head *head, struct bytes name) {
    if (bytes_is(name, ":method")) {
        return &head->method;
    }
    if (bytes_is(name, ":path")) {
        return &head->path;
    }
    if (bytes_is(name, ":authority")) {
        return &head->authority;
    }
    if (bytes_is(name, ":protocol")) {
        return &head->protocol;
    }
    return bytes_is(name, ":scheme") ? &head->scheme : NULL;
}

// No blank and no control: nothing that ends a part of a request line, or a line.
static bool is_word(struct bytes text) {
    return text.len && !bytes_have_control(text) && !memchr(text.at, ' ', text.len);
}

static bool is_value(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\r' || text.at[i] == '\n' || text.at[i] == '\0') {
            return false;
        }
    }
    return true;
}

static bool is_name(struct bytes text) {
    return is_word(text) && !memchr(text.at, ':', text.len);
}

static int append(struct buf *text, struct bytes a, const char *between, struct bytes b) {
    int rc = buf_append(text, a.at, a.len);
    rc = rc ? rc : buf_append_text(text, between);
    return rc ? rc : buf_append(text, b.at, b.len);
}

static int write_field(struct buf *text, struct bytes name, struct bytes value) {
    int rc = append(text, name, ": ", value);
    return rc ? rc : buf_append_text(text, "\r\n");
}

static int check_pseudo(struct bytes method, struct bytes path, struct bytes scheme) {
    if (!is_word(method)) {
        return HTTP_ERR_METHOD;
    }
    bool web = bytes_is(scheme, "http") || bytes_is(scheme, "https");
    // An absolute URL is for requests to proxies, where HTTP/2 has :authority.
    bool form = path.len && (path.at[0] == '/' || bytes_is(path, "*"));
    return web && form && is_word(path) ? 0 : HTTP_ERR_TARGET;
}

// nghttp2 lets it pass with CONNECT alone.
static int check_protocol(const struct h2_head *head) {
    bool fine = !head->protocol || bytes_is(bytes_of_rcbuf(head->protocol), "websocket");
    return fine ? 0 : HTTP_ERR_PROTOCOL;
}

// Once all pseudo-header fields are there, which nghttp2 sees to.
static int write_request_line(struct h2_head *head) {
    struct buf *text = &head->text;
    struct bytes path = bytes_of_rcbuf(head->path);
    struct bytes authority = bytes_of_rcbuf(head->authority);
    head->begun = true;
    struct bytes method = bytes_of_rcbuf(head->method);
    int rc = check_pseudo(method, path, bytes_of_rcbuf(head->scheme));
    rc = rc ? rc : check_protocol(head);
    if (rc) {
        return rc;
    }
    // What HTTP/1.1 asks for with an upgrade is a GET there.
    rc = append(text, head->protocol ? bytes_of("GET") : method, " ", path);
    rc = rc ? rc : buf_append_text(text, " HTTP/1.1\r\n");
    if (rc == ERR_TOO_LARGE) {
        return HTTP_ERR_TARGET_TOO_LONG;
    }
    if (rc == 0 && authority.at) {
        rc = is_word(authority) ? write_field(text, bytes_of("host"), authority) : HTTP_ERR_HOST;
    }
    return rc;
}

static int add_field(struct h2_head *head, struct bytes name, struct bytes value) {
    if (!is_name(name)) {
        return HTTP_ERR_FIELD_NAME;
    }
    if (!is_value(value)) {
        return HTTP_ERR_FIELD_VALUE;
    }
    // It may stand beside :authority and say the same.
    if (bytes_is(name, "host") && head->authority) {
        bool same = bytes_equal_nocase(value, bytes_of_rcbuf(head->authority));
        return same ? 0 : HTTP_ERR_HOST_DIFFERS;
    }
    return write_field(&head->text, name, value);
}

// A small head on the wire can unpack to a huge one.
static bool is_bomb(const struct session_h2 *s) {
    const struct h2_head *head = &s->head;
    return head->fields > BOMB_FIELDS || head->decoded > H2_BOMB_HEADS * h2_settings(s)->max_head;
}

void h2_head_field(struct session_h2 *s, nghttp2_rcbuf *name, nghttp2_rcbuf *value) {
    struct h2_head *head = &s->head;
    struct bytes n = bytes_of_rcbuf(name), v = bytes_of_rcbuf(value);
    head->fields++;
    head->decoded += n.len + v.len;
    if (is_bomb(s)) {
        h2_charge(s, CREDIT_MAX + 1);
    }
    if (head->error || head->trailers) {
        return;
    }
    if (n.len && n.at[0] == ':') {
        nghttp2_rcbuf **place = pseudo(head, n);
        if (place && !*place) {
            nghttp2_rcbuf_incref(value);
            *place = value;
        }
        return;
    }
    head->error = head->begun ? 0 : write_request_line(head);
    head->error = head->error ? head->error : add_field(head, n, v);
}

static int parse(struct session_h2 *s, struct http_request *req) {
    const struct settings *settings = h2_settings(s);
    struct http_limits limits = {.max_head = settings->max_head,
                                 .max_headers = settings->max_headers};
    struct buf *text = &s->head.text;
    size_t scanned = 0;
    int n = http_request_parse(req, limits, text->at, text->len, &scanned);
    // A head ends where it was ended.
    return n < 0 ? n : (size_t)n == text->len ? 0 : ERR_INVALID;
}

int h2_head_end(struct session_h2 *s, bool body, struct http_request *req) {
    struct h2_head *head = &s->head;
    int rc = head->error;
    rc = rc || head->begun ? rc : write_request_line(head);
    rc = rc ? rc : buf_append_text(&head->text, "\r\n");
    rc = rc ? rc : parse(s, req);
    if (rc) {
        return rc == ERR_TOO_LARGE ? HTTP_ERR_HEAD_TOO_LARGE : rc;
    }
    if (!body) {
        req->body = BODY_NONE;
    } else if (req->body == BODY_NONE) {
        req->body = BODY_CHUNKED; // its end comes with its last frame
    }
    return 0;
}
