// How long to wait before the next attempt: the server's `retry:` after a connection that did some
// good, twice as long after each one that did not, always a little more at random so that a crowd
// that lost its server does not come back as one. Pure; one thread.
#ifndef CLIENT_BACKOFF_H
#define CLIENT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

enum {
    BACKOFF_RETRY_MIN = 100,
    BACKOFF_RETRY_MAX = 60 * 60 * 1000,
    BACKOFF_CEILING = 60 * 1000, // of the doubling; a longer `retry:` is still honoured
};

struct backoff {
    int64_t retry;     // what the server asked for, in milliseconds
    unsigned failures; // since the last connection that did some good
    struct random random;
};

void backoff_init(struct backoff *backoff, int64_t retry, uint64_t seed);

// The server said `retry:`; it is moved into BACKOFF_RETRY_MIN..BACKOFF_RETRY_MAX.
void backoff_set_retry(struct backoff *backoff, int64_t retry);

// The milliseconds to wait after a connection ended: from the wait that is due to a quarter more.
int64_t backoff_next(struct backoff *backoff, bool did_good);

#endif
