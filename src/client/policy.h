// What an answer means to a client: pure decisions on statuses, headers and ids. Any thread.
#ifndef CLIENT_POLICY_H
#define CLIENT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum policy_verdict {
    POLICY_GOOD,     // 200
    POLICY_DONE,     // 204: the server asks a subscriber to stop
    POLICY_REDIRECT, // 301, 302, 303, 307, 308
    POLICY_RETRY,    // 408, 429 and 5xx: it may work later
    POLICY_FAIL,     // all else: asking again would get the same answer
};

enum policy_verdict policy_status(long status);

// Whether a redirect may be remembered: 301 and 308.
bool policy_permanent(long status);

// Whether the media type without its parameters is text/event-stream.
bool policy_is_event_stream(struct bytes content_type);

// What Retry-After asks for, in milliseconds from `now` (the wall clock), at most an hour; -1 when
// the value is neither a number of seconds nor a date.
int64_t policy_retry_after(struct bytes value, int64_t now);

// Whether the id can travel as Last-Event-ID and arrive unchanged: neither empty nor over 4096
// bytes, no control characters, no blank at either end.
bool policy_id_fits_header(struct bytes id);

// Whether a line is "Name: value" as HTTP has it, with a value that is not empty.
bool policy_is_header_line(struct bytes line);

#endif
