// The past as a cursor sees it: the one interface behind which history lives. The hub asks it for
// what its windows no longer hold; it does not know whether memory or a disk answers.
#ifndef HUB_PAST_H
#define HUB_PAST_H

#include <stdbool.h>

#include "hub/frame.h"
#include "hub/selection.h"

enum { PAST_BATCH = 256 };

struct past_batch {
    struct frame *frames[PAST_BATCH]; // in order, each with a reference for the caller
    size_t count;
    event_id reached; // everything of the selection after the cursor, up to here, is in the batch
    event_id floor;   // the highest id of an event of the selection that has been dropped, or more
};

struct past {
    // The events of the selection with after < id <= upto, oldest first, as many as fit PAST_BATCH,
    // max_bytes (but at least one) and a bounded amount of work; reached < upto tells that there
    // may be more. A count of 0 with reached > after is progress too. 0, or a negative error that
    // means: try again later. Any thread.
    int (*read)(struct past *past, const struct selection *selection, event_id after, event_id upto,
                size_t max_bytes, struct past_batch *batch);

    // As read: only the events that are the newest of their key, and none without a key.
    //
    // For a selection with `latest`, read itself leaves out what has a key and is not the newest of it, because the
    // newest still comes; and the floor is that of events that nothing newer has replaced. Events
    // of different topics or types have different keys. What cannot be known (memory was short, it
    // waits for the disk) may be there though it is not the newest.
    int (*values)(struct past *past, const struct selection *selection, event_id after,
                  event_id upto, size_t max_bytes, struct past_batch *batch);

    // The cursor after which exactly the newest `count` events up to `upto` come (fewer when there
    // are fewer; then the cursor is one below the oldest). Any thread.
    event_id (*last)(struct past *past, const struct selection *selection, size_t count,
                     event_id upto);

    // The place of the event that a publisher gave this id of its own: the lowest, when several
    // topics of the selection have one. 0 or ERR_NOT_FOUND. Any thread.
    int (*find)(struct past *past, const struct selection *selection, struct bytes own_id,
                event_id *at);
};

// Gives back the references of a batch.
static inline void past_batch_release(struct past_batch *batch) {
    while (batch->count) {
        frame_unref(batch->frames[--batch->count]);
    }
}

#endif
