// A worker's inbox: frames on their way from the sequencer to one worker. A bounded ring with one
// writer (whoever holds the sequencer's lock) and one reader (the worker), without a lock of its
// own.
//
// It never makes a publisher wait. When it is full, by count or by bytes, frames are left out and
// the inbox remembers up to which id; the worker then treats its windows as moved on, and its
// listeners read from history instead. So a stalled worker costs bounded memory and loses nothing
// by itself.
#ifndef HUB_INBOX_H
#define HUB_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "hub/frame.h"

struct inbox {
    const struct mem *mem;
    struct frame **slots;
    size_t size; // a power of two
    size_t max_bytes;
    _Alignas(64) atomic_size_t head; // the next to read; the worker's
    _Alignas(64) atomic_size_t tail; // the next to write; the sequencer's
    atomic_size_t bytes;
    _Atomic(event_id) lost; // the newest id that was left out and not yet told; 0: none
    atomic_bool asleep;     // the worker is about to wait, or waits: wake it
};

// 0 or ERR_NOMEM.
int inbox_init(struct inbox *inbox, const struct mem *mem, size_t size, size_t max_bytes);
void inbox_finish(struct inbox *inbox);

// The sequencer: takes a reference if there is room. True when the worker sleeps and must be woken.
bool inbox_push(struct inbox *inbox, struct frame *frame);

// The worker: the next frame with its reference, or NULL. When it is NULL, *lost is the id up to
// which frames were left out since the last time, or 0.
struct frame *inbox_pop(struct inbox *inbox, event_id *lost);

// The worker: says that it is about to wait. False when something came meanwhile: then do not wait.
bool inbox_sleep(struct inbox *inbox);

// The worker: says that it will look at the inbox before it waits again, so nobody need wake it.
static inline void inbox_awake(struct inbox *inbox) {
    atomic_store_explicit(&inbox->asleep, false, memory_order_relaxed);
}

#endif
