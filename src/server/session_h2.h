// The HTTP/2 session, for the files that make it up: session_h2.c (its life), session_h2_input.c
// (frames that come), session_h2_head.c (fields to a request), session_h2_request.c (a request and its
// route), session_h2_answer.c, session_h2_stream.c (subscriptions) and session_h2_output.c (to the
// socket). nghttp2 knows the protocol and does no input or output.
//
// What happens within a call of nghttp2 only notes what is to be done; everything leaves, and the
// session ends, in settle() at the end of the worker's turn. So no callback of nghttp2, of the hub
// or of a route ever finds its session gone. One thread: the worker's.
#ifndef SERVER_SESSION_H2_H
#define SERVER_SESSION_H2_H

#include <nghttp2/nghttp2.h>

#include "server/exchange.h"
#include "server/session_h1.h"
#include "server/session_h2_credit.h"
#include "server/session_h2_meter.h"
#include "server/stream.h"
#include "server/worker.h"

struct session_h2;

enum {
    H2_OUT_HIGH = 64 * 1024,    // of output that waits; then the peer is not read either
    H2_DISCARD_MAX = 64 * 1024, // of a body that nobody wants
    H2_CUT_OFF_MAX = 32,
    H2_BODIES_MAX = 4, // of the largest size, gathered at a time
    H2_BOMB_HEADS = 4, // heads of the largest size, packed or unpacked: more is no mistake
};

// A request, and then its answer until it has left.
struct h2_request {
    struct exchange exchange;
    struct buf early;  // of the body, that came while the exchange was undecided
    struct buf answer; // what is sent of it after the head
    size_t sent;
    size_t held;        // bytes of it and of its head
    uint64_t received;  // bytes of its body that a route keeps
    bool under_way;     // the exchange has begun and is not finished
    bool in_step;       // within a call of the route: what an answer frees has to wait
    bool body_complete; // or there is nobody who wants it
    bool awaits_go_on;  // the peer sends its body after 100 Continue
    bool discards;      // what is still coming of the body is small
};

// What turns it into a subscription.
struct h2_subscription {
    struct stream stream;
    struct h2_stream *carrier;
    struct list stalled; // among those of its session that could not take all
    struct peer client;
    size_t held; // bytes that its talk keeps, as the session has counted them
};

// A stream of HTTP/2. It has a request or a subscription, and for a moment both.
struct h2_stream {
    struct session_h2 *session;
    struct h2_request *request;
    struct h2_subscription *subscription;
    struct list link; // among the session's
    struct wheel_node timer;
    int32_t id;
    uint32_t discarded; // bytes of input that nobody wanted
    bool ended_by_peer; // no more input comes on it
};

// The head that is being read; there is one at most on a connection.
struct h2_head {
    nghttp2_rcbuf *method, *path, *authority, *scheme;
    nghttp2_rcbuf *protocol; // of an extended CONNECT (RFC 8441)
    struct buf text;         // the same head as HTTP/1.1 writes it
    int32_t id;
    size_t fields, decoded; // how many, and their bytes
    bool begun;             // the request line is in `text`
    bool trailers;          // of a body: checked and dropped
    int error;
};

struct session_h2 {
    struct session_h1 *shell; // the connection, as it was accepted
    struct worker *worker;
    nghttp2_session *ng;
    struct list dirty;   // in the worker's list of those that have something to send or to end
    struct list streams; // all
    size_t stream_count;
    size_t listener_count; // of the streams, those with a subscription
    struct list stalled;   // subscriptions that could not take all
    struct h2_meter meter;
    struct h2_head head;
    struct buf out;  // whole frames that the socket has not taken
    size_t held;     // bytes of answers that have not left
    size_t gathered; // bytes of bodies that routes keep, and of what talks keep
    struct h2_credit credit;
    int64_t deadline; // of the connection, monotonic; 0: none
    int64_t idle_since;
    int64_t head_began; // while meter.in_head
    int64_t moved;      // when the socket took something last
    int32_t newest;     // stream that was opened
    int32_t emptied;    // stream of the empty DATA frame that came just now; 0: it was another
    int64_t ended;      // when its end began; 0: it has not
    // While the hub hands over: whose bytes, and how much of them has been taken.
    struct h2_stream *sending;
    struct bytes pieces[2];
    size_t taken;
    // Streams that were reset here while the peer was still sending: what is on its way is no error.
    int32_t cut_off[H2_CUT_OFF_MAX];
    uint32_t cut_off_count; // also of those that are not remembered any more
    bool full;              // the socket has not taken all of `out`
    bool gone;              // the peer is gone
    bool over;              // nghttp2 has given up
    bool answered;          // it has had an answer
    bool crowded;           // one too many: one request, and no subscription
    bool draining, said_last;
    bool calmed; // told off for flooding
};

extern const struct exchange_ops h2_exchange_ops;

static inline const struct settings *h2_settings(const struct session_h2 *s) {
    return s->worker->server->settings;
}

static inline struct h2_stream *h2_of_exchange(const struct exchange *exchange) {
    return (struct h2_stream *)exchange->carrier;
}

// Has the session settled at the end of the turn.
static inline void h2_touch(struct session_h2 *s) {
    if (list_empty(&s->dirty)) {
        list_push_back(&s->worker->dirty_sessions, &s->dirty);
    }
}

// --- output: session_h2_output.c ---

// Lets nghttp2 write frames, as far as there is room for them.
void h2_pump(struct session_h2 *s);

// Puts a frame behind what waits for the socket, or hands both over at once. 0 or ERR_NOMEM.
int h2_write(struct session_h2 *s, const struct bytes *parts, int count);

// Hands what waits to the socket.
void h2_send_out(struct session_h2 *s);

// Ends the connection with a GOAWAY that says why.
void h2_terminate(struct session_h2 *s, uint32_t code);

// The same, after an error of nghttp2 from which it cannot go on.
void h2_fail(struct session_h2 *s, int error);

// Counts frames for nothing; ends the connection when they are too many.
void h2_charge(struct session_h2 *s, int32_t by);

// Resets a stream; it is gone after the next output.
static inline void h2_reset(const struct h2_stream *st, uint32_t code) {
    nghttp2_submit_rst_stream(st->session->ng, NGHTTP2_FLAG_NONE, st->id, code);
}

// --- input: session_h2_input.c ---

// What still comes for this stream is no mistake of the peer's.
void h2_note_cut_off(struct session_h2 *s, int32_t id);

// What nghttp2 would not say, or not always: called with the head of each frame, before what is in
// the frame and after all frames before it.
void h2_frame_begins(struct session_h2 *s, const struct h2_frame_head *head);
void h2_set_input_callbacks(nghttp2_session_callbacks *callbacks);

// --- requests: session_h2_request.c ---

// The head has come; a piece of the body; its end.
void h2_begin_request(struct h2_stream *st);
void h2_take_body(struct h2_stream *st, struct bytes piece);
void h2_complete_request(struct h2_stream *st);

// As exchange_ops.resume.
void h2_proceed(struct exchange *exchange);

// Lets the route clean up; then frees what only a request needs; then takes a stream out of
// everything and frees it.
void h2_finish_exchange(struct h2_request *request);
void h2_drop_request(struct h2_stream *st);
void h2_drop_stream(struct h2_stream *st);

// Sets the time of a stream, and what follows when it is over.
void h2_stream_wait(struct h2_stream *st, int64_t ms);
void h2_stream_expired(struct h2_stream *st);

// --- heads: session_h2_head.c ---

void h2_head_begin(struct session_h2 *s, int32_t id, bool trailers);
void h2_head_field(struct session_h2 *s, nghttp2_rcbuf *name, nghttp2_rcbuf *value);

// The request that the fields make, its slices in head.text; 0 or an error for exchange_refuse.
int h2_head_end(struct session_h2 *s, bool body, struct http_request *req);
void h2_head_drop(struct session_h2 *s);

// --- answers: session_h2_answer.c ---

void h2_set_output_callbacks(nghttp2_session_callbacks *callbacks);

// Submits a head, and a body if there is to be one: 0 or a negative error.
int h2_submit(struct h2_stream *st, const struct reply *reply, bool body);

// Keeps the body of an answer until it has left, beside a head of this size: 0, ERR_NOMEM, or
// ERR_TOO_LARGE when too much waits.
int h2_hold(struct h2_stream *st, size_t head, struct bytes body);

// How much the hub still offers.
static inline size_t h2_offered(const struct session_h2 *s) {
    return s->pieces[0].len + s->pieces[1].len;
}

// --- subscriptions: session_h2_stream.c ---

// As exchange_ops.open_stream.
struct stream *h2_open_stream(struct exchange *exchange, const struct reply *head,
                              struct bytes preamble, struct frame **first);

// Subscriptions may go on: all that are stalled, or the one of this stream.
void h2_wake_all(struct session_h2 *s);
void h2_wake(struct h2_stream *st);
void h2_drop_subscription(struct h2_stream *st);

// What comes on a stream on which the peer talks, and its end. False when nobody listens to it.
bool h2_hear(struct h2_stream *st, struct bytes in);
void h2_hear_end(struct h2_stream *st);

#endif
