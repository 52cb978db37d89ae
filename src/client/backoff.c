// Exponential back-off with jitter above the server's own retry time.
#include "client/backoff.h"

void backoff_init(struct backoff *backoff, int64_t retry, uint64_t seed) {
    *backoff = (struct backoff){.random = {.state = seed}};
    backoff_set_retry(backoff, retry);
}

void backoff_set_retry(struct backoff *backoff, int64_t retry) {
    retry = retry < BACKOFF_RETRY_MIN ? BACKOFF_RETRY_MIN : retry;
    backoff->retry = retry > BACKOFF_RETRY_MAX ? BACKOFF_RETRY_MAX : retry;
}

int64_t backoff_next(struct backoff *backoff, bool did_good) {
    int64_t wait = backoff->retry;
    backoff->failures = did_good ? 0 : backoff->failures + 1;
    for (unsigned i = 1; i < backoff->failures && wait < BACKOFF_CEILING; i++) {
        wait *= 2;
        // The ceiling holds for what was doubled, never for what the server asked for.
        wait = wait > BACKOFF_CEILING ? BACKOFF_CEILING : wait;
    }
    return random_between(&backoff->random, wait, wait + wait / 4);
}
