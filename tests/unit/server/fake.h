// A server without threads and a session without a socket: a real `struct server` whose one worker
// never runs its loop, and exchanges whose answers and streams are recorded. The clock of the
// worker stands still until a test moves it.
#ifndef TESTS_SERVER_FAKE_H
#define TESTS_SERVER_FAKE_H

#include "support.h"

#include "server/exchange.h"
#include "server/stream.h"
#include "server/worker.h"

struct fake_server {
    struct settings settings; // may be changed before fake_server_open
    struct server server;
    struct worker *worker;
};

void fake_server_init(struct fake_server *fake);
void fake_server_open(struct fake_server *fake);
// Asserts that every stream has been finished.
void fake_server_finish(struct fake_server *fake);

// Hands out everything that was published.
void fake_turn(struct fake_server *fake);

// Moves the worker's clock.
void fake_later(struct fake_server *fake, int64_t ms);

unsigned long long fake_limit_hits(const struct fake_server *fake, enum limit limit);

struct fake_stream {
    struct stream stream;
    struct buf got;
    size_t room;      // what it takes until it is full
    bool gone;        // the next send finds that out
    int64_t deadline; // as it was set last
    bool ended;
    char last[64]; // the bytes that it was ended with
};

struct fake_exchange {
    struct exchange exchange;
    struct fake_server *fake;
    struct http_request req;
    char *head;
    bool busy; // within a call of the route: what an answer frees has to wait
    int replies;
    int status;
    struct buf headers; // "Name: value\n" each, Content-Type in front
    struct buf body;
    int waits;
    int64_t wait_ms;
    struct fake_stream *stream;
};

// Asks, with the body in pieces of `step` bytes, each in memory of exactly its size. `headers` are
// whole lines, or "". fake_exchange_finish must follow.
void fake_ask(struct fake_exchange *x, struct fake_server *fake, const char *method,
              const char *target, const char *headers, struct bytes body, size_t step);
void fake_get(struct fake_exchange *x, struct fake_server *fake, const char *target,
              const char *headers);
// An exchange with this head that no route has seen: for what routes call.
void fake_prepare(struct fake_exchange *x, struct fake_server *fake, const char *method,
                  const char *target, const char *headers);
// As fake_ask, in parts: the head alone; more of the body; its end.
void fake_begin(struct fake_exchange *x, struct fake_server *fake, const char *method,
                const char *target, const char *headers);
void fake_body(struct fake_exchange *x, struct bytes piece);
void fake_end(struct fake_exchange *x);
// As a session does when its connection ends.
void fake_exchange_finish(struct fake_exchange *x);

// NULL when it was not sent.
const char *fake_header(struct fake_exchange *x, const char *name);

// The answer. In the body, ids of freshet's own form may be written as #.
void fake_assert_answer(struct fake_exchange *x, int status, const char *body);
// A problem document whose detail has this in it.
void fake_assert_problem(struct fake_exchange *x, int status, const char *part);

// A stream on this target, that has got its preamble already.
void fake_listen(struct fake_exchange *x, struct fake_server *fake, const char *target);
// What the stream has got since it was asked last, with # for ids.
void fake_assert_heard(struct fake_exchange *x, const char *text);

#endif
