// The HTTP/1 session, for the files that make it up: session_h1.c (its life), session_h1_input.c and
// session_h1_answer.c (its output).
#ifndef SERVER_SESSION_H1_H
#define SERVER_SESSION_H1_H

#include "http/body.h"
#include "server/exchange.h"
#include "server/stream.h"
#include "server/worker.h"

enum h1_state {
    H1_HEAD,      // reading the head of a request, or waiting for one
    H1_DECIDING,  // its route waits for the backend that decides, before it begins
    H1_BODY,      // reading its body
    H1_ANSWERING, // the request is complete, the answer is not there yet
    H1_STREAM,    // a subscription: nothing but the stream from here on
    H1_FLUSHING,  // the last answer is on its way out, then it closes
    H1_LINGERING, // the output is shut; what the peer still sends is read and dropped for a while
    H1_UPGRADED,  // what it speaks is HTTP/2, and no longer the business of these files
    H1_CLOSED,
};

// What a connection needs while requests are exchanged on it; a stream does without.
struct dialog {
    struct http_request req;
    size_t scanned;
    struct http_body body;
    struct exchange exchange;
    struct buf in;      // input that could not be used yet
    struct buf out;     // answers that have not left yet
    bool under_way;     // the exchange has begun and is not finished
    bool body_complete; // of the request under way
    bool head_begun;    // a part of a head has come, and its time runs
    bool only_h1;       // HTTP/2 is not spoken at this address
    bool answers;       // it has answered a request before
    bool last;          // close after this answer
    bool ended;         // the peer says no more, and waits for this answer
};

struct session_h1 {
    struct conn conn;
    struct list link; // among the worker's sessions
    struct worker *worker;
    struct dialog *dialog;
    union {
        struct stream *stream;
        struct session_h2 *h2; // of H1_UPGRADED
    };
    struct quota_entry *hold; // of the connections of its address; NULL: nothing
    uint32_t dropped;         // bytes of input that nobody wanted
    uint8_t state;
    uint8_t entrance; // enum entrance
    bool crowded;     // one too many: it gets one answer, and no subscription
    bool busy;        // input is being processed: freeing has to wait
    bool failed;      // close when that is over
};

static inline struct session_h1 *h1_of_exchange(struct exchange *exchange) {
    return (struct session_h1 *)exchange->carrier;
}

extern const struct exchange_ops h1_exchange_ops;

// Sends what is in `out`, as far as it goes, and moves on when the last answer has left.
void h1_flush(struct session_h1 *s);

// The request under way is over: lets the route clean up and gets ready for the next, or the close.
void h1_finish_exchange(struct session_h1 *s);

// As exchange_ops.resume.
void h1_proceed(struct exchange *exchange);

// Goes on after an answer that came later, or after output has left: input that waited is used.
void h1_resume(struct session_h1 *s);

void h1_close(struct session_h1 *s);

// Gives back what only requests need: the session becomes a stream, or ends.
void h1_drop_dialog(struct session_h1 *s);

// Takes the stream, if there is one, out of everything and frees it.
void h1_drop_stream(struct session_h1 *s);

// Whether what is left of the body is small enough to be read and dropped, so that the connection
// lives on after an early answer.
bool h1_can_discard_body(const struct session_h1 *s);

// HTTP/2 is over: what follows is h1_linger or h1_close.
void h1_take_back(struct session_h1 *s);

// Shuts the output and waits a little for the peer to close, so that the answer is not lost in a
// reset.
void h1_linger(struct session_h1 *s);

// Sets what the connection waits for, from the state.
void h1_update_interest(struct session_h1 *s);

// The input's half: bytes that came, their end, and what did not come in time.
void h1_use_input(struct session_h1 *s, struct bytes in);
void h1_end_of_input(struct session_h1 *s);
void h1_time_out(struct session_h1 *s, enum limit limit);

static inline const struct settings *h1_settings(const struct session_h1 *s) {
    return s->worker->server->settings;
}

static inline void h1_set_timeout(struct session_h1 *s, int64_t ms) {
    conn_set_deadline(&s->conn, worker_now(s->worker) + ms);
}

enum {
    H1_OUT_HIGH = 64 * 1024,
    H1_OUT_KEPT = 16 * 1024, // of room for answers, between them
};

#endif
