// What arrives at one listener, whatever carries it: the framing of the answer, of WebSocket, of
// gzip, and the events in it. Its memory is bounded whatever the server sends. One thread at a time.
#ifndef LOAD_INTAKE_H
#define LOAD_INTAKE_H

#include "load/frames.h"
#include "load/gunzip.h"
#include "load/incoming.h"
#include "load/items.h"
#include "load/load.h"
#include "load/scan.h"

// All zero is the start.
struct intake {
    struct incoming incoming;
    struct frames frames;
    struct gunzip *gunzip; // when the answer is packed
    struct bytes body;     // of the piece that is being fed, not used yet
    unsigned char cursor_len;
    char cursor[INCOMING_CURSOR_MAX]; // of a poll's last answer
    union {
        struct scan scan;   // event streams
        struct items items; // JSON
    };
};

// Where events go, and room for what was packed.
struct intake_way {
    enum load_transport transport;
    scan_found *found;
    void *ctx;
    char *room;
    size_t room_len;
};

enum intake_step {
    INTAKE_MORE,     // all of *rest was used; feed on
    INTAKE_BEGUN,    // the head has come, and is as hoped for
    INTAKE_ANSWERED, // a poll has its answer; ask again
    INTAKE_PING,     // to be answered with frames_pong
};

// Takes what it can from *rest and says what it was: a step, ERR_GONE when the server ended it,
// ERR_INVALID or ERR_NOMEM.
int intake_next(struct intake *intake, struct bytes *rest, const struct intake_way *way);

// Where it would go on: empty when no event has come.
struct bytes intake_cursor(const struct intake *intake, enum load_transport transport);

// Before another connection; the cursor stays. Also at the end.
void intake_restart(struct intake *intake);

#endif
