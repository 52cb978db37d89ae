// A ring of references under one mutex. The policy: appending costs a slot and a comparison,
// whatever the disk does, and wakes the writer only when it sleeps.
#include "history/disk_queue.h"

#include "base/error.h"

int disk_queue_init(struct disk_queue *queue, const struct mem *mem, size_t bytes_max,
                    size_t enough_bytes) {
    pthread_condattr_t monotonic;
    *queue = (struct disk_queue){.bytes_max = bytes_max, .enough_bytes = enough_bytes};
    ring_init(&queue->frames, mem, sizeof(struct frame *));
    if (pthread_mutex_init(&queue->lock, NULL)) {
        return ERR_NOMEM;
    }
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    int rc = pthread_cond_init(&queue->news, &monotonic);
    rc = rc ? rc : pthread_cond_init(&queue->settled, NULL);
    (void)pthread_condattr_destroy(&monotonic);
    return rc ? ERR_NOMEM : 0;
}

void disk_queue_finish(struct disk_queue *queue) {
    disk_queue_settle(queue, queue->frames.count, queue->appended);
    ring_finish(&queue->frames);
    pthread_cond_destroy(&queue->settled);
    pthread_cond_destroy(&queue->news);
    pthread_mutex_destroy(&queue->lock);
}

static size_t cost_of(const struct frame *frame) {
    return frame_cost(frame) + sizeof(struct frame *);
}

static struct frame *frame_at(const struct disk_queue *queue, size_t place) {
    return *(struct frame **)ring_at(&queue->frames, (uint32_t)place);
}

static void wake(struct disk_queue *queue) {
    bool enough = queue->bytes >= queue->enough_bytes;
    if (queue->sleep == DISK_IDLE || (queue->sleep == DISK_GATHERING && enough)) {
        queue->sleep = DISK_AWAKE;
        pthread_cond_signal(&queue->news);
    }
}

void disk_queue_push(struct disk_queue *queue, struct frame *frame, int64_t now) {
    pthread_mutex_lock(&queue->lock);
    size_t cost = cost_of(frame);
    bool fits = queue->bytes + cost <= queue->bytes_max || queue->frames.count == 0;
    struct frame **slot = fits ? ring_push(&queue->frames) : NULL;
    if (slot) {
        *slot = frame_ref(frame);
        queue->bytes += cost;
    } else {
        disk_holes_add(&queue->holes, queue->appended, frame->id);
        queue->holes_changed = true;
        queue->lost++;
    }
    queue->appended = frame->id;
    queue->now = queue->now < now ? now : queue->now;
    queue->asked++;
    wake(queue);
    pthread_mutex_unlock(&queue->lock);
}

void disk_queue_ask(struct disk_queue *queue) {
    queue->asked++;
    if (queue->sleep != DISK_AWAKE) {
        queue->sleep = DISK_AWAKE;
        pthread_cond_signal(&queue->news);
    }
}

void disk_queue_peek(struct disk_queue *queue, size_t place, struct disk_portion *portion) {
    portion->count = 0;
    pthread_mutex_lock(&queue->lock);
    while (portion->count < DISK_PORTION && place < queue->frames.count) {
        portion->frames[portion->count++] = frame_at(queue, place++);
    }
    pthread_mutex_unlock(&queue->lock);
}

static size_t take(struct disk_queue *queue, size_t count, event_id upto) {
    struct disk_portion portion = {.count = 0};
    pthread_mutex_lock(&queue->lock);
    queue->taken = upto;
    for (; portion.count < DISK_PORTION && portion.count < count; portion.count++) {
        portion.frames[portion.count] = frame_at(queue, 0);
        queue->bytes -= cost_of(portion.frames[portion.count]);
        ring_pop(&queue->frames);
    }
    pthread_mutex_unlock(&queue->lock);
    count = portion.count;
    disk_portion_release(&portion, 0);
    return count;
}

void disk_queue_settle(struct disk_queue *queue, size_t count, event_id upto) {
    do {
        count -= take(queue, count, upto);
    } while (count);
}

// The place of the first frame above `id`.
static size_t search(const struct disk_queue *queue, event_id id) {
    size_t low = 0, high = queue->frames.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (frame_at(queue, middle)->id > id) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

bool disk_queue_forward(struct disk_queue *queue, event_id after, event_id upto, event_id joins,
                        struct disk_portion *portion) {
    portion->count = 0;
    pthread_mutex_lock(&queue->lock);
    bool whole = queue->taken <= joins;
    size_t place = whole ? search(queue, after) : queue->frames.count;
    while (portion->count < DISK_PORTION && place < queue->frames.count) {
        struct frame *frame = frame_at(queue, place++);
        if (frame->id > upto) {
            break;
        }
        portion->frames[portion->count++] = frame_ref(frame);
    }
    pthread_mutex_unlock(&queue->lock);
    return whole;
}

void disk_queue_backward(struct disk_queue *queue, event_id upto, struct disk_portion *portion) {
    portion->count = 0;
    pthread_mutex_lock(&queue->lock);
    for (size_t place = search(queue, upto); place && portion->count < DISK_PORTION; place--) {
        portion->frames[portion->count++] = frame_ref(frame_at(queue, place - 1));
    }
    pthread_mutex_unlock(&queue->lock);
}

void disk_portion_release(struct disk_portion *portion, size_t from) {
    while (from < portion->count) {
        frame_unref(portion->frames[from++]);
    }
}
