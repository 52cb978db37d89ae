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

// One that got no further may be short of what has come since.
static bool has(const struct crowd *crowd, const struct feed *feed, event_id after, bool values) {
    return crowd->feed == feed && crowd->after == after && crowd->values == values &&
           (crowd->batch.count || crowd->batch.reached > after);
}

static int keep(struct crowd *crowd, int rc, const struct feed *feed, event_id after, bool values) {
    if (rc) {
        crowd->batch.count = 0;
        return rc;
    }
    crowd->feed = feed;
    crowd->after = after;
    crowd->values = values;
    return 0;
}

int crowd_read(struct crowd *crowd, struct past *past, const struct feed *feed, event_id after,
               event_id upto, size_t max_bytes, const struct past_batch **batch) {
    *batch = &crowd->batch;
    if (has(crowd, feed, after, false)) {
        return 0;
    }
    crowd_forget(crowd);
    int rc = past->read(past, feed->selection, after, upto, max_bytes, &crowd->batch);
    return keep(crowd, rc, feed, after, false);
}

int crowd_read_values(struct crowd *crowd, struct past *past, const struct feed *feed,
                      event_id after, event_id upto, size_t max_bytes,
                      const struct past_batch **batch) {
    *batch = &crowd->batch;
    if (has(crowd, feed, after, true) && crowd->batch.reached <= upto) {
        return 0;
    }
    crowd_forget(crowd);
    int rc = past->values(past, feed->selection, after, upto, max_bytes, &crowd->batch);
    return keep(crowd, rc, feed, after, true);
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
