// A batch and whom it is for. What the past drops while a batch is at hand is still handed out with
// it; the next batch tells.
#include "hub/crowd.h"

#include "hub/feed.h"

void crowd_forget(struct crowd *crowd) {
    past_batch_release(&crowd->batch);
    crowd->feed = NULL;
    crowd->run = 0;
}

void crowd_forget_feed(struct crowd *crowd, const struct feed *feed) {
    if (crowd->feed == feed) {
        crowd_forget(crowd);
    }
}

int crowd_read(struct crowd *crowd, struct past *past, const struct feed *feed, event_id after,
               event_id upto, size_t max_bytes, const struct past_batch **batch) {
    *batch = &crowd->batch;
    // One that got no further may be short of what has come since.
    if (crowd->feed == feed && crowd->after == after &&
        (crowd->batch.count || crowd->batch.reached > after)) {
        return 0;
    }
    crowd_forget(crowd);
    int rc = past->read(past, feed->selection, after, upto, max_bytes, &crowd->batch);
    if (rc) {
        crowd->batch.count = 0;
        return rc;
    }
    crowd->feed = feed;
    crowd->after = after;
    return 0;
}

int crowd_load(struct crowd *crowd, struct run *run, struct bytes *bytes) {
    if (crowd->run && crowd->run == run->number) {
        *bytes = run->bytes;
        return 0;
    }
    int rc = run_load(run, crowd->feed->encoding, crowd->batch.frames, crowd->batch.count, bytes);
    crowd->run = rc ? 0 : run->number;
    return rc;
}
