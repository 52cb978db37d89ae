// The history on disk, as its own files see it. Three kinds of threads meet here: the sequencer,
// which only appends to the queue; the writer, which alone writes the file; and workers, which read
// a snapshot of the file and what still waits behind it.
#ifndef HISTORY_DISK_PRIVATE_H
#define HISTORY_DISK_PRIVATE_H

#include "base/list.h"
#include "history/disk.h"
#include "history/disk_file.h"
#include "history/disk_floors.h"
#include "history/disk_purges.h"
#include "history/disk_queue.h"
#include "history/disk_state.h"

enum { DISK_READERS_IDLE = 64 }; // transactions that wait to be used again

// Why an event is no longer held.
enum disk_reason { DISK_BY_COUNT, DISK_BY_BYTES, DISK_BY_AGE, DISK_BY_BUDGET, DISK_REASONS };

// How much goes into one transaction, and how full the file may become. All from limits->bytes.
struct disk_bounds {
    uint64_t group_bytes; // of records in one group
    uint64_t event_bytes; // of one record
    uint64_t used_bytes;  // in use, before the oldest has to go
    int64_t age_least;    // of all limits: the shortest age, 0: there is none
    int64_t age_all;      // what every limit agrees is too old, 0: nothing
};

struct disk_readers {
    pthread_mutex_t lock;
    size_t count;
    MDB_txn *idle[DISK_READERS_IDLE];
};

// What anyone may read at any time.
struct disk_figures {
    _Atomic(event_id) stored;
    atomic_int state;
    atomic_bool privates; // the file has had a private event
    atomic_ullong commits, failures, damaged;
    atomic_ullong events, topics, used_bytes, dropped[DISK_REASONS];
};

struct disk {
    struct history history;
    const struct mem *mem;
    struct history_limits limits;  // once the writer runs, its own, but for `bytes` and `origin`
    struct history_rule *own;      // the rules, when they are a copy: the writer's
    struct history_limits *next;   // what the writer is to take in: under the queue's lock
    struct disk_settings settings; // constant; the path is not kept
    struct disk_bounds bounds;     // constant, but for the ages, which are the writer's
    struct disk_file file;
    struct disk_queue queue;
    struct disk_floors floors;
    struct disk_purges purges;
    struct disk_readers readers;
    struct disk_figures figures;
    pthread_t writer;
    // The writer's own.
    struct disk_state state; // as it is in the file
    int64_t renew_at;        // monotonic: when the ceiling is written again
    bool sweeping;           // over the topics, for their ages
    bool sweep_all;          // and for every other limit: not all was dropped that should have been
    uint16_t sweep_len;
    char sweep_name[TOPIC_NAME_MAX]; // the last one seen
};

// The ages of `bounds`, from the limits.
void disk_set_ages(struct disk *disk);

// The writer's thread.
void *disk_writer_run(void *arg);

// Waits until the writer has done, or tried, everything that was asked before: for tests.
void disk_settle(struct disk *disk);

// A snapshot to read from: 0 or LMDB's error. It is given back soon: while it lives, no page that it
// sees is used again.
int disk_snapshot_begin(struct disk *disk, MDB_txn **txn);
void disk_snapshot_end(struct disk *disk, MDB_txn *txn);

// The readers' half of the interface.
int disk_read(struct past *past, const struct selection *selection, event_id after, event_id upto,
              size_t max_bytes, struct past_batch *batch);
int disk_values(struct past *past, const struct selection *selection, event_id after, event_id upto,
                size_t max_bytes, struct past_batch *batch);
event_id disk_last(struct past *past, const struct selection *selection, size_t count,
                   event_id upto);
int disk_find(struct past *past, const struct selection *selection, struct bytes own_id,
              event_id *at);

// The console's.
void disk_stats(struct history *history, struct history_stats *out);
bool disk_walk(struct history *history, struct history_walk *walk, size_t portion,
               history_visit *visit, void *ctx);
bool disk_topic_info(struct history *history, const struct topic_name *name,
                     struct history_topic *out);
int disk_recall(struct history *history, event_id after, size_t most, history_recall *visit,
                void *ctx);
int disk_purge(struct history *history, const struct topic_name *name, uint64_t *number);

static inline struct disk *disk_of(struct history *history) {
    return container_of(history, struct disk, history);
}

static inline struct disk *disk_of_past(struct past *past) {
    return container_of(past, struct disk, history.past);
}

#endif
