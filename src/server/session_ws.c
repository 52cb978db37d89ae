// The life of a WebSocket session. It ends when a close has been said and has left: the subscriber
// then takes no more events, and the hub finishes it behind that frame. A peer that does not read it
// has two seconds.
#include "server/session_ws.h"

#include <stdlib.h>

#include "base/error.h"
#include "hub/encoding.h"
#include "server/worker.h"

enum { CLOSE_MS = 2000 };

static struct session_ws *ws_of(const struct stream *stream) {
    return (struct session_ws *)stream->talk;
}

// Only a tick of the stream may end it: whoever is above in the stack still holds it.
static void end_at(struct session_ws *ws, int64_t at) {
    struct stream *stream = ws->stream;
    stream->closes_at = stream->closes_at && stream->closes_at < at ? stream->closes_at : at;
    stream_rearm(stream);
}

void ws_give_up(struct session_ws *ws) {
    worker_limit_hit(ws->stream->worker, LIMIT_MEMORY);
    ws->closing = true;
    buf_finish(&ws->out);
    end_at(ws, worker_now(ws->stream->worker));
}

static void close_with(struct session_ws *ws, int code, struct bytes reason) {
    char payload[WS_CONTROL_MAX];
    size_t len = reason.len < sizeof(payload) - 2 ? reason.len : sizeof(payload) - 2;
    if (ws->closing) {
        return;
    }
    payload[0] = (char)(code >> 8);
    payload[1] = (char)code;
    if (len) {
        memcpy(payload + 2, reason.at, len);
    }
    ws->closing = true;
    ws->talk.until = 0;
    struct bytes all = bytes_make(payload, code == WEBSOCKET_NO_CODE ? 0 : 2 + len);
    if (encoding_append_ws(&ws->out, WS_CLOSE, all) || stream_bound(ws->stream, 0, SIZE_MAX)) {
        ws_give_up(ws);
        return;
    }
    hub_aside(&ws->stream->subscriber);
    end_at(ws, worker_now(ws->stream->worker) + CLOSE_MS);
}

// Bytes that were said and have not left, those that the hub has among them.
static size_t unread(const struct session_ws *ws) {
    const struct subscriber *s = &ws->stream->subscriber;
    return ws->out.len + (s->part && s->part->raw ? s->part->size - s->part_sent : 0);
}

// Who does not take its answers has no room for the reason either: what waits is dropped.
static bool has_room(struct session_ws *ws) {
    if (unread(ws) <= WS_UNREAD_MAX) {
        return true;
    }
    worker_limit_hit(ws->stream->worker, LIMIT_WEBSOCKET);
    buf_finish(&ws->out);
    close_with(ws, WEBSOCKET_POLICY, bytes_of("answers are not read"));
    return false;
}

static void say(struct session_ws *ws, enum ws_opcode opcode, struct bytes payload) {
    if (ws->closing || !has_room(ws)) {
        return;
    }
    if (encoding_append_ws(&ws->out, opcode, payload)) {
        ws_give_up(ws);
        return;
    }
    hub_aside(&ws->stream->subscriber);
}

void ws_say(struct session_ws *ws, struct bytes text) {
    say(ws, WS_TEXT, text);
}

static void take_event(struct session_ws *ws, const struct websocket_event *event) {
    switch (event->kind) {
    case WEBSOCKET_TEXT:
        ws_take_message(ws, event->payload);
        break;
    case WEBSOCKET_PING:
        say(ws, WS_PONG, event->payload);
        break;
    case WEBSOCKET_PONG:
        break;
    case WEBSOCKET_CLOSE:
        close_with(ws, event->code, bytes_make(NULL, 0));
        break;
    case WEBSOCKET_FAILED:
        if (event->code == WEBSOCKET_TOO_BIG) {
            worker_limit_hit(ws->stream->worker, LIMIT_BODY);
        }
        close_with(ws, event->code, bytes_of(event->reason));
        break;
    }
}

// What has begun must be complete in the time of a request's body.
static void await_the_rest(struct session_ws *ws, bool anew) {
    struct worker *worker = ws->stream->worker;
    bool within = !ws->closing && websocket_reader_within(&ws->reader);
    if (!within) {
        ws->talk.until = 0;
    } else if (anew || !ws->talk.until) {
        ws->talk.until = worker_now(worker) + worker->server->settings->body_timeout_ms;
        stream_rearm(ws->stream);
    }
}

static void weigh(struct session_ws *ws) {
    ws->talk.held = ws->reader.message.len + ws->out.len + ws->waiting_bytes +
                    ws->waiting_count * (size_t)WS_WAITING_COST;
}

static void on_input(struct stream *stream, struct bytes in) {
    struct session_ws *ws = ws_of(stream);
    struct websocket_event event;
    bool anew = false;
    int rc = 0;
    while (!ws->closing && (rc = websocket_reader_next(&ws->reader, &in, &event)) == 1) {
        anew |= event.kind == WEBSOCKET_TEXT;
        take_event(ws, &event);
    }
    if (rc < 0) {
        ws_give_up(ws);
    }
    await_the_rest(ws, anew);
    weigh(ws);
}

static void on_input_ended(struct stream *stream) {
    struct session_ws *ws = ws_of(stream);
    if (!ws->closing) {
        ws->closing = true;
        end_at(ws, worker_now(stream->worker));
    }
}

static struct frame *on_aside(struct stream *stream) {
    struct session_ws *ws = ws_of(stream);
    struct frame *frame = NULL;
    if (ws->out.len && frame_create_raw(&frame, &mem_libc, buf_bytes(&ws->out))) {
        ws_give_up(ws);
        return NULL;
    }
    buf_finish(&ws->out);
    weigh(ws);
    return frame;
}

static bool on_end(struct stream *stream, enum talk_end why) {
    static const struct {
        int code;
        const char *reason;
    } ends[] = {
        [TALK_AGE] = {WEBSOCKET_GOING_AWAY, "the connection is old; connect again"},
        [TALK_DRAIN] = {WEBSOCKET_RESTART, "the server is ending; connect again"},
        [TALK_LATE] = {WEBSOCKET_POLICY, "the message did not come in time"},
        [TALK_HEAVY] = {WEBSOCKET_POLICY, "too much at a time on this connection"},
    };
    struct session_ws *ws = ws_of(stream);
    if (ws->closing) {
        return false;
    }
    if (why == TALK_LATE || why == TALK_HEAVY) {
        worker_limit_hit(stream->worker, why == TALK_LATE ? LIMIT_BODY_TIMEOUT : LIMIT_BODY);
    }
    stream->closes_at = 0;
    close_with(ws, ends[why].code, bytes_of(ends[why].reason));
    return true;
}

static void on_renewed(struct stream *stream, struct identity *identity) {
    struct session_ws *ws = ws_of(stream);
    identity_unref(ws->identity);
    ws->identity = identity_ref(identity);
}

static void on_finish(struct stream *stream) {
    struct session_ws *ws = ws_of(stream);
    stream->talk = NULL;
    ws_drop_waiting(ws);
    websocket_reader_finish(&ws->reader);
    buf_finish(&ws->out);
    buf_finish(&ws->shown);
    identity_unref(ws->identity);
    free(ws);
}

static const struct talk_ops ws_talk_ops = {
    .input = on_input,
    .input_ended = on_input_ended,
    .aside = on_aside,
    .renewed = on_renewed,
    .end = on_end,
    .finish = on_finish,
};

int session_ws_begin(struct stream *stream, struct identity *identity, struct bytes shown) {
    struct session_ws *ws = calloc(1, sizeof(*ws));
    if (!ws) {
        return ERR_NOMEM;
    }
    buf_init(&ws->shown, &mem_libc, 0);
    if (buf_append(&ws->shown, shown.at, shown.len)) {
        free(ws);
        return ERR_NOMEM;
    }
    ws->talk.ops = &ws_talk_ops;
    ws->stream = stream;
    ws->identity = identity_ref(identity);
    websocket_reader_init(&ws->reader, &mem_libc, stream->worker->server->settings->max_body);
    buf_init(&ws->out, &mem_libc, 0);
    list_init(&ws->waiting);
    stream->talk = &ws->talk;
    return 0;
}
