// What every event of a load carries at the start of its data: which run and lane it belongs to,
// its place in that lane, and when it was meant to be published. Sixteen letters that need no
// escaping anywhere, so that it passes through any server.
//
// A lane is a sequence that one publisher sends to one topic: the only order that a server with
// several publishers to a topic can be held to.
#ifndef LOAD_STAMP_H
#define LOAD_STAMP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    STAMP_SIZE = 16,
    STAMP_RUNS = 1 << 12,
    STAMP_LANES = 1 << 24,
    STAMP_SEQUENCES = 1 << 30,
    STAMP_TIMES = 1 << 30, // microseconds; times wrap around after 18 minutes
};

struct stamp {
    uint32_t run, lane, sequence;
    uint32_t time_us;
};

void stamp_write(const struct stamp *stamp, char out[STAMP_SIZE]);

// False when these are not the letters of a stamp.
bool stamp_read(const char in[STAMP_SIZE], struct stamp *stamp);

// How long ago it was, given that it was less than STAMP_TIMES ago. A time that is slightly ahead
// counts as now.
static inline uint32_t stamp_age_us(const struct stamp *stamp, int64_t now_us) {
    uint32_t age = ((uint32_t)now_us - stamp->time_us) & (STAMP_TIMES - 1);
    return age > STAMP_TIMES / 2 ? 0 : age;
}

#endif
