// What a poll is answered with: events as they come, made an array or an envelope around it, with
// the way on, a tag that tells whether the client has it already, and what caches may do with it.
// One thread: the worker's.
#ifndef SERVER_POLL_ANSWER_H
#define SERVER_POLL_ANSWER_H

#include "hub/id.h"
#include "server/exchange.h"

enum { POLL_KNOWN_MAX = 1024 }; // of If-None-Match; a longer one is not looked at

// What the request says of the form of its answer. Lasts for the call that takes it.
struct poll_form {
    struct bytes query;    // for the way to the next page
    event_id snapshot;     // up to where a snapshot goes; 0: it is none
    struct bytes known;    // the value of If-None-Match
    bool envelope;         // {"events":[…],"next":"…","more":…}
    bool gzip;             // it takes a compressed answer
    bool waits;            // whoever asked goes on asking
    bool placed, personal; // see caching.h
};

struct poll_answer {
    struct buf body; // the events, each with a comma in front
    size_t start;    // where in it the first of those commas is
    struct buf link; // to the next page, up to the id
    struct buf known;
    bool envelope, gzip, waits, placed, personal;
    bool gap; // for the owner: it tells of a gap
};

void poll_answer_init(struct poll_answer *answer);

// Begins it: 0, ERR_NOMEM, or ERR_INVALID for a bad escape in the query. poll_answer_finish must
// follow in any case.
int poll_answer_begin(struct poll_answer *answer, const struct poll_form *form);
void poll_answer_finish(struct poll_answer *answer);

// Bytes that it has beside its events.
size_t poll_answer_frame(const struct poll_answer *answer);

// Sends it; `cursor` is where to go on, `more` that there is more already. What it is sent from may
// be gone afterwards.
void poll_answer_send(struct poll_answer *answer, struct exchange *exchange, event_id cursor,
                      bool more);

#endif
