// The fake history. Memory of its own, so that it is not counted with the hub's and cannot be
// failed.
#include "hub/fake_past.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"

static struct fake_past *fake_of(struct past *past) {
    return container_of(past, struct fake_past, past);
}

void fake_past_append(struct fake_past *fake, struct frame *frame) {
    pthread_mutex_lock(&fake->lock);
    if (fake->count == fake->cap) {
        fake->cap = fake->cap ? fake->cap * 2 : 64;
        fake->frames = realloc(fake->frames, fake->cap * sizeof(*fake->frames));
    }
    fake->frames[fake->count++] = frame_ref(frame);
    pthread_mutex_unlock(&fake->lock);
}

static event_id floor_of(const struct fake_past *fake, const struct selection *selection) {
    for (size_t i = fake->dropped; i > 0; i--) {
        if (selection_hears(selection, fake->frames[i - 1])) {
            return fake->frames[i - 1]->id;
        }
    }
    return 0;
}

static size_t first_after(const struct fake_past *fake, event_id after) {
    size_t low = fake->dropped, high = fake->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fake->frames[middle]->id <= after) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void collect(struct fake_past *fake, const struct selection *selection, event_id upto,
                    size_t at, size_t max_bytes, struct past_batch *batch) {
    size_t bytes = 0, most = fake->most ? fake->most : PAST_BATCH, looked = 0;
    for (; at < fake->count && fake->frames[at]->id <= upto; at++) {
        struct frame *frame = fake->frames[at];
        bool hears = selection_hears(selection, frame);
        bool full = batch->count == most || (batch->count && bytes + frame->size > max_bytes);
        if ((hears && full) || (fake->look_at && looked++ == fake->look_at)) {
            return;
        }
        if (hears) {
            bytes += frame->size;
            batch->frames[batch->count++] = frame_ref(frame);
        }
        batch->reached = frame->id;
    }
    batch->reached = upto;
}

static int read_batch(struct past *past, const struct selection *selection, event_id after,
                      event_id upto, size_t max_bytes, struct past_batch *batch) {
    struct fake_past *fake = fake_of(past);
    int rc = 0;
    pthread_mutex_lock(&fake->lock);
    fake->reads++;
    if (fake->refuse) {
        fake->refuse--;
        rc = ERR_SYSTEM;
    } else {
        *batch = (struct past_batch){.reached = after, .floor = floor_of(fake, selection)};
        collect(fake, selection, upto, first_after(fake, after), max_bytes, batch);
    }
    pthread_mutex_unlock(&fake->lock);
    return rc;
}

void fake_past_init(struct fake_past *fake) {
    *fake = (struct fake_past){.past = {.read = read_batch}};
    pthread_mutex_init(&fake->lock, NULL);
}

void fake_past_finish(struct fake_past *fake) {
    while (fake->count) {
        frame_unref(fake->frames[--fake->count]);
    }
    free(fake->frames);
    pthread_mutex_destroy(&fake->lock);
}
