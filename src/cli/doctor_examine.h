// Goes the way to a server and looks at what becomes of a stream: listens, publishes events of its
// own if it may, listens a second time, comes back after a break, and leaves a stream alone. What
// it sends is bounded: at most DOCTOR_EVENTS_MAX events, under 400 KB of them.
//
// One thread, the main one.
#ifndef CLI_DOCTOR_EXAMINE_H
#define CLI_DOCTOR_EXAMINE_H

#include "cli/doctor_path.h"
#include "client/probe.h"

enum { DOCTOR_HEADERS_MAX = 64 }; // of a request, those of the doctor included

struct doctor_plan {
    const char *listen_url;
    bool asks_past;                     // listen_url asks for events from before
    const char *publish_url;            // NULL: publish nothing
    const char *const *headers;         // of listeners; "Name: value", NULL at the end
    const char *const *publish_headers; // of publishers
    const char *origin;                 // whose pages listen
    bool origin_chosen;                 // by the user
    int64_t timeout_ms;                 // how long to wait for what should come at once
    int64_t idle_ms;                    // how long to leave a stream alone; 0: not at all
    uint64_t seed;
    // What is done now, in a few words; called about every second. May be NULL.
    void (*on_progress)(void *user_data, const char *doing);
    void *user_data;
};

// 0; ERR_GONE when the end was asked for; ERR_NOMEM. `path` is initialised and holds what was seen
// until then.
int doctor_examine(struct probe *probe, const struct doctor_plan *plan, struct doctor_path *path);

#endif
