// The ring between two threads. Once a frame has been left out, everything is left out until the
// worker has emptied the ring and taken note: otherwise it would see a later frame before it knew
// that an earlier one is missing.
#include "hub/inbox.h"

#include "base/error.h"

int inbox_init(struct inbox *inbox, const struct mem *mem, size_t size, size_t max_bytes) {
    *inbox = (struct inbox){.mem = mem, .size = size, .max_bytes = max_bytes};
    inbox->slots = mem_new(mem, size * sizeof(struct frame *));
    return inbox->slots ? 0 : ERR_NOMEM;
}

void inbox_finish(struct inbox *inbox) {
    event_id lost;
    struct frame *frame;
    while (inbox->slots && (frame = inbox_pop(inbox, &lost))) {
        frame_unref(frame);
    }
    mem_free(inbox->mem, inbox->slots);
    inbox->slots = NULL;
}

static bool has_room(struct inbox *inbox, size_t tail, size_t cost) {
    size_t head = atomic_load_explicit(&inbox->head, memory_order_acquire);
    size_t bytes = atomic_load_explicit(&inbox->bytes, memory_order_relaxed);
    return tail - head < inbox->size && (bytes == 0 || bytes + cost <= inbox->max_bytes);
}

static bool must_wake(struct inbox *inbox) {
    // Sequentially consistent here, in the stores before it and in inbox_sleep: either the worker
    // sees the frame before it sleeps, or this sees that it sleeps.
    return atomic_load(&inbox->asleep) && atomic_exchange(&inbox->asleep, false);
}

bool inbox_push(struct inbox *inbox, struct frame *frame) {
    size_t tail = atomic_load_explicit(&inbox->tail, memory_order_relaxed);
    size_t cost = frame_cost(frame);
    bool losing = atomic_load_explicit(&inbox->lost, memory_order_acquire) != 0;
    if (losing || !has_room(inbox, tail, cost)) {
        atomic_store(&inbox->lost, frame->id);
        return must_wake(inbox);
    }
    inbox->slots[tail & (inbox->size - 1)] = frame_ref(frame);
    atomic_fetch_add_explicit(&inbox->bytes, cost, memory_order_relaxed);
    atomic_store(&inbox->tail, tail + 1);
    return must_wake(inbox);
}

struct frame *inbox_pop(struct inbox *inbox, event_id *lost) {
    size_t head = atomic_load_explicit(&inbox->head, memory_order_relaxed);
    *lost = 0;
    if (head == atomic_load_explicit(&inbox->tail, memory_order_acquire)) {
        *lost = atomic_load_explicit(&inbox->lost, memory_order_acquire);
        if (*lost == 0) {
            return NULL;
        }
        // Frames may have been written between the two loads; they are older than the loss.
        if (head == atomic_load_explicit(&inbox->tail, memory_order_acquire)) {
            *lost = atomic_exchange_explicit(&inbox->lost, 0, memory_order_acq_rel);
            return NULL;
        }
        *lost = 0;
    }
    struct frame *frame = inbox->slots[head & (inbox->size - 1)];
    atomic_fetch_sub_explicit(&inbox->bytes, frame_cost(frame), memory_order_relaxed);
    atomic_store_explicit(&inbox->head, head + 1, memory_order_release);
    return frame;
}

bool inbox_sleep(struct inbox *inbox) {
    atomic_store(&inbox->asleep, true);
    bool empty =
        atomic_load(&inbox->tail) == atomic_load(&inbox->head) && atomic_load(&inbox->lost) == 0;
    if (!empty) {
        inbox_awake(inbox);
    }
    return empty;
}
