// A timer wheel: coarse timeouts for a great many connections, each a node of its owner. Arming and
// disarming are constant time and touch no other timer; one tick costs what expires in it. A timer
// fires no earlier than its deadline and at most one tick late.
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum { WHEEL_SLOTS = 256 };

struct wheel_node {
    struct list link;
    int64_t deadline;
};

struct wheel {
    struct list slots[WHEEL_SLOTS];
    int64_t tick_ms;
    int64_t tick; // the last tick that was swept
};

typedef void wheel_fire(void *ctx, struct wheel_node *node);

void wheel_init(struct wheel *wheel, int64_t tick_ms, int64_t now);
void wheel_node_init(struct wheel_node *node);

// Arms the node for `deadline`, wherever it stood before.
void wheel_arm(struct wheel *wheel, struct wheel_node *node, int64_t deadline);
void wheel_disarm(struct wheel_node *node);

static inline bool wheel_armed(const struct wheel_node *node) {
    return node->link.next != &node->link;
}

// Calls `fire` for every node whose deadline is not after `now`; each is disarmed before, and may
// be armed again, or freed, or take other nodes with it, in the call.
void wheel_advance(struct wheel *wheel, int64_t now, wheel_fire *fire, void *ctx);

#endif
