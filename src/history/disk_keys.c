// A key: the topic's number and the hash. A value: the topic's number and the event's id; under 0 the
// number of topics in which it is the newest stands beside it, because it stays until it is in none.
#include "history/disk_keys.h"

#include <string.h>

enum { KEY_SIZE = 2 * DISK_KEY };

static const uint64_t PRIVATE = UINT64_C(0x7072697661746521);

uint64_t disk_keys_hash(const struct hash_key *hash_key, struct bytes type, struct bytes key,
                        bool private) {
    if (key.len == 0) {
        return 0;
    }
    uint64_t parts[] = {hash_bytes(hash_key, key.at, key.len),
                        type.len ? hash_bytes(hash_key, type.at, type.len) : 0};
    uint64_t hash = hash_bytes(hash_key, parts, sizeof(parts)) ^ (private ? PRIVATE : 0);
    return hash ? hash : 1;
}

static MDB_val pair(unsigned char *bytes, uint64_t first, uint64_t second) {
    disk_put_number(bytes, first);
    disk_put_number(bytes + DISK_KEY, second);
    return disk_val(bytes, KEY_SIZE);
}

// One topic more, or fewer, in which the event is the newest.
static int count(const struct disk_file *file, MDB_txn *txn, event_id id, int by) {
    unsigned char bytes[KEY_SIZE], topics = 0;
    MDB_val key = pair(bytes, DISK_ALL_TOPICS, id), value;
    int rc = mdb_get(txn, file->values, &key, &value);
    if (rc == 0 && value.mv_size == 1) {
        topics = *(unsigned char *)value.mv_data;
    }
    if ((rc && rc != MDB_NOTFOUND) || (topics == 0 && by < 0)) {
        return rc == MDB_NOTFOUND ? 0 : rc; // a file that is damaged goes on being written
    }
    topics = (unsigned char)(topics + by);
    value = disk_val(&topics, 1);
    return topics ? mdb_put(txn, file->values, &key, &value, 0)
                  : mdb_del(txn, file->values, &key, NULL);
}

static int leave(const struct disk_file *file, MDB_txn *txn, uint64_t topic, event_id id) {
    unsigned char bytes[KEY_SIZE];
    MDB_val key = pair(bytes, topic, id);
    int rc = mdb_del(txn, file->values, &key, NULL);
    return rc ? (rc == MDB_NOTFOUND ? 0 : rc) : count(file, txn, id, -1);
}

int disk_keys_add(const struct disk_file *file, MDB_txn *txn, uint64_t topic, uint64_t hash,
                  event_id id) {
    unsigned char bytes[KEY_SIZE], place[KEY_SIZE], number[DISK_KEY];
    if (hash == 0) {
        return 0;
    }
    MDB_val key = pair(bytes, topic, hash), value, nothing = disk_val("", 0);
    int rc = mdb_get(txn, file->keys, &key, &value);
    if (rc == 0) {
        rc = value.mv_size == DISK_KEY ? leave(file, txn, topic, disk_get_number(value.mv_data))
                                       : MDB_CORRUPTED;
    }
    if (rc && rc != MDB_NOTFOUND) {
        return rc;
    }
    disk_put_number(number, id);
    value = disk_val(number, DISK_KEY);
    rc = mdb_put(txn, file->keys, &key, &value, 0);
    key = pair(place, topic, id);
    rc = rc ? rc : mdb_put(txn, file->values, &key, &nothing, 0);
    return rc ? rc : count(file, txn, id, 1);
}

int disk_keys_remove(const struct disk_file *file, MDB_txn *txn, uint64_t topic, uint64_t hash,
                     event_id id, bool *newest) {
    unsigned char bytes[KEY_SIZE];
    *newest = hash == 0;
    if (hash == 0) {
        return 0;
    }
    MDB_val key = pair(bytes, topic, hash), value;
    int rc = mdb_get(txn, file->keys, &key, &value);
    if (rc || value.mv_size != DISK_KEY || disk_get_number(value.mv_data) != id) {
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    *newest = true;
    rc = mdb_del(txn, file->keys, &key, NULL);
    return rc ? rc : leave(file, txn, topic, id);
}

int disk_keys_is_newest(MDB_cursor *values, uint64_t topic, event_id id) {
    unsigned char bytes[KEY_SIZE];
    MDB_val key = pair(bytes, topic, id), value;
    return mdb_cursor_get(values, &key, &value, MDB_SET);
}

int disk_keys_next(MDB_cursor *values, uint64_t topic, event_id *id) {
    unsigned char bytes[KEY_SIZE];
    if (*id == UINT64_MAX) {
        return MDB_NOTFOUND;
    }
    MDB_val key = pair(bytes, topic, *id + 1), value;
    int rc = mdb_cursor_get(values, &key, &value, MDB_SET_RANGE);
    if (rc == 0 && (key.mv_size != KEY_SIZE || disk_get_number(key.mv_data) != topic)) {
        rc = MDB_NOTFOUND;
    }
    if (rc == 0) {
        *id = disk_get_number((const char *)key.mv_data + DISK_KEY);
    }
    return rc;
}
