// The index of the ids that publishers brought: by the id's text, the topic's number, and the
// event. Ids that rise, as most do, are neighbours in it. Errors are LMDB's.
#ifndef HISTORY_DISK_OWN_IDS_H
#define HISTORY_DISK_OWN_IDS_H

#include "base/bytes.h"
#include "history/disk_file.h"

// A longer id is not indexed: a listener that names it is told that it is not found.
enum { DISK_OWN_ID_MAX = 400 };

int disk_own_ids_add(const struct disk_file *file, MDB_txn *txn, struct bytes own_id,
                     uint64_t topic, event_id id);
int disk_own_ids_remove(const struct disk_file *file, MDB_txn *txn, struct bytes own_id,
                        uint64_t topic, event_id id);

// The first entry of this id in this topic or in a later one, above `after` in it: moves *topic and
// sets *id. MDB_NOTFOUND when there is none.
int disk_own_ids_next(MDB_cursor *cursor, struct bytes own_id, uint64_t *topic, event_id after,
                      event_id *id);

#endif
