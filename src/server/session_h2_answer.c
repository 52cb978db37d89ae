// The answers of an HTTP/2 session: heads, bodies, and what nghttp2 asks for when it frames them.
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "server/session_h2.h"

enum {
    HELD_MAX = 1024 * 1024, // of answers that wait for windows, on one connection
    NAME_MAX_LEN = 64,
    FIELDS_MAX = REPLY_HEADERS_MAX + 4,
};

// --- nghttp2 asks for the body of an answer ---

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static ssize_t read_answer(struct h2_request *request, size_t length, uint32_t *flags) {
    size_t left = request->answer.len - request->sent;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (left <= length) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)least(left, length);
}

static ssize_t on_read(nghttp2_session *ng, int32_t id, uint8_t *into, size_t length,
                       uint32_t *flags, nghttp2_data_source *source, void *ctx) {
    struct session_h2 *s = ctx;
    struct h2_stream *st = source->ptr;
    if (st->request) {
        return read_answer(st->request, length, flags);
    }
    if (s->sending != st || s->full || h2_offered(s) == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return (ssize_t)least(h2_offered(s), length);
}

// Takes so many bytes off the front of what the hub offers.
static int take_pieces(struct session_h2 *s, size_t length, struct bytes *parts) {
    int count = 0;
    s->taken += length;
    for (int i = 0; i < 2; i++) {
        size_t n = least(length, s->pieces[i].len);
        if (n) {
            parts[count++] = bytes_make(s->pieces[i].at, n);
            s->pieces[i] = bytes_make(s->pieces[i].at + n, s->pieces[i].len - n);
            length -= n;
        }
    }
    return count;
}

static int on_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *head,
                        size_t length, nghttp2_data_source *source, void *ctx) {
    struct session_h2 *s = ctx;
    struct h2_stream *st = source->ptr;
    struct bytes parts[3] = {bytes_make((const char *)head, 9)};
    int count = 1;
    if (st->request && s->out.len > H2_OUT_HIGH) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    if (!st->request) {
        count += take_pieces(s, length, parts + 1);
    } else if (length) {
        parts[count++] = bytes_make(st->request->answer.at + st->request->sent, length);
        st->request->sent += length;
    }
    return h2_write(s, parts, count) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

// After the last of an answer the peer need not go on with a body that nobody wants.
static void answer_left(struct h2_stream *st) {
    struct session_h2 *s = st->session;
    s->answered = true;
    if (!st->ended_by_peer && st->request && !st->request->discards) {
        h2_reset(st, NGHTTP2_NO_ERROR);
    }
}

static void reset_sent(struct session_h2 *s, int32_t id) {
    const struct h2_stream *st = nghttp2_session_get_stream_user_data(s->ng, id);
    h2_charge(s, CREDIT_RESET); // whatever made us do it
    if (!st || !st->ended_by_peer) {
        h2_note_cut_off(s, id);
    }
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx) {
    struct session_h2 *s = ctx;
    bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        reset_sent(s, frame->hd.stream_id);
        return 0;
    }
    bool content = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (content && frame->hd.length) {
        h2_credit_earn(&s->credit, CREDIT_EARNED);
    }
    if (content && last) {
        struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
        if (st) {
            answer_left(st);
        }
    }
    return 0;
}

void h2_set_output_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
}

// --- heads ---

// The fields of an answer, with the places where the names are written in lower case.
struct fields {
    nghttp2_nv items[FIELDS_MAX];
    size_t count;
    char names[REPLY_HEADERS_MAX][NAME_MAX_LEN];
    char status[4], length[24];
};

static bool add(struct fields *f, struct bytes name, struct bytes value) {
    if (f->count == FIELDS_MAX || bytes_have_control(value)) {
        return false;
    }
    f->items[f->count++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.at,
        .namelen = name.len,
        .value = (uint8_t *)(uintptr_t)value.at,
        .valuelen = value.len,
    };
    return true;
}

static bool add_lowered(struct fields *f, size_t i, const struct http_header *header) {
    if (header->name.len > NAME_MAX_LEN) {
        return false;
    }
    for (size_t at = 0; at < header->name.len; at++) {
        char c = header->name.at[at];
        f->names[i][at] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return add(f, bytes_make(f->names[i], header->name.len), header->value);
}

static bool compose(struct fields *f, struct session_h2 *s, const struct reply *reply) {
    f->count = 0;
    snprintf(f->status, sizeof(f->status), "%03d", reply->status);
    bool fits = add(f, bytes_of(":status"), bytes_of(f->status)) &&
                add(f, bytes_of("date"), http_date_at(&s->worker->date, clock_wall_ms()));
    if (!reply->unsized && reply->status != 204 && reply->status != 304) {
        snprintf(f->length, sizeof(f->length), "%zu", reply->body.len);
        fits = fits && add(f, bytes_of("content-length"), bytes_of(f->length));
    }
    if (reply->type) {
        fits = fits && add(f, bytes_of("content-type"), bytes_of(reply->type));
    }
    for (size_t i = 0; i < reply->header_count; i++) {
        fits = fits && add_lowered(f, i, &reply->headers[i]);
    }
    return fits;
}

int h2_submit(struct h2_stream *st, const struct reply *reply, bool body) {
    struct fields f;
    nghttp2_data_provider provider = {.source.ptr = st, .read_callback = on_read};
    if (!compose(&f, st->session, reply)) {
        return ERR_INVALID;
    }
    int rc =
        nghttp2_submit_response(st->session->ng, st->id, f.items, f.count, body ? &provider : NULL);
    return rc ? ERR_NOMEM : 0;
}

// --- answers ---

int h2_hold(struct h2_stream *st, size_t head, struct bytes body) {
    struct session_h2 *s = st->session;
    if (s->held && s->held + head + body.len > HELD_MAX) {
        return ERR_TOO_LARGE; // the peer asks for much and reads nothing
    }
    int rc = buf_append(&st->request->answer, body.at, body.len);
    st->request->held = head + st->request->answer.len;
    s->held += st->request->held;
    return rc;
}

// nghttp2 keeps the fields until they have left.
static size_t size_of_head(const struct reply *reply) {
    size_t size = 0;
    for (size_t i = 0; i < reply->header_count; i++) {
        size += reply->headers[i].name.len + reply->headers[i].value.len;
    }
    return size;
}

static void h2_reply(struct exchange *exchange, const struct reply *reply) {
    struct h2_stream *st = h2_of_exchange(exchange);
    struct session_h2 *s = st->session;
    struct h2_request *request = st->request;
    bool body = !exchange->to_head && reply->body.len;
    exchange->answered = true;
    exchange->status = reply->status;
    int rc = h2_hold(st, size_of_head(reply), body ? reply->body : bytes_make("", 0));
    rc = rc ? rc : h2_submit(st, reply, body);
    if (rc) {
        // Half an answer must not leave.
        h2_reset(st, rc == ERR_TOO_LARGE ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_INTERNAL_ERROR);
    }
    h2_stream_wait(st, h2_settings(s)->body_timeout_ms);
    h2_touch(s);
    if (!request->in_step) {
        h2_finish_exchange(request);
    }
}

static void h2_wait(struct exchange *exchange, int64_t ms) {
    h2_stream_wait(h2_of_exchange(exchange), ms);
}

static struct peer h2_peer(const struct exchange *exchange) {
    return h2_of_exchange(exchange)->session->shell->conn.peer;
}

const struct exchange_ops h2_exchange_ops = {
    .reply = h2_reply,
    .open_stream = h2_open_stream,
    .wait = h2_wait,
    .resume = h2_proceed,
    .peer = h2_peer,
    .protocol = "h2",
};
