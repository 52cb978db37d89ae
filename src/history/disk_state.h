// What the file says of itself: its format, the key of its hashes, how far it reaches, and which
// stretches are missing. One record, written with every group.
#ifndef HISTORY_DISK_STATE_H
#define HISTORY_DISK_STATE_H

#include "base/hash.h"
#include "history/disk_file.h"
#include "history/disk_holes.h"

// Since 2 the file knows the floors of types, and keys; since 3 private events. An older one is read, and
// becomes one of these with the first group that is written.
enum { DISK_FORMAT = 3, DISK_FORMAT_OLDEST = 1 };

struct disk_state {
    uint64_t format; // as it was read
    bool clean;      // whoever wrote it last went in order
    bool relaxed;    // and had acknowledged what was not yet stored
    bool privates;   // it has had a private event
    struct hash_key key;
    event_id newest;     // everything up to here is stored, or in a hole, or was dropped
    event_id ceiling;    // no id above it was ever given out
    uint64_t next_topic; // numbers of topics are never used again
    struct disk_holes holes;
};

// 0; MDB_NOTFOUND in a new file; MDB_VERSION_MISMATCH of a newer format; MDB_INVALID for anything
// else.
int disk_state_read(const struct disk_file *file, MDB_txn *txn, struct disk_state *state);
int disk_state_write(const struct disk_file *file, MDB_txn *txn, const struct disk_state *state);

// Only `newest`, which every read asks for.
int disk_state_newest(const struct disk_file *file, MDB_txn *txn, event_id *newest);

#endif
