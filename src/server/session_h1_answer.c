// The output of an HTTP/1 session: framing answers, and carrying a stream.
#include <stdlib.h>

#include "base/clock.h"
#include "server/session_h1.h"

// The stream of a session, with the way back to it.
struct h1_stream {
    struct stream stream;
    struct session_h1 *session;
};

static struct session_h1 *session_of(const struct stream *stream) {
    return container_of(stream, struct h1_stream, stream)->session;
}

static void when_flushed(struct session_h1 *s) {
    if (s->state == H1_FLUSHING && s->dialog->body_complete) {
        h1_close(s);
    } else if (s->state == H1_FLUSHING) {
        h1_linger(s);
    } else {
        h1_update_interest(s);
    }
}

void h1_flush(struct session_h1 *s) {
    struct buf *out = &s->dialog->out;
    if (out->len == 0) {
        when_flushed(s);
        return;
    }
    struct bytes piece = buf_bytes(out);
    ptrdiff_t taken = conn_send(&s->conn, &piece, 1);
    if (taken < 0) {
        h1_close(s);
        return;
    }
    buf_consume(out, (size_t)taken);
    if (out->len == 0) {
        if (out->cap > H1_OUT_KEPT) {
            buf_finish(out); // thousands who poll would each keep the room of their largest page
        }
        when_flushed(s);
    } else {
        h1_update_interest(s);
    }
}

static enum http_connection connection_header(const struct dialog *d) {
    if (d->last) {
        return HTTP_CONNECTION_CLOSE;
    }
    return d->req.minor == 0 ? HTTP_CONNECTION_KEEP_ALIVE : HTTP_CONNECTION_SILENT;
}

static int compose_head(struct session_h1 *s, const struct reply *reply, struct buf *out) {
    struct http_header headers[REPLY_HEADERS_MAX + 1];
    size_t count = 0;
    if (reply->type) {
        headers[count++] =
            (struct http_header){.name = bytes_of("Content-Type"), .value = bytes_of(reply->type)};
    }
    for (size_t i = 0; i < reply->header_count; i++) {
        headers[count++] = reply->headers[i];
    }
    struct http_response response = {
        .status = reply->status,
        .date = http_date_at(&s->worker->date, clock_wall_ms()),
        .headers = headers,
        .header_count = count,
        .has_length = !reply->unsized && reply->status != 204 && reply->status != 304,
        .length = reply->body.len,
        .connection = reply->status == 101 ? HTTP_CONNECTION_UPGRADE : connection_header(s->dialog),
    };
    return http_response_head(out, &response);
}

static void h1_reply(struct exchange *exchange, const struct reply *reply) {
    struct session_h1 *s = h1_of_exchange(exchange);
    struct dialog *d = s->dialog;
    d->last |= server_is_draining(s->worker->server);
    // The rest of a body that nobody reads would be taken for the next request.
    d->last |=
        (!d->body_complete && !h1_can_discard_body(s)) || (reply->unsized && !exchange->to_head);
    exchange->answered = true;
    exchange->status = reply->status;
    int rc = compose_head(s, reply, &d->out);
    if (rc == 0 && !exchange->to_head && reply->body.len) {
        rc = buf_append(&d->out, reply->body.at, reply->body.len);
    }
    if (rc) {
        h1_close(s); // half an answer must not leave
    } else if (!s->busy) {
        h1_resume(s);
    }
}

static ptrdiff_t total(const struct bytes *pieces, int count) {
    size_t sum = 0;
    for (int i = 0; i < count; i++) {
        sum += pieces[i].len;
    }
    return (ptrdiff_t)sum;
}

static ptrdiff_t stream_send(struct stream *stream, const struct bytes *pieces, int count) {
    struct session_h1 *s = session_of(stream);
    ptrdiff_t taken = conn_send(&s->conn, pieces, count);
    if (taken < 0) {
        h1_close(s);
    } else if (taken < total(pieces, count)) {
        conn_wait_for(&s->conn, CONN_READ | CONN_WRITE);
    }
    return taken;
}

void h1_drop_stream(struct session_h1 *s) {
    if (s->stream) {
        stream_finish(s->stream);
        free(container_of(s->stream, struct h1_stream, stream));
        s->stream = NULL;
    }
}

static void stream_over(struct stream *stream, struct bytes last) {
    struct session_h1 *s = session_of(stream);
    if (last.len) {
        (void)conn_send(&s->conn, &last, 1); // a kindness: without it the client comes back as well
    }
    if (stream->talk && stream->complete && !s->busy) {
        h1_drop_stream(s);
        h1_linger(s); // the peer may still be talking, and must read the last word
        return;
    }
    h1_close(s); // nothing that it sent is unread, so nothing that it was sent is lost
}

static void stream_set_deadline(struct stream *stream, int64_t at) {
    conn_set_deadline(&session_of(stream)->conn, at);
}

static struct peer stream_peer(const struct stream *stream) {
    return session_of(stream)->conn.peer;
}

static const char *stream_protocol(const struct stream *stream) {
    (void)stream;
    return "h1";
}

static const struct stream_ops h1_stream_ops = {
    .send = stream_send,
    .end = stream_over,
    .set_deadline = stream_set_deadline,
    .peer = stream_peer,
    .protocol = stream_protocol,
};

// The head leaves through the hub, as the first frame of the stream: in one send with what the
// listener missed, and in slices when ten thousand connect at once.
static int compose_first(struct session_h1 *s, const struct reply *head, struct bytes preamble,
                         struct frame **first) {
    struct buf *out = &s->worker->head;
    buf_clear(out);
    int rc = buf_append(out, s->dialog->out.at, s->dialog->out.len); // of requests before this one
    rc = rc ? rc : compose_head(s, head, out);
    rc = rc ? rc : buf_append(out, preamble.at, preamble.len);
    return rc ? rc : frame_create_raw(first, &mem_libc, buf_bytes(out));
}

static struct stream *h1_open_stream(struct exchange *exchange, const struct reply *head,
                                     struct bytes preamble, struct frame **first) {
    struct session_h1 *s = h1_of_exchange(exchange);
    struct h1_stream *stream = malloc(sizeof(*stream));
    // The body ends with the connection: HTTP/1.0 understands that, and no event carries a header.
    s->dialog->last = true;
    if (!stream || compose_first(s, head, preamble, first)) {
        free(stream);
        return NULL;
    }
    stream_init(&stream->stream, s->worker, &h1_stream_ops);
    stream->session = s;
    buf_clear(&s->dialog->out);
    s->stream = &stream->stream;
    s->conn.peer = exchange->client; // no other request will come
    s->state = H1_STREAM;
    exchange->answered = true;
    return &stream->stream;
}

static void h1_wait(struct exchange *exchange, int64_t ms) {
    struct session_h1 *s = h1_of_exchange(exchange);
    conn_set_deadline(&s->conn, worker_now(s->worker) + ms);
}

static struct peer h1_peer(const struct exchange *exchange) {
    return ((const struct session_h1 *)exchange->carrier)->conn.peer;
}

const struct exchange_ops h1_exchange_ops = {
    .reply = h1_reply,
    .open_stream = h1_open_stream,
    .wait = h1_wait,
    .resume = h1_proceed,
    .peer = h1_peer,
    .protocol = "h1",
};
