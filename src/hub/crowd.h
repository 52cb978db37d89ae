// The batch of the past that a crowd shares. Listeners of one feed that stand at one cursor (a
// thousand that come back after a break, or that all lost the window) are served one behind the
// other, so what was read for the first serves them all. One batch a hub: when another feed or
// cursor is asked for, it is read in its place. One thread: the hub's.
#ifndef HUB_CROWD_H
#define HUB_CROWD_H

#include "hub/past.h"
#include "hub/run.h"

struct feed;

struct crowd {
    const struct feed *feed; // whose; NULL: it holds nothing
    event_id after;          // what was read is what comes behind this
    bool values;             // and only values
    uint64_t run;            // the number of the run that holds the batch encoded; 0: none does
    struct past_batch batch; // what keeps the run's frames alive
};

// What `feed` has behind the cursor, from the batch at hand or from the past: 0, or the error of
// past->read. *batch is valid until the crowd is asked for something else or forgets.
int crowd_read(struct crowd *crowd, struct past *past, const struct feed *feed, event_id after,
               event_id upto, size_t max_bytes, const struct past_batch **batch);

// The same of past->values; nothing above `upto` is in the batch.
int crowd_read_values(struct crowd *crowd, struct past *past, const struct feed *feed,
                      event_id after, event_id upto, size_t max_bytes,
                      const struct past_batch **batch);

// The batch, encoded: 0 or ERR_NOMEM.
int crowd_load(struct crowd *crowd, struct run *run, struct bytes *bytes);

// Gives the batch back, whoever it is for; of a feed that ends, only that feed's.
void crowd_forget(struct crowd *crowd);
void crowd_forget_feed(struct crowd *crowd, const struct feed *feed);

#endif
