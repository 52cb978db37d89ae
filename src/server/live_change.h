// A change of what an open connection hears: read from JSON, {"add":[…],"remove":[…],"after":"…"},
// on whatever thread it arrived, then applied by the worker that has the connection.
//
// The policy: the stream itself only goes forward. Topics that are added join it where the
// connection stands. Who asks for the events `after` an earlier cursor is given them in the answer,
// a page at a time, and nothing is changed until a page reaches the place where the stream goes on;
// so every event comes exactly once, in the pages or in the stream.
#ifndef SERVER_LIVE_CHANGE_H
#define SERVER_LIVE_CHANGE_H

#include "base/buf.h"
#include "hub/selection.h"

struct identity;
struct server;
struct stream;

enum { LIVE_CHANGE_PROBLEM_MAX = 200 };

struct live_change {
    struct selection *add, *drop; // owned; what of `add` is privy is whoever asks
    struct identity *identity;    // who asks, with a reference; NULL: nobody in particular
    int64_t lasts_ms;             // how long they may hear what they add; INT64_MAX: for ever
    struct buf cursor;            // `after`, as it was given; empty: not given
    bool started;                 // `after` has been looked up
    bool from_start;              // there is nothing before it that could be missed
    event_id after;               // what was looked up, or where the last page ended
    struct buf items;             // the page
    // The outcome: 200 and a body that is JSON; or another status, and perhaps what to do.
    int status;
    char problem[LIVE_CHANGE_PROBLEM_MAX];
    bool too_many; // the limit on topics was hit
    struct buf body;
};

// An empty change; live_change_finish may follow at any time.
void live_change_init(struct live_change *change);
void live_change_finish(struct live_change *change);

// Reads a JSON object, which json_validate has accepted. 0; ERR_NOMEM; or ERR_INVALID, and `status`
// and `problem` say why. Any thread.
int live_change_read(struct live_change *change, const struct server *server, struct bytes object);

// Does it, or a part of it: false to be called again after others were served; then there is an
// outcome. The stream may be over then, as after hub_change. The stream's worker's thread, and not
// within a call of hub_ops. It is best to call worker_catch_up and hub_serve first, so that the
// connection stands as far on as it can.
bool live_change_apply(struct live_change *change, struct stream *stream);

// Refuses it: there is no such stream; it would have too many topics.
void live_change_gone(struct live_change *change);
void live_change_too_many(struct live_change *change, const struct server *server);

#endif
