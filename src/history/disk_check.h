// Checking a file: what the tables say of each other. One snapshot. Errors are LMDB's.
#ifndef HISTORY_DISK_CHECK_H
#define HISTORY_DISK_CHECK_H

#include "base/hash.h"
#include "history/disk_file.h"
#include "history/disk_tools.h"

// -1 in rc's place: `progress` ended it.
int disk_check_file(const struct disk_file *file, MDB_txn *txn, const struct hash_key *key,
                    struct disk_check *out, const struct disk_watch *watch);

#endif
