// The history on disk: LMDB in a directory of its own, written by a thread of its own in groups that
// share one sync. What is appended waits in memory until its group is committed, and is read from
// there until then; so neither publishers nor listeners ever wait for the disk unless they ask to.
#ifndef HISTORY_DISK_H
#define HISTORY_DISK_H

#include "history/history.h"

struct disk_settings {
    const char *path;             // of the directory; made when there is none
    bool relaxed;                 // a publish is acknowledged before it is on disk
    int64_t commit_ms;            // relaxed: the longest between two commits
    size_t queue_bytes;           // events that wait for the disk; what does not fit is not kept
    int64_t once_ms;              // keys against repetition can be recalled so long; 0: a day
    int64_t (*now_ms)(void *ctx); // wall clock
    void *now_ctx;
    // `stored`, `purged` or `state` has changed. Called by the writer's thread, without a lock.
    void (*moved)(void *ctx);
    void *moved_ctx;
};

struct disk_counters {
    uint64_t commits, failures;      // groups written; groups that could not be
    uint64_t waiting, waiting_bytes; // events not yet on disk
    uint64_t lost;                   // events that found no room to wait in
    uint64_t damaged;                // records that could not be read, and were passed over
    uint64_t file_bytes, file_bytes_max;
};

// Opens or makes it. `limits->bytes` bounds the size of the file, which
// is never bounded to less than a megabyte. *key is kept in a new directory, and
// replaced by the one that an older directory has, so that hashes of names and of keys against
// repetition mean the same after a restart. *newest is above every id that was ever given out with
// it. 0 or a negative error, and `problem` is a sentence that says what to do; then nothing on the
// disk was changed.
int history_disk_open(struct history **out, const struct mem *mem, struct hash_key *key,
                      const struct history_limits *limits, const struct disk_settings *settings,
                      event_id *newest, char *problem, size_t problem_size);

// Whether somebody has the directory's lock just now.
bool history_disk_in_use(const char *path);

void history_disk_counters(struct history *history, struct disk_counters *out);

#endif
