// The input of an HTTP/2 session: what frames mean, as nghttp2 and the meter tell of them. Every frame
// is charged for; see session_h2_credit.h.
#include <stdlib.h>

#include "server/session_h2.h"

static struct h2_stream *stream_at(struct session_h2 *s, int32_t id) {
    return nghttp2_session_get_stream_user_data(s->ng, id);
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx) {
    struct session_h2 *s = ctx;
    bool request = frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    h2_head_begin(s, frame->hd.stream_id, !request);
    if (!request) {
        return 0;
    }
    struct h2_stream *st = calloc(1, sizeof(*st));
    struct h2_request *asked = calloc(1, sizeof(*asked));
    if (!st || !asked) {
        free(st);
        free(asked);
        worker_limit_hit(s->worker, LIMIT_MEMORY);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    buf_init(&asked->answer, &mem_libc, 0);
    buf_init(&asked->early, &mem_libc, h2_settings(s)->max_body);
    *st = (struct h2_stream){.session = s, .request = asked, .id = frame->hd.stream_id};
    wheel_node_init(&st->timer);
    list_push_back(&s->streams, &st->link);
    s->stream_count++;
    nghttp2_session_set_stream_user_data(ng, st->id, st);
    return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *ctx) {
    h2_head_field(ctx, name, value);
    return 0;
}

// A field that nghttp2 would pass over in silence: somebody behind it might not.
static int on_invalid_header(nghttp2_session *ng, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                             nghttp2_rcbuf *value, uint8_t flags, void *ctx) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

enum { MUCH = 64 }; // bytes of a frame that is not there for its own sake

void h2_note_cut_off(struct session_h2 *s, int32_t id) {
    s->cut_off[s->cut_off_count++ % H2_CUT_OFF_MAX] = id;
}

// When they are too many to be remembered, the peer has the benefit of the doubt.
static bool was_cut_off(const struct session_h2 *s, int32_t id) {
    if (s->cut_off_count > H2_CUT_OFF_MAX) {
        return true;
    }
    for (size_t i = 0; i < H2_CUT_OFF_MAX; i++) {
        if (s->cut_off[i] == id) {
            return true;
        }
    }
    return false;
}

// Nothing may come for a stream that is over, once its peer knows (RFC 9113, 5.1).
static void check_closed(struct session_h2 *s, const struct h2_frame_head *head) {
    int32_t id = (int32_t)head->stream;
    bool opens = head->type == NGHTTP2_HEADERS && id > s->newest;
    bool content = head->type == NGHTTP2_HEADERS || head->type == NGHTTP2_DATA;
    // An empty frame is complete with its head: the stream may be over by this one.
    bool own = head->length == 0 && id == s->emptied;
    s->emptied = 0;
    if (opens) {
        s->newest = id;
    } else if (content && id % 2 && id <= s->newest && !own && !stream_at(s, id)) {
        if (!was_cut_off(s, id)) {
            h2_terminate(s, NGHTTP2_STREAM_CLOSED);
        } else if (head->length < MUCH) {
            h2_charge(s, CREDIT_FRAME); // what is on its way comes to an end
        }
    }
}

void h2_frame_begins(struct session_h2 *s, const struct h2_frame_head *head) {
    bool data = head->type == NGHTTP2_DATA;
    h2_charge(s, data ? 0 : CREDIT_FRAME);
    if (head->type == NGHTTP2_HEADERS) {
        int32_t id = (int32_t)head->stream;
        s->head_began = worker_now(s->worker);
        // nghttp2 refuses it, and has not made a stream of it.
        if (s->stream_count >= h2_settings(s)->max_streams && id > s->newest && !stream_at(s, id)) {
            worker_limit_hit(s->worker, LIMIT_STREAMS);
            h2_note_cut_off(s, id);
        }
    }
    if (s->meter.in_head > H2_BOMB_HEADS * h2_settings(s)->max_head) {
        h2_charge(s, CREDIT_MAX + 1);
    }
    check_closed(s, head);
}

static void end_of_input(struct h2_stream *st) {
    st->ended_by_peer = true;
    if (st->request && !st->request->body_complete) {
        h2_complete_request(st);
    }
    h2_hear_end(st);
}

static void on_data_frame(struct session_h2 *s, const nghttp2_frame *frame) {
    bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (!last && frame->hd.length <= frame->data.padlen) {
        h2_charge(s, CREDIT_FRAME); // nothing in it
    }
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx) {
    struct session_h2 *s = ctx;
    struct h2_stream *st = frame->hd.stream_id ? stream_at(s, frame->hd.stream_id) : NULL;
    bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        if (st && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            st->ended_by_peer = last;
            h2_begin_request(st);
            if (last) {
                h2_hear_end(st);
            }
        } else if (st && last) {
            end_of_input(st);
        }
        h2_head_drop(s);
        break;
    case NGHTTP2_DATA:
        on_data_frame(s, frame);
        s->emptied = frame->hd.length == 0 ? frame->hd.stream_id : 0;
        if (st && last) {
            end_of_input(st);
        }
        break;
    case NGHTTP2_RST_STREAM:
        h2_charge(s, CREDIT_RESET);
        break;
    case NGHTTP2_SETTINGS:
        h2_wake_all(s); // the windows may have grown
        break;
    case NGHTTP2_WINDOW_UPDATE:
        if (st) {
            h2_wake(st);
        } else if (frame->hd.stream_id == 0) {
            h2_wake_all(s);
        }
        break;
    default:
        break;
    }
    return 0;
}

// What nobody wants is dropped, up to a point.
static void discard(struct h2_stream *st, size_t len) {
    st->discarded += (uint32_t)len;
    if (st->discarded > H2_DISCARD_MAX) {
        h2_reset(st, NGHTTP2_NO_ERROR);
    }
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *ctx) {
    struct h2_stream *st = stream_at(ctx, id);
    if (!st) {
        return 0;
    }
    const struct h2_request *request = st->request;
    if (request && !request->body_complete && !request->exchange.answered) {
        h2_take_body(st, bytes_make((const char *)data, len));
    } else if (!h2_hear(st, bytes_make((const char *)data, len))) {
        discard(st, len);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t error, void *ctx) {
    struct session_h2 *s = ctx;
    struct h2_stream *st = stream_at(s, id);
    if (s->head.id == id) {
        h2_head_drop(s);
    }
    if (st) {
        h2_drop_stream(st);
    }
    return 0;
}

void h2_set_input_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}
