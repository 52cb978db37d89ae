// What waits for the disk: frames in their order, the stretches that found no room, and what else
// the writer is asked to do. Filled by the sequencer, emptied by the writer, read by workers; each
// holds the lock for a bounded moment.
#ifndef HISTORY_DISK_QUEUE_H
#define HISTORY_DISK_QUEUE_H

#include <pthread.h>

#include "base/ring.h"
#include "history/disk_holes.h"
#include "hub/frame.h"

enum { DISK_PORTION = 256 }; // frames taken out under one hold of the lock

enum disk_sleep {
    DISK_AWAKE,
    DISK_IDLE,      // until anything comes
    DISK_GATHERING, // until there is enough for a group
};

struct disk_queue {
    pthread_mutex_t lock;
    pthread_cond_t news;    // something to do for the writer
    pthread_cond_t settled; // the writer has done what it was asked
    size_t bytes_max;       // constant
    size_t enough_bytes;    // constant: what ends gathering
    // Below: under the lock.
    struct ring frames; // of struct frame *, each with a reference
    size_t bytes;
    event_id appended; // the newest that came, waiting or lost
    event_id taken;    // everything up to here has left
    struct disk_holes holes;
    uint64_t lost;
    bool holes_changed; // since the writer last took them
    enum disk_sleep sleep;
    bool stop, expire;
    int64_t now;              // the latest time that anyone told
    uint64_t asked, answered; // requests; those that a whole round of the writer began after
};

struct disk_portion {
    struct frame *frames[DISK_PORTION];
    size_t count;
};

// 0 or ERR_NOMEM.
int disk_queue_init(struct disk_queue *queue, const struct mem *mem, size_t bytes_max,
                    size_t enough_bytes);
void disk_queue_finish(struct disk_queue *queue);

// Takes a reference, or notes a hole when there is no room.
void disk_queue_push(struct disk_queue *queue, struct frame *frame, int64_t now);

// Wakes the writer for something else; under the lock.
void disk_queue_ask(struct disk_queue *queue);

// Borrows the frames from `place` on, counted from the front: for the writer, who alone takes out.
void disk_queue_peek(struct disk_queue *queue, size_t place, struct disk_portion *portion);

// Takes out the first `count`; everything up to `upto` has left.
void disk_queue_settle(struct disk_queue *queue, size_t count, event_id upto);

// References to the frames with after < id <= upto, oldest first. False, and nothing, when something
// above `joins` has already left.
bool disk_queue_forward(struct disk_queue *queue, event_id after, event_id upto, event_id joins,
                        struct disk_portion *portion);

// References to the frames up to `upto`, newest first.
void disk_queue_backward(struct disk_queue *queue, event_id upto, struct disk_portion *portion);

void disk_portion_release(struct disk_portion *portion, size_t from);

#endif
