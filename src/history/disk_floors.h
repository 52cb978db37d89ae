// The floors of the history on disk: those of the history in memory, shared between the writer, who
// raises them, and the workers, who read them; kept in the file in pieces, of which a group writes
// only those that changed.
#ifndef HISTORY_DISK_FLOORS_H
#define HISTORY_DISK_FLOORS_H

#include <pthread.h>

#include "history/disk_file.h"
#include "history/memory_floors.h"

// Pieces of the buckets, then the floor of all, then pieces of the buckets of types, and of those of
// private events.
enum {
    DISK_FLOORS_PIECE = 64,
    DISK_FLOORS_ALL = FLOOR_BUCKETS / DISK_FLOORS_PIECE,
    DISK_FLOORS_PRIVATE = 2 * DISK_FLOORS_ALL + 1,
    DISK_FLOORS_PIECES = DISK_FLOORS_PRIVATE + DISK_FLOORS_ALL,
};

struct disk_floors {
    pthread_mutex_t lock;
    struct memory_floors now; // under the lock
    // The writer's: what the file has.
    event_id written[FLOOR_BUCKETS], written_of_types[FLOOR_BUCKETS];
    event_id written_of_private[FLOOR_BUCKETS], written_all;
};

// 0 or ERR_NOMEM.
int disk_floors_init(struct disk_floors *floors);
void disk_floors_finish(struct disk_floors *floors);

// Reads them: LMDB's error. A file that does not know types yet has dropped anything up to its floor
// of all.
int disk_floors_load(struct disk_floors *floors, const struct disk_file *file, MDB_txn *txn,
                     const struct hash_key *key, event_id origin, bool knows_types);

// Writes what is new. When the transaction fails after that, disk_floors_unsaved.
int disk_floors_save(struct disk_floors *floors, const struct disk_file *file, MDB_txn *txn);
void disk_floors_unsaved(struct disk_floors *floors);

void disk_floors_raise(struct disk_floors *floors, const struct floor_prefixes *prefixes,
                       event_id id);
void disk_floors_raise_type(struct disk_floors *floors, uint64_t topic_hash,
                            const struct floor_prefixes *prefixes, uint64_t type_hash, bool value,
                            event_id id);
void disk_floors_raise_private(struct disk_floors *floors, uint64_t topic_hash,
                               const struct floor_prefixes *prefixes, uint64_t type_hash,
                               bool value, event_id id);
void disk_floors_leave(struct disk_floors *floors, uint64_t topic_hash, event_id floor);
event_id disk_floors_of_topic(struct disk_floors *floors, uint64_t topic_hash);
event_id disk_floors_of_pattern(struct disk_floors *floors, struct bytes pattern);

// As memory_floors_of_part and memory_floors_of_private.
event_id disk_floors_of_part(struct disk_floors *floors, const struct selection *selection,
                             const struct selector *item);
event_id disk_floors_of_private(struct disk_floors *floors, const struct selection *selection,
                                const struct selector *item);

#endif
