// Asking every worker something and answering when all have replied: for what only a worker itself
// may look at. Each worker is asked on its own thread, one after the other, so that `ask` may write
// into one result without a lock.
#ifndef SERVER_GATHER_H
#define SERVER_GATHER_H

#include "server/exchange.h"
#include "server/mailbox.h"

struct gather;

struct gather_ops {
    // On each worker's thread in turn. True when this worker has said everything; false to be
    // called again after it has served others (a bounded amount of work a call).
    bool (*ask)(struct gather *gather, struct worker *worker);

    // On the thread of the exchange, after all were asked: answers it.
    void (*answer)(struct gather *gather, struct exchange *exchange);

    // Frees the gather, whether it answered or the exchange was over before.
    void (*destroy)(struct gather *gather);
};

// The first member of whatever the question needs.
struct gather {
    struct task task;
    const struct gather_ops *ops;
    struct worker *home;
    struct exchange *exchange; // home's to read; NULL when it is over
    unsigned next;             // worker to be asked
    unsigned end;              // the first that is not asked
};

// Starts asking. The exchange's handler must have gather_drop as its `drop`.
void gather_start(struct gather *gather, struct exchange *exchange, const struct gather_ops *ops);

// The same of one worker alone.
void gather_from(struct gather *gather, struct exchange *exchange, const struct gather_ops *ops,
                 const struct worker *worker);

void gather_drop(struct exchange *exchange);

#endif
