// One listener of the doctor: an event stream under way, and when which of the doctor's own events
// came. Those are numbered from 0 in their data; all else on the stream is counted as heartbeats or
// ignored. One thread, that of the probe.
#ifndef CLI_DOCTOR_LISTENER_H
#define CLI_DOCTOR_LISTENER_H

#include <freshet/parser.h>

#include "client/probe.h"

enum { DOCTOR_EVENTS_MAX = 128, DOCTOR_ID_MAX = 300 };

struct doctor_listener {
    struct inquiry *inquiry; // NULL before listener_begin
    struct freshet_parser *parser;
    int64_t came[DOCTOR_EVENTS_MAX]; // when each event came; 0: it has not
    char first_id[DOCTOR_ID_MAX];    // of the first event that came; empty for none
    int64_t first_byte, last_byte;   // when; 0: nothing came
    uint64_t comments;
    bool line_begins;
    bool garbled; // what came is no event stream
};

// A listener of `url` with these headers ("Name: value", NULL at the end). 0 or ERR_NOMEM.
int listener_begin(struct doctor_listener *listener, struct probe *probe, const char *url,
                   const char *const *headers, bool decode, int64_t connect_timeout_ms);

// Hangs up. Safe for one that was never begun, if it is all zero.
void listener_end(struct doctor_listener *listener);

// Whether any of the doctor's events below `number` has come.
bool listener_has_before(const struct doctor_listener *listener, unsigned number);

// The data of event `number`, with filler up to `len` bytes that does not compress well.
int doctor_event_data(struct buf *out, unsigned number, size_t len, uint64_t seed);

#endif
