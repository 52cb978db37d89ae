// A short array. Readers look at a counter first, which is nearly always 0.
#include "history/disk_purges.h"

#include "base/error.h"

int disk_purges_init(struct disk_purges *purges) {
    atomic_init(&purges->count, 0);
    atomic_init(&purges->last, 0);
    atomic_init(&purges->saved, 0);
    return pthread_mutex_init(&purges->lock, NULL) ? ERR_NOMEM : 0;
}

void disk_purges_finish(struct disk_purges *purges) {
    pthread_mutex_destroy(&purges->lock);
}

static struct disk_purge *find(struct disk_purges *purges, uint64_t hash) {
    for (unsigned i = 0; i < atomic_load(&purges->count); i++) {
        if (purges->at[i].hash == hash) {
            return &purges->at[i];
        }
    }
    return NULL;
}

static int add(struct disk_purges *purges, const struct topic_name *name, event_id upto,
               uint64_t number) {
    struct disk_purge *purge = find(purges, name->hash);
    unsigned count = atomic_load(&purges->count);
    if (!purge && count == DISK_PURGES_MAX) {
        return ERR_NOMEM;
    }
    if (!purge) {
        purge = &purges->at[count];
        *purge = (struct disk_purge){.hash = name->hash, .name_len = (uint16_t)name->text.len};
        memcpy(purge->name, name->text.at, name->text.len);
    }
    purge->upto = purge->upto < upto ? upto : purge->upto;
    purge->number = number;
    purge->saved = number == 0;
    if (purge == &purges->at[count]) {
        atomic_store(&purges->count, count + 1);
    }
    return 0;
}

int disk_purges_add(struct disk_purges *purges, const struct topic_name *name, event_id upto,
                    uint64_t *number) {
    pthread_mutex_lock(&purges->lock);
    *number = atomic_load(&purges->last) + 1;
    int rc = add(purges, name, upto, *number);
    if (rc == 0) {
        atomic_store(&purges->last, *number);
    }
    pthread_mutex_unlock(&purges->lock);
    return rc;
}

void disk_purges_look(struct disk_purges *purges, struct disk_purged *out) {
    out->count = 0;
    if (atomic_load(&purges->count) == 0) {
        return;
    }
    pthread_mutex_lock(&purges->lock);
    for (; out->count < atomic_load(&purges->count); out->count++) {
        out->at[out->count].hash = purges->at[out->count].hash;
        out->at[out->count].upto = purges->at[out->count].upto;
    }
    pthread_mutex_unlock(&purges->lock);
}

event_id disk_purged_upto(const struct disk_purged *purged, uint64_t hash) {
    for (uint32_t i = 0; i < purged->count; i++) {
        if (purged->at[i].hash == hash) {
            return purged->at[i].upto;
        }
    }
    return 0;
}

bool disk_purges_get(struct disk_purges *purges, size_t place, struct disk_purge *out) {
    if (place >= atomic_load(&purges->count)) {
        return false;
    }
    pthread_mutex_lock(&purges->lock);
    *out = purges->at[place];
    pthread_mutex_unlock(&purges->lock);
    return true;
}

void disk_purges_note_saved(struct disk_purges *purges, uint64_t number) {
    pthread_mutex_lock(&purges->lock);
    for (unsigned i = 0; i < atomic_load(&purges->count); i++) {
        purges->at[i].saved |= purges->at[i].number <= number;
    }
    atomic_store(&purges->saved, number);
    pthread_mutex_unlock(&purges->lock);
}

void disk_purges_remove(struct disk_purges *purges, uint64_t hash, event_id upto) {
    pthread_mutex_lock(&purges->lock);
    struct disk_purge *purge = find(purges, hash);
    if (purge && purge->upto == upto) {
        unsigned last = atomic_load(&purges->count) - 1;
        *purge = purges->at[last];
        atomic_store(&purges->count, last);
    }
    pthread_mutex_unlock(&purges->lock);
}

int disk_purges_load(struct disk_purges *purges, const struct disk_file *file, MDB_txn *txn,
                     const struct hash_key *key) {
    MDB_cursor *cursor;
    MDB_val name, value;
    int rc = mdb_cursor_open(txn, file->purges, &cursor);
    if (rc) {
        return rc;
    }
    while ((rc = mdb_cursor_get(cursor, &name, &value, MDB_NEXT)) == 0) {
        struct topic_name topic = {.text = bytes_make(name.mv_data, name.mv_size)};
        if (value.mv_size != DISK_KEY || name.mv_size > TOPIC_NAME_MAX) {
            rc = MDB_CORRUPTED;
            break;
        }
        topic.hash = hash_bytes(key, topic.text.at, topic.text.len);
        (void)add(purges, &topic, disk_get_number(value.mv_data), 0);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int disk_purges_save(const struct disk_purge *purge, const struct disk_file *file, MDB_txn *txn) {
    unsigned char bytes[DISK_KEY];
    disk_put_number(bytes, purge->upto);
    MDB_val key = disk_val(purge->name, purge->name_len), value = disk_val(bytes, DISK_KEY);
    return mdb_put(txn, file->purges, &key, &value, 0);
}

int disk_purges_erase(const struct disk_purge *purge, const struct disk_file *file, MDB_txn *txn) {
    MDB_val key = disk_val(purge->name, purge->name_len);
    int rc = mdb_del(txn, file->purges, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}
