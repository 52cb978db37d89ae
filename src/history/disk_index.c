// Chunks are found by the topic's number and their first id. Not one entry an event: that is three
// to five times the space, and each drop would write to it. Not LMDB's sorted duplicates either:
// their pages are missing from its counts, and the counts are how the size is kept in bounds.
#include "history/disk_index.h"

#include <string.h>

enum { KEY_SIZE = 2 * DISK_KEY };

static void make_key(unsigned char *key, uint64_t topic, event_id id) {
    disk_put_number(key, topic);
    disk_put_number(key + DISK_KEY, id);
}

static bool is_of(const MDB_val *key, uint64_t topic) {
    return key->mv_size == KEY_SIZE && disk_get_number(key->mv_data) == topic;
}

static struct disk_chunk chunk_of(const MDB_val *value) {
    return (struct disk_chunk){.at = value->mv_data,
                               .count = (uint32_t)(value->mv_size / sizeof(event_id))};
}

// The first place whose id is above `id`.
static uint32_t search(const struct disk_chunk *chunk, event_id id) {
    uint32_t low = 0, high = chunk->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (disk_chunk_id(chunk, middle) > id) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

// The chunk with the highest first id up to `upto`; of no ids when there is none.
static int chunk_before(MDB_cursor *cursor, uint64_t topic, event_id upto,
                        struct disk_chunk *chunk) {
    unsigned char bytes[KEY_SIZE];
    make_key(bytes, topic, upto);
    MDB_val key = disk_val(bytes, KEY_SIZE), value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    bool exact =
        rc == 0 && is_of(&key, topic) && disk_get_number((char *)key.mv_data + DISK_KEY) == upto;
    if (!exact && (rc == 0 || rc == MDB_NOTFOUND)) {
        rc = mdb_cursor_get(cursor, &key, &value, rc ? MDB_LAST : MDB_PREV);
    }
    bool found = rc == 0 && is_of(&key, topic);
    *chunk = found ? chunk_of(&value) : (struct disk_chunk){.at = NULL};
    return rc == MDB_NOTFOUND ? 0 : rc;
}

// The chunk with the lowest first id from `from` on.
static int chunk_from(MDB_cursor *cursor, uint64_t topic, event_id from, struct disk_chunk *chunk) {
    unsigned char bytes[KEY_SIZE];
    make_key(bytes, topic, from);
    MDB_val key = disk_val(bytes, KEY_SIZE), value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    bool found = rc == 0 && is_of(&key, topic);
    *chunk = found ? chunk_of(&value) : (struct disk_chunk){.at = NULL};
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int disk_index_seek(MDB_cursor *cursor, uint64_t topic, event_id after, struct disk_chunk *chunk,
                    uint32_t *place) {
    int rc = chunk_before(cursor, topic, after, chunk);
    *place = rc ? 0 : search(chunk, after);
    if (rc || *place < chunk->count || after == UINT64_MAX) {
        chunk->count = rc || *place == chunk->count ? 0 : chunk->count;
        return rc;
    }
    *place = 0;
    return chunk_from(cursor, topic, after + 1, chunk);
}

int disk_index_seek_back(MDB_cursor *cursor, uint64_t topic, event_id upto,
                         struct disk_chunk *chunk, uint32_t *place) {
    int rc = chunk_before(cursor, topic, upto, chunk);
    *place = rc || chunk->count == 0 ? 0 : search(chunk, upto) - 1;
    return rc;
}

static int put(MDB_cursor *cursor, uint64_t topic, event_id first, const event_id *ids,
               size_t count) {
    unsigned char bytes[KEY_SIZE];
    make_key(bytes, topic, first);
    MDB_val key = disk_val(bytes, KEY_SIZE), value = disk_val(ids, count * sizeof(ids[0]));
    return mdb_cursor_put(cursor, &key, &value, 0);
}

// Adds to the last chunk as many as fit; *added tells how many.
static int extend(MDB_cursor *cursor, uint64_t topic, event_id tail, const event_id *ids,
                  size_t count, size_t *added) {
    unsigned char bytes[KEY_SIZE];
    event_id all[DISK_CHUNK_IDS];
    make_key(bytes, topic, tail);
    MDB_val key = disk_val(bytes, KEY_SIZE), value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_KEY);
    *added = 0;
    if (rc) {
        return rc == MDB_NOTFOUND ? 0 : rc; // all of it had gone
    }
    struct disk_chunk chunk = chunk_of(&value);
    if (chunk.count >= DISK_CHUNK_IDS) {
        return 0;
    }
    *added = DISK_CHUNK_IDS - chunk.count < count ? DISK_CHUNK_IDS - chunk.count : count;
    memcpy(all, chunk.at, chunk.count * sizeof(all[0]));
    memcpy(all + chunk.count, ids, *added * sizeof(all[0]));
    return put(cursor, topic, tail, all, chunk.count + *added);
}

int disk_index_append(MDB_cursor *cursor, uint64_t topic, event_id *tail, const event_id *ids,
                      size_t count) {
    size_t added = 0;
    int rc = *tail && count ? extend(cursor, topic, *tail, ids, count, &added) : 0;
    while (rc == 0 && added < count) {
        size_t some = count - added < DISK_CHUNK_IDS ? count - added : DISK_CHUNK_IDS;
        *tail = ids[added];
        rc = put(cursor, topic, *tail, ids + added, some);
        added += some;
    }
    return rc;
}

int disk_index_trim(MDB_cursor *cursor, uint64_t topic, event_id gone, size_t most, bool *rest) {
    *rest = false;
    for (size_t deleted = 0;; deleted++) {
        struct disk_chunk chunk;
        int rc = chunk_from(cursor, topic, 0, &chunk);
        if (rc || chunk.count == 0 || disk_chunk_id(&chunk, chunk.count - 1) > gone) {
            return rc;
        }
        if (deleted == most) {
            *rest = true;
            return 0;
        }
        rc = mdb_cursor_del(cursor, 0);
        if (rc) {
            return rc;
        }
    }
}
