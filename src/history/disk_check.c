// Each table is walked once, and each entry asks the tables that it speaks of. It needs no memory
// that grows with the file.
#include "history/disk_check.h"

#include <string.h>

#include "history/disk_group.h"
#include "history/disk_index.h"
#include "history/disk_keys.h"

enum { PROGRESS_EVERY = 4096 };

struct checking {
    const struct disk_file *file;
    MDB_txn *txn;
    MDB_cursor *index;
    const struct hash_key *key;
    struct disk_check *out;
    const struct disk_watch *watch;
    uint64_t done, all;
};

typedef int check_entry(struct checking *c, const MDB_val *key, const MDB_val *value);

static void tell(struct checking *c, enum disk_fault fault, event_id id, struct bytes name) {
    struct disk_finding finding = {.fault = fault, .id = id, .name = name};
    if (c->watch->found) {
        c->watch->found(c->watch->ctx, &finding);
    }
}

static int open_event(struct checking *c, event_id id, MDB_val *value,
                      struct frame_record *record) {
    unsigned char bytes[DISK_KEY];
    disk_put_number(bytes, id);
    MDB_val key = disk_val(bytes, DISK_KEY);
    int rc = mdb_get(c->txn, c->file->events, &key, value);
    if (rc) {
        return rc;
    }
    const char *at = value->mv_data;
    bool fine = value->mv_size > 1 &&
                frame_record_open(record, bytes_make(at + 1, value->mv_size - 1)) == 0;
    return fine ? 0 : MDB_CORRUPTED;
}

static bool holds(struct checking *c, const struct topic_name *name, event_id id) {
    struct disk_topic_record topic;
    struct disk_chunk chunk;
    uint32_t place;
    return disk_topic_find(c->file, c->txn, name->text, &topic) == 0 && id > topic.gone &&
           disk_index_seek(c->index, topic.number, id - 1, &chunk, &place) == 0 &&
           place < chunk.count && disk_chunk_id(&chunk, place) == id;
}

static bool is_named_before(const struct frame_record *record, uint32_t place,
                            const struct topic_name *name) {
    struct frame_record_topics walk = {0};
    struct topic_name other;
    while (frame_record_next_topic(record, &walk, &other) && walk.place < place) {
        if (bytes_equal(other.text, name->text)) {
            return true;
        }
    }
    return false;
}

static int check_event(struct checking *c, const MDB_val *key, const MDB_val *value) {
    struct frame_record record;
    struct frame_record_topics walk = {0};
    struct topic_name name;
    const char *at = value->mv_data;
    event_id id = key->mv_size == DISK_KEY ? disk_get_number(key->mv_data) : 0;
    c->out->events++;
    if (key->mv_size != DISK_KEY || value->mv_size < 2 ||
        frame_record_open(&record, bytes_make(at + 1, value->mv_size - 1)) ||
        !frame_record_intact(&record)) {
        c->out->damaged++;
        tell(c, DISK_FAULT_RECORD, id, (struct bytes){0});
        return 0;
    }
    unsigned holders = 0;
    bool hashes = true;
    while (frame_record_next_topic(&record, &walk, &name)) {
        hashes &= name.hash == hash_bytes(c->key, name.text.at, name.text.len);
        if (!is_named_before(&record, walk.place, &name)) {
            holders += holds(c, &name, id);
        }
    }
    if (!hashes) {
        c->out->damaged++;
        tell(c, DISK_FAULT_RECORD, id, (struct bytes){0});
    }
    if (holders == 0 || holders != (unsigned char)*at) {
        c->out->not_indexed++;
        tell(c, DISK_FAULT_NOT_INDEXED, id, (struct bytes){0});
    }
    return 0;
}

static int check_topic(struct checking *c, const MDB_val *key, const MDB_val *value) {
    struct disk_topic_record topic;
    struct disk_chunk chunk;
    uint64_t events = 0, bytes = 0;
    event_id at;
    struct bytes name = bytes_make(key->mv_data, key->mv_size);
    c->out->topics++;
    if (value->mv_size != sizeof(topic)) {
        c->out->miscounted++;
        tell(c, DISK_FAULT_COUNT, 0, name);
        return 0;
    }
    memcpy(&topic, value->mv_data, sizeof(topic));
    for (at = topic.gone;;) {
        uint32_t place;
        int rc = disk_index_seek(c->index, topic.number, at, &chunk, &place);
        if (rc || chunk.count == 0 || disk_chunk_id(&chunk, place) <= at) {
            break;
        }
        for (; place < chunk.count; place++, events++) {
            struct frame_record record;
            MDB_val event = {0};
            if (disk_chunk_id(&chunk, place) <= at) {
                break; // damaged: it would never end
            }
            at = disk_chunk_id(&chunk, place);
            if (open_event(c, at, &event, &record) == MDB_NOTFOUND) {
                c->out->missing++;
                tell(c, DISK_FAULT_MISSING, at, name);
            }
            bytes += event.mv_size ? event.mv_size - 1 : 0;
        }
    }
    if (events == 0 || events != topic.events || bytes != topic.bytes || at != topic.newest) {
        c->out->miscounted++;
        tell(c, DISK_FAULT_COUNT, 0, name);
    }
    return 0;
}

static int check_own_id(struct checking *c, const MDB_val *key, const MDB_val *value) {
    struct frame_record record;
    MDB_val event;
    const char *at = key->mv_data;
    size_t len = key->mv_size - 2 * DISK_KEY - 1;
    bool fine =
        key->mv_size > 2 * DISK_KEY + 1 &&
        open_event(c, disk_get_number(at + key->mv_size - DISK_KEY), &event, &record) == 0 &&
        bytes_equal(frame_record_own_id(&record), bytes_make(at, len));
    if (!fine) {
        bool has_name = key->mv_size > 2 * DISK_KEY + 1;
        c->out->own_ids++;
        tell(c, DISK_FAULT_OWN_ID, has_name ? disk_get_number(at + key->mv_size - DISK_KEY) : 0,
             bytes_make(at, has_name ? len : 0));
    }
    return 0;
}

static void tell_key(struct checking *c, event_id id, bool fine) {
    if (!fine) {
        c->out->keys++;
        tell(c, DISK_FAULT_KEY, id, (struct bytes){0});
    }
}

static bool has_entry(struct checking *c, MDB_dbi table, uint64_t first, uint64_t second,
                      MDB_val *value) {
    unsigned char bytes[2 * DISK_KEY];
    disk_put_number(bytes, first);
    disk_put_number(bytes + DISK_KEY, second);
    MDB_val key = disk_val(bytes, sizeof(bytes));
    return mdb_get(c->txn, table, &key, value) == 0;
}

// An entry of `keys`: it leads to an event with such a key, which `values` has.
static int check_key(struct checking *c, const MDB_val *key, const MDB_val *value) {
    struct frame_record record;
    MDB_val other;
    const char *at = key->mv_data;
    event_id id = value->mv_size == DISK_KEY ? disk_get_number(value->mv_data) : 0;
    bool fine = key->mv_size == 2 * DISK_KEY && open_event(c, id, &other, &record) == 0 &&
                disk_keys_hash(c->key, frame_record_type(&record), record.key, record.private) ==
                    disk_get_number(at + DISK_KEY) &&
                has_entry(c, c->file->values, disk_get_number(at), id, &other);
    tell_key(c, id, fine);
    return 0;
}

// An entry of `values`: its key leads back to it; or, of all topics, it is an event at all.
static int check_value(struct checking *c, const MDB_val *key, const MDB_val *value) {
    struct frame_record record;
    MDB_val other;
    const char *at = key->mv_data;
    uint64_t topic = key->mv_size == 2 * DISK_KEY ? disk_get_number(at) : DISK_ALL_TOPICS;
    event_id id = key->mv_size == 2 * DISK_KEY ? disk_get_number(at + DISK_KEY) : 0;
    bool fine = open_event(c, id, &other, &record) == 0;
    if (fine && topic != DISK_ALL_TOPICS) {
        uint64_t hash =
            disk_keys_hash(c->key, frame_record_type(&record), record.key, record.private);
        fine = has_entry(c, c->file->values, DISK_ALL_TOPICS, id, &other) &&
               has_entry(c, c->file->keys, topic, hash, &other) && other.mv_size == DISK_KEY &&
               disk_get_number(other.mv_data) == id;
    } else if (fine) {
        fine = value->mv_size == 1;
    }
    tell_key(c, id, fine);
    return 0;
}

static int walk(struct checking *c, MDB_dbi table, check_entry *check) {
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_stat stat;
    if (table == 0) {
        return 0; // of a file that does not have it yet
    }
    int rc = mdb_stat(c->txn, table, &stat);
    rc = rc ? rc : mdb_cursor_open(c->txn, table, &cursor);
    if (rc) {
        return rc;
    }
    for (size_t entries = stat.ms_entries;
         (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0; entries--) {
        // Damaged pages may lead in a circle.
        rc = entries ? check(c, &key, &value) : MDB_CORRUPTED;
        if (rc == 0 && ++c->done % PROGRESS_EVERY == 0 && c->watch->progress) {
            rc = c->watch->progress(c->watch->ctx, c->done, c->all) ? 0 : -1;
        }
        if (rc) {
            break;
        }
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int count(struct checking *c, MDB_dbi table) {
    MDB_stat stat;
    if (table == 0) {
        return 0;
    }
    int rc = mdb_stat(c->txn, table, &stat);
    c->all += rc ? 0 : stat.ms_entries;
    return rc;
}

int disk_check_file(const struct disk_file *file, MDB_txn *txn, const struct hash_key *key,
                    struct disk_check *out, const struct disk_watch *watch) {
    struct checking c = {.file = file, .txn = txn, .key = key, .out = out, .watch = watch};
    *out = (struct disk_check){0};
    int rc = count(&c, file->events);
    rc = rc ? rc : count(&c, file->topics);
    rc = rc ? rc : count(&c, file->own_ids);
    rc = rc ? rc : count(&c, file->keys);
    rc = rc ? rc : count(&c, file->values);
    rc = rc ? rc : mdb_cursor_open(txn, file->index, &c.index);
    if (rc) {
        return rc;
    }
    rc = walk(&c, file->events, check_event);
    rc = rc ? rc : walk(&c, file->topics, check_topic);
    rc = rc ? rc : walk(&c, file->own_ids, check_own_id);
    rc = rc ? rc : walk(&c, file->keys, check_key);
    rc = rc ? rc : walk(&c, file->values, check_value);
    mdb_cursor_close(c.index);
    return rc;
}
