// Keys: the text, a NUL (which no id has in it), the topic's number, the event's id.
#include "history/disk_own_ids.h"

#include <string.h>

enum { KEY_MAX = DISK_OWN_ID_MAX + 1 + 2 * DISK_KEY };

static MDB_val make_key(unsigned char *key, struct bytes own_id, uint64_t topic, event_id id) {
    memcpy(key, own_id.at, own_id.len);
    key[own_id.len] = 0;
    disk_put_number(key + own_id.len + 1, topic);
    disk_put_number(key + own_id.len + 1 + DISK_KEY, id);
    return disk_val(key, own_id.len + 1 + 2 * DISK_KEY);
}

static bool is_indexed(struct bytes own_id) {
    return own_id.len > 0 && own_id.len <= DISK_OWN_ID_MAX;
}

int disk_own_ids_add(const struct disk_file *file, MDB_txn *txn, struct bytes own_id,
                     uint64_t topic, event_id id) {
    unsigned char bytes[KEY_MAX];
    if (!is_indexed(own_id)) {
        return 0;
    }
    MDB_val key = make_key(bytes, own_id, topic, id), value = disk_val("", 0);
    return mdb_put(txn, file->own_ids, &key, &value, 0);
}

int disk_own_ids_remove(const struct disk_file *file, MDB_txn *txn, struct bytes own_id,
                        uint64_t topic, event_id id) {
    unsigned char bytes[KEY_MAX];
    if (!is_indexed(own_id)) {
        return 0;
    }
    MDB_val key = make_key(bytes, own_id, topic, id);
    int rc = mdb_del(txn, file->own_ids, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int disk_own_ids_next(MDB_cursor *cursor, struct bytes own_id, uint64_t *topic, event_id after,
                      event_id *id) {
    unsigned char bytes[KEY_MAX];
    if (!is_indexed(own_id) || after == UINT64_MAX) {
        return MDB_NOTFOUND;
    }
    MDB_val key = make_key(bytes, own_id, *topic, after + 1), value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (rc) {
        return rc;
    }
    const char *at = key.mv_data;
    if (key.mv_size != own_id.len + 1 + 2 * DISK_KEY || memcmp(at, bytes, own_id.len + 1) != 0) {
        return MDB_NOTFOUND;
    }
    *topic = disk_get_number(at + own_id.len + 1);
    *id = disk_get_number(at + own_id.len + 1 + DISK_KEY);
    return 0;
}
