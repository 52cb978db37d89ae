// An EventSource for the command line: it connects to an event stream, hands out its events, and
// connects again with the last event ID whenever the stream ends, as the WHATWG HTML standard
// (section 9.2) has it. Where a browser would give up it is more patient: 408, 429 and 5xx are
// retried, later each time. It gives up on 204, on other statuses, and on what is no event stream.
//
// Redirects are followed (10 of them, never from https to http); each new connection starts from
// the original URL again, or from where 301 and 308 moved it. Headers of the settings and the
// credentials of the URL go to the origin of the URL only.
//
// One thread: source_run blocks and calls back from within.
#ifndef CLIENT_SOURCE_H
#define CLIENT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <freshet/event.h>

#include "base/bytes.h"
#include "base/mem.h"

struct source;

enum source_note {
    SOURCE_OPENED,  // a stream has begun; the URL that it came from
    SOURCE_LOST,    // why a stream ended or did not begin, and when it is tried again
    SOURCE_WARNING, // something that the user should know
};

struct source_settings {
    const struct mem *mem;
    const char *url;            // copied
    const char *first_query;    // "last=10": added to the URL until there is an id; NULL for none
    struct bytes last_id;       // to begin with; empty for none
    const char *const *headers; // "Name: value", NULL at the end; borrowed until source_close
    bool reconnect;             // else the first end of the stream is the end
    bool retry_refused;         // 4xx is retried, too
    int64_t retry_ms;           // until the server says otherwise
    int64_t connect_timeout_ms;
    int64_t read_timeout_ms; // without a byte; 0 for none
    size_t max_event;        // bytes of a line and of an event's data
    uint64_t seed;           // of the jitter
    int stop_fd;             // readable: end at once; -1 for none

    // Other than 0 ends source_run with SOURCE_STOPPED. The event lasts until it returns.
    int (*on_event)(void *user_data, const struct freshet_event *event);
    int (*on_bytes)(void *user_data, struct bytes bytes); // the stream as it comes; may be NULL
    void (*on_note)(void *user_data, enum source_note note, const char *sentence); // may be NULL
    void *user_data;
};

// 3 s of retry, 30 s to connect, 45 s of silence, 16 MiB, reconnecting, nothing to stop it.
void source_settings_default(struct source_settings *settings);

// 0; ERR_INVALID for a URL that is not http or https, or an id that no stream can have; ERR_NOMEM.
// *out is NULL then.
int source_open(struct source **out, const struct source_settings *settings);

enum source_end {
    SOURCE_ENDED,   // 204, or the stream ended and the settings say not to reconnect
    SOURCE_STOPPED, // stop_fd or a callback
};

// A source_end, or a negative error when there is no point in going on: see source_reason.
int source_run(struct source *source);

// Why source_run failed: a sentence without a capital or a full stop.
const char *source_reason(const struct source *source);

// Ends nothing that still runs; frees, and makes *source NULL.
void source_close(struct source **source);

#endif
