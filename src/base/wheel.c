// One ring of slots. A deadline more than a turn away waits in its slot and is passed over until
// its turn comes: with 256 slots of 100 ms it is looked at once in 25.6 s, and it keeps the wheel
// one level.
#include "base/wheel.h"

void wheel_init(struct wheel *wheel, int64_t tick_ms, int64_t now) {
    for (int i = 0; i < WHEEL_SLOTS; i++) {
        list_init(&wheel->slots[i]);
    }
    wheel->tick_ms = tick_ms;
    wheel->tick = now / tick_ms;
}

void wheel_node_init(struct wheel_node *node) {
    list_init(&node->link);
    node->deadline = 0;
}

void wheel_arm(struct wheel *wheel, struct wheel_node *node, int64_t deadline) {
    // Rounded up, so that nothing fires early; a past deadline goes to the next tick.
    int64_t tick = (deadline + wheel->tick_ms - 1) / wheel->tick_ms;
    tick = tick <= wheel->tick ? wheel->tick + 1 : tick;
    list_remove(&node->link);
    node->deadline = deadline;
    list_push_back(&wheel->slots[(uint64_t)tick % WHEEL_SLOTS], &node->link);
}

void wheel_disarm(struct wheel_node *node) {
    list_remove(&node->link);
}

static void sweep(struct wheel *wheel, struct list *slot, int64_t now, wheel_fire *fire,
                  void *ctx) {
    // A detached list, because `fire` may arm into this very slot.
    struct list due, *link;
    list_init(&due);
    list_move_all(&due, slot);
    while ((link = list_pop_front(&due))) {
        struct wheel_node *node = container_of(link, struct wheel_node, link);
        if (node->deadline > now) {
            list_push_back(slot, link);
        } else {
            fire(ctx, node);
        }
    }
}

void wheel_advance(struct wheel *wheel, int64_t now, wheel_fire *fire, void *ctx) {
    int64_t last = now / wheel->tick_ms;
    if (last - wheel->tick > WHEEL_SLOTS) {
        wheel->tick = last - WHEEL_SLOTS; // after a long stop, one whole turn sees every slot
    }
    while (wheel->tick < last) {
        wheel->tick++;
        sweep(wheel, &wheel->slots[(uint64_t)wheel->tick % WHEEL_SLOTS], now, fire, ctx);
    }
}
