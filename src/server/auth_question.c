// Only headers on the list are passed on, and cookies only for pages that may use them: a page of another
// site can make a browser send them, but must not be able to speak for their owner.
#include "server/auth_question.h"

#include "base/json.h"
#include "http/token.h"
#include "server/access.h"
#include "server/worker.h"

bool auth_question_may_forward(struct bytes name) {
    static const char *const not [] = {"accept",
                                       "connection",
                                       "content-encoding",
                                       "content-length",
                                       "content-type",
                                       "expect",
                                       "host",
                                       "http2-settings",
                                       "keep-alive",
                                       "proxy-authorization",
                                       "proxy-connection",
                                       "te",
                                       "trailer",
                                       "transfer-encoding",
                                       "upgrade"};
    for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
        if (bytes_equal_nocase(name, bytes_of(not [i]))) {
            return false;
        }
    }
    return http_is_token(name);
}

// The name as the settings write it; NULL: it is not passed on.
static const char *wanted_name(const struct texts *list, struct bytes name) {
    static const char *const without_a_list[] = {"Cookie", "Authorization"};
    size_t count = list->count ? list->count : 2;
    for (size_t i = 0; i < count; i++) {
        const char *wanted = list->count ? list->items[i] : without_a_list[i];
        if (bytes_equal_nocase(name, bytes_of(wanted))) {
            return wanted;
        }
    }
    return NULL;
}

static int append_line(struct buf *out, const char *name, struct bytes value) {
    int rc = buf_append_text(out, name);
    rc = rc ? rc : buf_append_text(out, ": ");
    rc = rc ? rc : buf_append(out, value.at, value.len);
    return rc ? rc : buf_append(out, "", 1);
}

int auth_question_headers(struct buf *out, const struct exchange *exchange,
                          const struct http_request *req) {
    const struct settings *settings = exchange->worker->server->settings;
    bool cookies = access_may_use_cookie(exchange, req);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < req->header_count; i++) {
        const struct http_header *header = &req->headers[i];
        const char *name = wanted_name(&settings->auth_forward, header->name);
        bool cookie = bytes_equal_nocase(header->name, bytes_of("cookie"));
        if (name && header->value.len && (cookies || !cookie)) {
            rc = append_line(out, name, header->value);
        }
    }
    return rc;
}

// The address without a port, which says nothing of who it is, and without brackets.
static int append_address(struct buf *out, struct peer peer) {
    char text[ADDRESS_TEXT_MAX];
    if (peer_is_unix(&peer)) {
        return 0;
    }
    peer.port = 0;
    peer_format(&peer, text);
    struct bytes address = bytes_of(text);
    if (address.len > 2 && text[0] == '[') {
        address = bytes_make(text + 1, address.len - 2);
    }
    int rc = buf_append_text(out, ",\"address\":");
    return rc ? rc : json_append_string(out, address);
}

static int append_names(struct buf *out, const struct grants *names) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < names->count; i++) {
        const struct grant *item = &names->items[i];
        rc = i ? buf_append_text(out, ",") : 0;
        rc = rc ? rc : json_append_string(out, bytes_make(names->text.at + item->at, item->len));
    }
    return rc;
}

static int append_subject(struct auth_text *text, const struct identity *identity) {
    if (!identity || !identity->claims.subject.len) {
        return 0;
    }
    struct bytes subject = buf_bytes(&identity->claims.subject);
    int rc = buf_append(&text->subject, subject.at, subject.len);
    rc = rc ? rc : buf_append_text(&text->body, ",\"subject\":");
    return rc ? rc : json_append_string(&text->body, subject);
}

int auth_question_body(struct auth_text *text, const struct exchange *exchange,
                       const struct grants *names, enum right right) {
    struct buf *body = &text->body;
    int rc =
        buf_append_text(body, right == RIGHT_PUBLISH ? "{\"action\":\"publish\",\"topics\":["
                                                     : "{\"action\":\"subscribe\",\"topics\":[");
    rc = rc ? rc : append_names(body, names);
    rc = rc ? rc : buf_append_text(body, "]");
    rc = rc ? rc : append_address(body, exchange->client);
    rc = rc ? rc : append_subject(text, exchange->identity);
    return rc ? rc : buf_append_text(body, "}");
}
