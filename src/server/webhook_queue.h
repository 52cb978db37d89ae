// Messages for a receiver, in order: numbered when they happen, handed over in batches, and forgotten
// when the receiver has said that it has them. Pure. Whoever uses it from several threads locks it.
#ifndef SERVER_WEBHOOK_QUEUE_H
#define SERVER_WEBHOOK_QUEUE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/list.h"

enum { WEBHOOK_BATCH = 100, WEBHOOK_BATCH_BYTES = 256 * 1024 };

struct webhook_queue {
    const struct mem *mem;
    struct list messages;
    size_t count, most;
    uint64_t era;     // of this process: with the number, what makes a message known
    uint64_t number;  // of the last message, also of one that was dropped
    uint64_t dropped; // found no room
};

void webhook_queue_init(struct webhook_queue *queue, const struct mem *mem, size_t most,
                        uint64_t era);
void webhook_queue_finish(struct webhook_queue *queue);

// Adds a message: `members` is what stands in its object behind its id and time. False when it was
// dropped: there is no room; then its number is missing among those that follow.
bool webhook_queue_push(struct webhook_queue *queue, struct bytes members, int64_t time_ms);

// Appends {"events":[…]} with the messages in front. How many, or ERR_NOMEM.
int webhook_queue_compose(const struct webhook_queue *queue, struct buf *out);

// The receiver has the first so many.
void webhook_queue_pop(struct webhook_queue *queue, size_t count);

#endif
