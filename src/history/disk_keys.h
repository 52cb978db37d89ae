// Which event is the newest of its key, for each topic and type, of those that are private and of the
// others: a table that leads from the key to the
// event, and one of those events in order, by topic and, under the number 0, of all topics. So what a
// listener begins with is read without what was replaced. Keys are told apart by a keyed hash. Errors
// are LMDB's.
#ifndef HISTORY_DISK_KEYS_H
#define HISTORY_DISK_KEYS_H

#include "base/bytes.h"
#include "base/hash.h"
#include "history/disk_file.h"

enum { DISK_ALL_TOPICS = 0 };

// The hash of a key, the type of its event and whether that is private; 0: there is no key.
uint64_t disk_keys_hash(const struct hash_key *hash_key, struct bytes type, struct bytes key,
                        bool private);

// The topic's newest event has come, and is to leave. Of the latter *newest tells whether nothing had
// replaced it. Without a key (0) neither does anything, and *newest is true.
int disk_keys_add(const struct disk_file *file, MDB_txn *txn, uint64_t topic, uint64_t hash,
                  event_id id);
int disk_keys_remove(const struct disk_file *file, MDB_txn *txn, uint64_t topic, uint64_t hash,
                     event_id id, bool *newest);

// Whether the event, which has a key, is its newest in the topic: 0 or MDB_NOTFOUND. `values` is a
// cursor in that table.
int disk_keys_is_newest(MDB_cursor *values, uint64_t topic, event_id id);

// The next of the topic's newest events above *id: 0 or MDB_NOTFOUND.
int disk_keys_next(MDB_cursor *values, uint64_t topic, event_id *id);

#endif
