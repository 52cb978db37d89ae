// What a backend that was asked whether somebody may do something has said: its answer, read strictly. A
// 200 with a page in it is no yes: it may be the page that asks people to log in. Pure: time is an
// argument; any thread.
#ifndef AUTH_VERDICT_H
#define AUTH_VERDICT_H

#include "auth/identity.h"

enum { VERDICT_KEEP_MAX_MS = 3600000 }; // however long the answer says that it may be kept

enum verdict_kind {
    VERDICT_YES,     // to what `identity` says
    VERDICT_WHO,     // 401: not without saying who asks
    VERDICT_NO,      // 403
    VERDICT_UNKNOWN, // nothing that could be understood: `problem` says why
};

struct verdict {
    enum verdict_kind kind;
    struct identity *identity; // of VERDICT_YES, with a reference; else NULL
    int64_t keep_ms;           // for how long it answers the same question
    const char *problem;       // for people, for ever
};

// What was asked.
struct verdict_question {
    const struct grants *names; // topics and patterns, with the right that was asked for
    struct bytes subject;       // who asks, as far as that was known; may be empty
    int64_t leeway_ms;          // that is added wherever an identity's end is looked at
};

struct verdict_answer {
    long status;
    struct bytes cache_control, body;
};

// Never fails: what cannot be read, or for which there is no memory, is VERDICT_UNKNOWN.
void verdict_read(struct verdict *verdict, const struct verdict_answer *answer,
                  const struct verdict_question *question, int64_t now_ms);

// A yes to all that was asked, that nobody has said: VERDICT_UNKNOWN when there is no memory.
void verdict_assume(struct verdict *verdict, const struct verdict_question *question);

// Lets go of the identity.
void verdict_finish(struct verdict *verdict);

#endif
