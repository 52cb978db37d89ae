// Questions to a backend on libcurl, many under way at once: a POST each, whose answer is small and comes
// in time or counts as none. It follows no redirect, repeats nothing, keeps no cookies, and uses
// connections again. Only http and https.
//
// One thread, but for asker_wake; create and destroy from the main thread, since libcurl's global state
// comes with them.
#ifndef CLIENT_ASKER_H
#define CLIENT_ASKER_H

#include <stdint.h>

#include "base/buf.h"

enum { ASKER_REASON_MAX = 256 };

struct asker;

struct asker_request {
    const char *url;
    struct bytes headers; // "Name: value" and a NUL each
    struct bytes body;    // is JSON
    int64_t timeout_ms;   // for all of it
    size_t max_answer;    // bytes of its body
};

// All of it lasts for the call.
struct asker_answer {
    const char *problem; // why there is none, a sentence without capital or full stop; or NULL
    long status;
    struct bytes cache_control, body;
};

// The end of a question, within asker_wait.
typedef void asker_done(void *ctx, const struct asker_answer *answer);

// 0 or ERR_NOMEM.
int asker_create(struct asker **out, const struct mem *mem);

// What is under way ends without a word.
void asker_destroy(struct asker *asker);

// Begins a question: 0, and `done` is called once unless the asker is destroyed before; or ERR_NOMEM. The
// request is copied.
int asker_begin(struct asker *asker, const struct asker_request *request, asker_done *done,
                void *ctx);

// Lets all questions go on until one has ended, `ms` have passed or somebody wakes it.
void asker_wait(struct asker *asker, int64_t ms);

// Ends the wait that is under way, or else the next. Any thread.
void asker_wake(struct asker *asker);

#endif
