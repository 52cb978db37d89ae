// The policy: what follows a place that the URL names does not change any more, only more comes
// after it. So such an answer is right for whoever asks the same, for as long as it may be kept.
// One that has nothing yet is right for a moment; whoever asked at the same time gets it too, which
// is what makes a cache hold many polls with one request. Everything else has to be asked for again
// each time, if only to hear that it is still so. What belongs to one person is nobody else's.
#include "server/caching.h"

#include <stdio.h>

const char *caching_control(const struct caching *caching, char out[CACHING_TEXT_MAX]) {
    if (caching->personal || caching->age_ms == 0) {
        return "private, no-cache";
    }
    if (!caching->placed || caching->gap) {
        return "no-cache";
    }
    if (caching->empty) {
        // Served stale, it would send those who wait away at once, and again, and again.
        return "public, max-age=1, stale-while-revalidate=0";
    }
    long long seconds = (long long)((caching->age_ms + 999) / 1000);
    snprintf(out, CACHING_TEXT_MAX, "public, max-age=%lld", seconds);
    return out;
}
