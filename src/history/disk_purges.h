// Purges that are under way: which topics have nothing any more up to which id, though the file
// still has it. Readers go by this list from the moment of the purge; the writer deletes in bounded
// steps, and the file remembers the list over a restart.
#ifndef HISTORY_DISK_PURGES_H
#define HISTORY_DISK_PURGES_H

#include <pthread.h>
#include <stdatomic.h>

#include "history/disk_file.h"
#include "hub/topic.h"

enum { DISK_PURGES_MAX = 32 };

struct disk_purge {
    uint64_t hash; // names are told apart by it: it is keyed
    event_id upto;
    uint64_t number; // of whoever asked for it last; 0: before the start
    bool saved;      // the file has it
    uint16_t name_len;
    char name[TOPIC_NAME_MAX];
};

// What a reader has to know; taken before its transaction begins.
struct disk_purged {
    uint32_t count;
    struct {
        uint64_t hash;
        event_id upto;
    } at[DISK_PURGES_MAX];
};

struct disk_purges {
    pthread_mutex_t lock;
    atomic_uint count;         // of `at`; changed under the lock
    atomic_ullong last, saved; // numbers: given out; up to which all are in the file, or over
    struct disk_purge at[DISK_PURGES_MAX];
};

// 0 or ERR_NOMEM.
int disk_purges_init(struct disk_purges *purges);
void disk_purges_finish(struct disk_purges *purges);

// 0, or ERR_NOMEM when too many are under way. *number: above those of all before.
int disk_purges_add(struct disk_purges *purges, const struct topic_name *name, event_id upto,
                    uint64_t *number);

void disk_purges_look(struct disk_purges *purges, struct disk_purged *out);

// Up to which id the topic is purged; 0 when it is not.
event_id disk_purged_upto(const struct disk_purged *purged, uint64_t hash);

// The purge at `place`; false behind the last. Only the writer removes.
bool disk_purges_get(struct disk_purges *purges, size_t place, struct disk_purge *out);
// All that had a number up to this one are in the file.
void disk_purges_note_saved(struct disk_purges *purges, uint64_t number);
// Done, unless it was extended in between.
void disk_purges_remove(struct disk_purges *purges, uint64_t hash, event_id upto);

// LMDB's errors.
int disk_purges_load(struct disk_purges *purges, const struct disk_file *file, MDB_txn *txn,
                     const struct hash_key *key);
int disk_purges_save(const struct disk_purge *purge, const struct disk_file *file, MDB_txn *txn);
int disk_purges_erase(const struct disk_purge *purge, const struct disk_file *file, MDB_txn *txn);

#endif
