// A piece is compared with what was written last rather than marked when it is raised: a comparison
// of 128 KB a group is nothing beside its sync, and cannot be forgotten anywhere.
#include "history/disk_floors.h"

#include "base/error.h"

int disk_floors_init(struct disk_floors *floors) {
    return pthread_mutex_init(&floors->lock, NULL) ? ERR_NOMEM : 0;
}

void disk_floors_finish(struct disk_floors *floors) {
    pthread_mutex_destroy(&floors->lock);
}

struct arrays {
    event_id *buckets, *of_types, *of_private;
};

static struct arrays arrays_now(struct disk_floors *floors) {
    struct memory_floors *now = &floors->now;
    return (struct arrays){now->buckets, now->of_types, now->of_private};
}

static struct arrays arrays_written(struct disk_floors *floors) {
    return (struct arrays){floors->written, floors->written_of_types, floors->written_of_private};
}

static event_id *piece_of(struct arrays arrays, uint64_t piece) {
    if (piece < DISK_FLOORS_ALL) {
        return arrays.buckets + piece * DISK_FLOORS_PIECE;
    }
    return piece < DISK_FLOORS_PRIVATE
               ? arrays.of_types + (piece - DISK_FLOORS_ALL - 1) * DISK_FLOORS_PIECE
               : arrays.of_private + (piece - DISK_FLOORS_PRIVATE) * DISK_FLOORS_PIECE;
}

static event_id highest(event_id a, event_id b) {
    return a > b ? a : b;
}

static int load_piece(struct disk_floors *floors, const MDB_val *key, const MDB_val *value) {
    uint64_t piece = key->mv_size == DISK_KEY ? disk_get_number(key->mv_data) : UINT64_MAX;
    if (piece == DISK_FLOORS_ALL && value->mv_size == sizeof(event_id)) {
        memcpy(&floors->written_all, value->mv_data, sizeof(event_id));
        return 0;
    }
    if (piece >= DISK_FLOORS_PIECES || value->mv_size != DISK_FLOORS_PIECE * sizeof(event_id)) {
        return MDB_CORRUPTED;
    }
    memcpy(piece_of(arrays_written(floors), piece), value->mv_data, value->mv_size);
    return 0;
}

int disk_floors_load(struct disk_floors *floors, const struct disk_file *file, MDB_txn *txn,
                     const struct hash_key *key, event_id origin, bool knows_types) {
    MDB_cursor *cursor;
    MDB_val name, value;
    int rc = mdb_cursor_open(txn, file->floors, &cursor);
    if (rc) {
        return rc;
    }
    while ((rc = mdb_cursor_get(cursor, &name, &value, MDB_NEXT)) == 0) {
        rc = load_piece(floors, &name, &value);
        if (rc) {
            break;
        }
    }
    mdb_cursor_close(cursor);
    memory_floors_init(&floors->now, key, origin);
    floors->now.all = highest(floors->written_all, origin);
    for (size_t i = 0; i < FLOOR_BUCKETS; i++) {
        floors->now.buckets[i] = highest(floors->written[i], origin);
        floors->now.of_types[i] =
            knows_types ? highest(floors->written_of_types[i], origin) : floors->now.all;
        floors->now.of_private[i] = floors->written_of_private[i];
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int put(const struct disk_file *file, MDB_txn *txn, uint64_t piece, const event_id *ids,
               size_t count) {
    unsigned char bytes[DISK_KEY];
    disk_put_number(bytes, piece);
    MDB_val key = disk_val(bytes, DISK_KEY), value = disk_val(ids, count * sizeof(ids[0]));
    return mdb_put(txn, file->floors, &key, &value, 0);
}

static bool is_blank(const event_id *piece) {
    event_id any = 0;
    for (size_t i = 0; i < DISK_FLOORS_PIECE; i++) {
        any |= piece[i];
    }
    return any == 0;
}

int disk_floors_save(struct disk_floors *floors, const struct disk_file *file, MDB_txn *txn) {
    int rc = 0;
    for (uint64_t i = 0; i < DISK_FLOORS_PIECES && rc == 0; i++) {
        if (i == DISK_FLOORS_ALL) {
            continue;
        }
        // Only the writer raises them, except for a purge, whose raise comes with the next group.
        event_id piece[DISK_FLOORS_PIECE];
        event_id *written = piece_of(arrays_written(floors), i);
        pthread_mutex_lock(&floors->lock);
        memcpy(piece, piece_of(arrays_now(floors), i), sizeof(piece));
        pthread_mutex_unlock(&floors->lock);
        // They only rise, so what is blank was never written: room that a full file may not have.
        bool blank = i >= DISK_FLOORS_PRIVATE && is_blank(piece);
        if (!blank && memcmp(piece, written, sizeof(piece)) != 0) {
            rc = put(file, txn, i, piece, DISK_FLOORS_PIECE);
            memcpy(written, piece, sizeof(piece));
        }
    }
    pthread_mutex_lock(&floors->lock);
    event_id all = floors->now.all;
    pthread_mutex_unlock(&floors->lock);
    if (rc == 0 && all != floors->written_all) {
        rc = put(file, txn, DISK_FLOORS_ALL, &all, 1);
        floors->written_all = all;
    }
    return rc;
}

void disk_floors_unsaved(struct disk_floors *floors) {
    memset(floors->written, 0xff, sizeof(floors->written));
    memset(floors->written_of_types, 0xff, sizeof(floors->written_of_types));
    memset(floors->written_of_private, 0xff, sizeof(floors->written_of_private));
    floors->written_all = UINT64_MAX;
}

void disk_floors_raise(struct disk_floors *floors, const struct floor_prefixes *prefixes,
                       event_id id) {
    pthread_mutex_lock(&floors->lock);
    memory_floors_raise(&floors->now, prefixes, id);
    pthread_mutex_unlock(&floors->lock);
}

void disk_floors_raise_type(struct disk_floors *floors, uint64_t topic_hash,
                            const struct floor_prefixes *prefixes, uint64_t type_hash, bool value,
                            event_id id) {
    pthread_mutex_lock(&floors->lock);
    memory_floors_raise_type(&floors->now, topic_hash, prefixes, type_hash, value, id);
    pthread_mutex_unlock(&floors->lock);
}

void disk_floors_raise_private(struct disk_floors *floors, uint64_t topic_hash,
                               const struct floor_prefixes *prefixes, uint64_t type_hash,
                               bool value, event_id id) {
    pthread_mutex_lock(&floors->lock);
    memory_floors_raise_private(&floors->now, topic_hash, prefixes, type_hash, value, id);
    pthread_mutex_unlock(&floors->lock);
}

event_id disk_floors_of_private(struct disk_floors *floors, const struct selection *selection,
                                const struct selector *item) {
    pthread_mutex_lock(&floors->lock);
    event_id floor = memory_floors_of_private(&floors->now, selection, item);
    pthread_mutex_unlock(&floors->lock);
    return floor;
}

event_id disk_floors_of_part(struct disk_floors *floors, const struct selection *selection,
                             const struct selector *item) {
    pthread_mutex_lock(&floors->lock);
    event_id floor = memory_floors_of_part(&floors->now, selection, item);
    pthread_mutex_unlock(&floors->lock);
    return floor;
}

void disk_floors_leave(struct disk_floors *floors, uint64_t topic_hash, event_id floor) {
    pthread_mutex_lock(&floors->lock);
    memory_floors_leave(&floors->now, topic_hash, floor);
    pthread_mutex_unlock(&floors->lock);
}

event_id disk_floors_of_topic(struct disk_floors *floors, uint64_t topic_hash) {
    pthread_mutex_lock(&floors->lock);
    event_id floor = memory_floors_of_topic(&floors->now, topic_hash);
    pthread_mutex_unlock(&floors->lock);
    return floor;
}

event_id disk_floors_of_pattern(struct disk_floors *floors, struct bytes pattern) {
    pthread_mutex_lock(&floors->lock);
    event_id floor = memory_floors_of_pattern(&floors->now, pattern);
    pthread_mutex_unlock(&floors->lock);
    return floor;
}
