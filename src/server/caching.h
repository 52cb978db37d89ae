// Whether a cache between freshet and those who poll may keep an answer, and so make one request of
// many identical ones. All of the decision is here. Pure: any thread, nothing fails.
#ifndef SERVER_CACHING_H
#define SERVER_CACHING_H

#include <stdbool.h>
#include <stdint.h>

enum { CACHING_TEXT_MAX = 64 };

// What is known of an answer in JSON.
struct caching {
    bool placed;    // its URL alone says behind which id it begins
    bool personal;  // the request carried something that says whose it is
    bool gap;       // it tells of a gap
    bool empty;     // it has no event
    int64_t age_ms; // how long it may be kept, by the settings; 0: not at all
};

// The value of Cache-Control, in `out`.
const char *caching_control(const struct caching *caching, char out[CACHING_TEXT_MAX]);

#endif
