// How far a listener may lag. Only those are looked at who are stalled, a bounded number at a time, and
// of those only who once had everything: who reads a long past at its own pace lags behind nobody. Time
// is an argument. One thread: the hub's.
#ifndef HUB_LAG_H
#define HUB_LAG_H

#include <stdint.h>

struct hub;
struct subscriber;

enum lag_action {
    LAG_GAP,    // it is served from the past, and told of a gap when that has moved on
    LAG_SKIP,   // it goes on with the newest event
    LAG_LATEST, // of what it missed it gets the newest event of each key
    LAG_CLOSE,  // hub_ops.lags ends it
};

struct lag_limits {
    uint64_t hard;    // events: beyond it, at once; 0: no limit
    uint64_t soft;    // beyond it for so long; 0: no limit
    uint32_t soft_ms; // 0: at once
    int action;       // enum lag_action
};

// Of a subscriber; all zero while it has everything.
struct lag {
    uint32_t from;  // the number in its feed of the event that it stands at; 0: not known
    uint32_t since; // when it was first seen beyond the soft limit; 0: it is not
};

enum { LAG_LOOKS = 1024 }; // subscribers at a time

// Looks at the next of those who are stalled. The owner calls it every now and then.
void hub_check_lag(struct hub *hub, int64_t now_ms);

// Between two frames of a subscriber that is to jump: moves its cursor, and makes the gap event that
// tells of it the next thing that it gets. Without memory it goes on as before.
void lag_jump(struct hub *hub, struct subscriber *subscriber);

#endif
