// One subscriber's turn. One thread: the hub's.
#ifndef HUB_TURN_H
#define HUB_TURN_H

#include "hub/hub.h"

struct turn {
    struct bytes pieces[2];
    int count;
    size_t part; // bytes of the first piece that belong to the half-sent frame
    size_t total;
    bool run;                       // the last piece is from the run
    const struct past_batch *batch; // what the run was made of, when it is from the past; or NULL
    uint32_t stamp;                 // of the first event, when it is from the window; 0: unknown
    struct frame *pack;             // what stands for the run, when it is compressed; or NULL
};

// Gathers what is to be sent, which may be nothing: 0 or a negative error. The pieces last until the
// hub's run and packs change.
int turn_gather(struct hub *hub, struct subscriber *subscriber, struct turn *turn);

// The same for one that is sent compressed; turn->pack has a reference, which is the caller's.
int turn_gather_packed(struct hub *hub, struct subscriber *subscriber, struct turn *turn);

// Whether it has been sent all that it takes.
static inline bool turn_is_full(const struct subscriber *s) {
    return s->bound && (s->bound->events == 0 || s->bound->enough);
}

#endif
