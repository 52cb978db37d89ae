// An exchange: one request and its answer, whatever session carries it. A session makes exchanges
// and frames their answers; a route decides what the answer is. Neither knows the other's kind, so
// both use the same routes. One thread: the worker's.
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include "http/request.h"
#include "http/response.h"
#include "hub/frame.h"
#include "net/address.h"

struct worker;
struct exchange;
struct stream;
struct settings;
struct identity;
struct held;
struct auth_ask;
struct audit_note;

// What kind of address a request came to.
enum entrance {
    ENTRANCE_PUBLIC, // administrators have nothing to say there
    ENTRANCE_LOCAL, // one of --listen that only this machine can reach, and there is no --admin-listen
    ENTRANCE_ADMIN, // one of --admin-listen
};

enum { REPLY_HEADERS_MAX = 16, REPLY_VALUE_MAX = 320 };

// An answer: a status, headers, and a body that is whole.
struct reply {
    int status;
    const char *type; // media type; NULL: there is no body
    struct bytes body;
    bool unsized; // the head says no length (the head of a stream, for HEAD)
    struct http_header headers[REPLY_HEADERS_MAX];
    size_t header_count;
};

// The session's side.
struct exchange_ops {
    // Sends the whole answer. Once for an exchange, and not after open_stream.
    void (*reply)(struct exchange *exchange, const struct reply *reply);

    // Answers with a head and a body that goes on until the stream ends: makes the stream, and in
    // *first the frame that must leave before anything else (the head, unless the session sends it
    // by itself, and `preamble`; perhaps empty, but there, so that no stream is over before it has
    // joined), with a reference. NULL when there is no memory; then the exchange is still
    // unanswered.
    struct stream *(*open_stream)(struct exchange *exchange, const struct reply *head,
                                  struct bytes preamble, struct frame **first);

    // Calls the handler's `expired` after this long, unless it has answered before.
    void (*wait)(struct exchange *exchange, int64_t ms);

    // Goes on with an exchange that was undecided, by auth_hook_begin_again.
    void (*resume)(struct exchange *exchange);

    // The other end of the connection.
    struct peer (*peer)(const struct exchange *exchange);

    const char *protocol; // that carries it, as people are told
};

// What a route does with one method. Each returns 0, or a negative error (of base/error.h or
// http/error.h) that the session answers with the problem it stands for.
struct handler {
    // The head is in hand; it lasts for the call.
    int (*begin)(struct exchange *exchange, const struct http_request *req);

    // A piece of the body. NULL: the route takes no body.
    int (*body)(struct exchange *exchange, struct bytes piece);

    // The body is complete. Not called when the exchange was answered before.
    int (*end)(struct exchange *exchange);

    // See exchange_ops.wait.
    void (*expired)(struct exchange *exchange);

    // The exchange is over, answered or not: free `state`. Called once if begin was called.
    void (*drop)(struct exchange *exchange);

    // What it does after the body goes on though the peer says no more: it may still be reading.
    bool finishes;

    // Has what WebSocket asks for.
    bool upgrades;

    // The body has no end in sight: only silence in it is limited, not its length in time.
    bool endless_body;
};

struct exchange {
    struct worker *worker;
    const struct exchange_ops *ops;
    const struct handler *handler;
    void *carrier;              // the session's
    void *state;                // the handler's
    struct identity *identity;  // for whom it speaks; NULL: for nobody in particular
    struct held *held;          // of quotas, for the stream that it becomes
    struct identity *vouched;   // what the backend said that it may; NULL: nothing
    struct auth_ask *ask;       // what the backend is asked; NULL: nothing
    char *origin;               // of the page that asks, when it is allowed; else NULL
    struct audit_note *watched; // by the audit log; or NULL
    enum entrance entrance;     // where it came in
    int status;                 // of the answer; 0: there was none yet
    bool administers;           // it brought the administrators' token
    bool secure;                // it came over TLS
    struct peer client; // whose request it is: the other end, or who that says it speaks for
    size_t kept;        // bytes of an endless body that the handler has not used yet, which it says
    bool connects;      // it asks for WebSocket, by CONNECT: no key, no upgrade
    bool crowded;       // there are too many connections: no subscription here
    bool to_head;       // answers leave their body out
    bool answered;
    bool
        undecided; // `begin` waits for the backend, and the session with the body until ops->resume
};

// Answers with a problem document. `detail` says what to do.
void exchange_problem(struct exchange *exchange, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The same for an error of http/error.h or base/error.h.
void exchange_refuse(struct exchange *exchange, int error);

// Answers with a body of this type.
void exchange_answer(struct exchange *exchange, int status, const char *type, struct bytes body);

// Adds a header to a reply; name and value must outlive it.
void reply_add(struct reply *reply, const char *name, struct bytes value);

// Adds what every answer tells a browser: whether the page may read it, and, over TLS, whether it
// may ever come back without.
void reply_add_for_browsers(struct reply *reply, const struct exchange *exchange);

// It is over: its handler drops what it has, and nothing is left.
void exchange_finish(struct exchange *exchange);

// Notes the origin of the request if it is allowed to see the answer: 0 or ERR_NOMEM.
int exchange_note_origin(struct exchange *exchange, const struct http_request *req);

#endif
