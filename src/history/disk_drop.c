// The dropping half. The policy: the oldest first, whoever's limit it is; each drop raises the
// floors; a group drops a bounded number of events and leaves the rest to the next. So no limit,
// however suddenly it is lowered, stops the writing of what comes.
#include <errno.h>
#include <string.h>

#include "history/disk_group.h"
#include "history/disk_index.h"
#include "history/disk_keys.h"
#include "history/disk_own_ids.h"

enum {
    SWEEP_TOPICS = 4096, // topics that a group looks at
    ROOM_CHECK = 32,     // drops between two looks at what is in use
};

// An event that is being dropped. What lies in the file may move with each write, so what is needed
// afterwards is copied first.
struct leaving {
    event_id id;
    size_t size;
    unsigned holders;
    bool private;
    struct frame_record record; // until the first write
    char own_text[DISK_OWN_ID_MAX];
    struct bytes own_id;
    uint64_t type_hash, key_hash;
};

static int look_at(const struct disk_group *group, struct leaving *leaving, const MDB_val *key,
                   const MDB_val *value) {
    const char *at = value->mv_data;
    *leaving = (struct leaving){.id = disk_get_number(key->mv_data)};
    if (value->mv_size < 2 ||
        frame_record_open(&leaving->record, bytes_make(at + 1, value->mv_size - 1))) {
        return MDB_CORRUPTED;
    }
    leaving->size = value->mv_size - 1;
    leaving->holders = (unsigned char)*at;
    leaving->type_hash =
        memory_floors_type(&group->disk->floors.now, frame_record_type(&leaving->record));
    leaving->private = leaving->record.private;
    leaving->key_hash = disk_keys_hash(&group->disk->state.key, frame_record_type(&leaving->record),
                                       leaving->record.key, leaving->private);
    struct bytes own_id = frame_record_own_id(&leaving->record);
    if (own_id.len && own_id.len <= sizeof(leaving->own_text)) {
        memcpy(leaving->own_text, own_id.at, own_id.len);
        leaving->own_id = bytes_make(leaving->own_text, own_id.len);
    }
    return 0;
}

// Of a private event those alone are told who hear them.
static void raise_floors(struct disk_group *group, struct disk_topic *topic,
                         const struct leaving *leaving, bool value) {
    struct disk_floors *floors = &group->disk->floors;
    struct disk_topic_record *record = &topic->record;
    if (leaving->private) {
        disk_floors_raise_private(floors, topic->node.hash, &topic->prefixes, leaving->type_hash,
                                  value, leaving->id);
        return;
    }
    record->floor = record->floor < leaving->id ? leaving->id : record->floor;
    disk_floors_raise(floors, &topic->prefixes, leaving->id);
    disk_floors_raise_type(floors, topic->node.hash, &topic->prefixes, leaving->type_hash, value,
                           leaving->id);
}

static int leave_topic(struct disk_group *group, struct disk_topic *topic,
                       const struct leaving *leaving) {
    struct disk_topic_record *record = &topic->record;
    record->events -= record->events > 0;
    record->bytes -= record->bytes < leaving->size ? record->bytes : leaving->size;
    record->gone = leaving->id;
    bool value;
    int rc = disk_keys_remove(&group->disk->file, group->txn, record->number, leaving->key_hash,
                              leaving->id, &value);
    raise_floors(group, topic, leaving, value);
    return rc ? rc
              : disk_own_ids_remove(&group->disk->file, group->txn, leaving->own_id, record->number,
                                    leaving->id);
}

// One topic fewer holds it. The cursor stands there.
static int let_go(struct disk_group *group, event_id id, const MDB_val *value, unsigned holders,
                  enum disk_reason reason) {
    unsigned char bytes[DISK_KEY];
    if (holders <= 1) {
        group->dropped[reason]++;
        return mdb_cursor_del(group->events, 0);
    }
    MDB_val again = {.mv_size = value->mv_size};
    char *copy = mem_alloc(group->disk->mem, value->mv_size);
    if (!copy) {
        return ENOMEM;
    }
    memcpy(copy, value->mv_data, value->mv_size);
    *copy = (char)(holders - 1);
    again.mv_data = copy;
    // Neither may lie in the file: a large value moves, and its key with it.
    disk_put_number(bytes, id);
    MDB_val key = disk_val(bytes, DISK_KEY);
    int rc = mdb_cursor_put(group->events, &key, &again, MDB_CURRENT);
    mem_free(group->disk->mem, copy);
    return rc;
}

static int drop_one(struct disk_group *group, struct disk_topic *topic, event_id id,
                    enum disk_reason reason) {
    unsigned char bytes[DISK_KEY];
    struct leaving leaving;
    disk_put_number(bytes, id);
    MDB_val key = disk_val(bytes, DISK_KEY), value;
    int rc = mdb_cursor_get(group->events, &key, &value, MDB_SET_KEY);
    rc = rc ? rc : look_at(group, &leaving, &key, &value);
    if (rc) {
        return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
    }
    group->drops--;
    rc = let_go(group, id, &value, leaving.holders, reason);
    return rc ? rc : leave_topic(group, topic, &leaving);
}

// Why the topic's oldest, which is `id`, has to go; DISK_REASONS when it may stay.
static enum disk_reason why_drop(const struct disk_group *group, const struct disk_topic *topic,
                                 event_id id) {
    const struct topic_limits *limits = topic->limits;
    if (topic->record.events > limits->count || id <= topic->purged) {
        return DISK_BY_COUNT;
    }
    if (limits->bytes && topic->record.bytes > limits->bytes) {
        return DISK_BY_BYTES;
    }
    bool old = limits->age_ms > 0 && group->task->now - id_to_ms(id) > limits->age_ms;
    return old ? DISK_BY_AGE : DISK_REASONS;
}

// A chunk's ids, copied, because dropping writes.
static int oldest_of(struct disk_group *group, const struct disk_topic *topic, event_id *ids,
                     uint32_t *count) {
    struct disk_chunk chunk;
    uint32_t place;
    int rc =
        disk_index_seek(group->index, topic->record.number, topic->record.gone, &chunk, &place);
    *count = 0;
    while (rc == 0 && place < chunk.count && *count < DISK_CHUNK_IDS) {
        ids[(*count)++] = disk_chunk_id(&chunk, place++);
    }
    return rc;
}

static bool may_need_dropping(const struct disk_group *group, const struct disk_topic *topic) {
    const struct topic_limits *limits = topic->limits;
    const struct disk_topic_record *record = &topic->record;
    return record->events && (record->events > limits->count || topic->purged > record->gone ||
                              (limits->bytes && record->bytes > limits->bytes) ||
                              (limits->age_ms > 0 && group->disk->bounds.age_all == 0));
}

// The next groups go through all topics for what this one could not drop.
static void leave_the_rest(struct disk_group *group) {
    struct disk *disk = group->disk;
    group->more = true;
    if (!disk->sweep_all) {
        disk->sweep_all = disk->sweeping = true;
        disk->sweep_len = 0;
    }
}

int disk_drop_from(struct disk_group *group, struct disk_topic *topic) {
    event_id ids[DISK_CHUNK_IDS];
    while (may_need_dropping(group, topic)) {
        uint32_t count;
        int rc = oldest_of(group, topic, ids, &count);
        if (rc || count == 0) {
            topic->record.events = rc ? topic->record.events : 0;
            return rc;
        }
        for (uint32_t i = 0; i < count; i++) {
            enum disk_reason reason = why_drop(group, topic, ids[i]);
            if (reason == DISK_REASONS) {
                return 0;
            }
            if (group->drops == 0) {
                leave_the_rest(group);
                return 0;
            }
            rc = drop_one(group, topic, ids[i], reason);
            if (rc) {
                return rc;
            }
        }
    }
    return 0;
}

// Whether this topic holds the event, which is the oldest of all.
static int holds(struct disk_group *group, const struct disk_topic *topic, event_id id,
                 bool *result) {
    struct disk_chunk chunk;
    uint32_t place;
    int rc =
        disk_index_seek(group->index, topic->record.number, topic->record.gone, &chunk, &place);
    *result = rc == 0 && place < chunk.count && disk_chunk_id(&chunk, place) == id;
    return rc;
}

static int holders_of(struct disk_group *group, const struct leaving *leaving,
                      struct disk_topic **topics, size_t *count) {
    struct frame_record_topics walk = {0};
    struct topic_name name;
    *count = 0;
    while (frame_record_next_topic(&leaving->record, &walk, &name)) {
        struct disk_topic *topic;
        bool held = leaving->record.topic_count == 1, known = false;
        int rc = disk_group_touch(group, &name, &topic);
        rc = rc || held ? rc : holds(group, topic, leaving->id, &held);
        if (rc) {
            return rc;
        }
        for (size_t i = 0; i < *count; i++) {
            known |= topics[i] == topic;
        }
        if (held && !known) {
            topics[(*count)++] = topic;
        }
    }
    return 0;
}

static int drop_oldest(struct disk_group *group, const MDB_val *key, const MDB_val *value,
                       enum disk_reason reason) {
    struct disk_topic *topics[FRAME_TOPICS_MAX];
    struct leaving leaving;
    size_t count;
    int rc = look_at(group, &leaving, key, value);
    rc = rc ? rc : holders_of(group, &leaving, topics, &count);
    rc = rc ? rc : mdb_cursor_del(group->events, 0);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = leave_topic(group, topics[i], &leaving);
    }
    group->drops--;
    group->dropped[reason]++;
    return rc;
}

int disk_drop_by_age(struct disk_group *group) {
    int64_t age = group->disk->bounds.age_all;
    while (age) {
        MDB_val key, value;
        int rc = mdb_cursor_get(group->events, &key, &value, MDB_FIRST);
        if (rc || group->task->now - id_to_ms(disk_get_number(key.mv_data)) <= age) {
            return rc == MDB_NOTFOUND ? 0 : rc;
        }
        if (group->drops == 0) {
            group->more = true;
            return 0;
        }
        rc = drop_oldest(group, &key, &value, DISK_BY_AGE);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

int disk_drop_for_room(struct disk_group *group) {
    uint64_t used, before = 0;
    const uint64_t most = group->disk->bounds.used_bytes;
    for (size_t drops = 0;; drops++) {
        int rc = drops % ROOM_CHECK ? 0 : disk_file_used(&group->disk->file, group->txn, &used);
        before = drops ? before : used;
        uint64_t wanted = group->task->squeeze ? before - before / 8 : most;
        if (rc || used <= wanted) {
            return rc;
        }
        if (group->drops == 0) {
            group->more = used > most;
            return 0;
        }
        MDB_val key, value;
        rc = mdb_cursor_get(group->events, &key, &value, MDB_FIRST);
        rc = rc ? rc : drop_oldest(group, &key, &value, DISK_BY_BUDGET);
        if (rc) {
            return rc == MDB_NOTFOUND ? 0 : rc;
        }
    }
}

// Whether the oldest event of all is too old for anyone at all.
static int sweep_is_due(struct disk_group *group, bool *due) {
    MDB_val key, value;
    int64_t age = group->disk->bounds.age_least;
    *due = false;
    if (group->disk->sweep_all || age == 0 || age == group->disk->bounds.age_all) {
        *due = group->disk->sweep_all;
        return 0;
    }
    int rc = mdb_cursor_get(group->events, &key, &value, MDB_FIRST);
    *due = rc == 0 && group->task->now - id_to_ms(disk_get_number(key.mv_data)) > age;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

// Only what has something to drop is touched, because what is touched is written.
static int is_overdue(struct disk_group *group, const struct topic_limits *limits,
                      const MDB_val *value, bool *overdue) {
    struct disk_topic_record record;
    struct disk_chunk chunk;
    uint32_t place;
    *overdue = false;
    if (value->mv_size != sizeof(record)) {
        return MDB_CORRUPTED;
    }
    memcpy(&record, value->mv_data, sizeof(record));
    *overdue = record.events > limits->count || (limits->bytes && record.bytes > limits->bytes);
    if (*overdue || limits->age_ms <= 0) {
        return 0;
    }
    int rc = disk_index_seek(group->index, record.number, record.gone, &chunk, &place);
    if (rc == 0 && place < chunk.count) {
        int64_t age = group->task->now - id_to_ms(disk_chunk_id(&chunk, place));
        *overdue = age > limits->age_ms;
    }
    return rc;
}

static int sweep_topic(struct disk_group *group, const MDB_val *key, const MDB_val *value) {
    struct disk *disk = group->disk;
    struct topic_name name;
    struct disk_topic *topic;
    bool overdue;
    disk->sweep_len = (uint16_t)(key->mv_size < TOPIC_NAME_MAX ? key->mv_size : TOPIC_NAME_MAX);
    memcpy(disk->sweep_name, key->mv_data, disk->sweep_len);
    name.text = bytes_make(disk->sweep_name, disk->sweep_len);
    name.hash = hash_bytes(&disk->state.key, name.text.at, name.text.len);
    int rc = is_overdue(group, history_limits_of(&disk->limits, name.text), value, &overdue);
    if (rc || !overdue) {
        return rc;
    }
    rc = disk_group_touch(group, &name, &topic);
    return rc ? rc : disk_drop_from(group, topic);
}

static int sweep_portion(struct disk_group *group, MDB_cursor *cursor) {
    struct disk *disk = group->disk;
    MDB_val key = disk_val(disk->sweep_name, disk->sweep_len), value;
    MDB_cursor_op op = disk->sweep_len ? MDB_SET_RANGE : MDB_FIRST;
    for (size_t i = 0; i < SWEEP_TOPICS && group->drops; i++, op = MDB_NEXT) {
        int rc = mdb_cursor_get(cursor, &key, &value, op);
        if (rc) {
            disk->sweeping = disk->sweep_all = false;
            disk->sweep_len = 0;
            return rc == MDB_NOTFOUND ? 0 : rc;
        }
        rc = sweep_topic(group, &key, &value);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

int disk_drop_sweep(struct disk_group *group) {
    MDB_cursor *cursor;
    bool due = false;
    int rc = group->disk->sweeping ? sweep_is_due(group, &due) : 0;
    if (rc || !due) {
        group->disk->sweeping = false;
        return rc;
    }
    rc = mdb_cursor_open(group->txn, group->disk->file.topics, &cursor);
    if (rc == 0) {
        rc = sweep_portion(group, cursor);
        mdb_cursor_close(cursor);
    }
    group->more |= group->disk->sweeping;
    return rc;
}

// Touches the topics that are being purged, so that they are put in order with the others. A purge
// is over when nothing of it is left in the file or waits to come in.
int disk_drop_purged(struct disk_group *group) {
    struct disk *disk = group->disk;
    struct disk_purge purge;
    group->purges = atomic_load(&disk->purges.last); // what comes from here on may be missed
    for (size_t i = 0; disk_purges_get(&disk->purges, i, &purge); i++) {
        struct disk_topic *topic;
        struct topic_name name = {.text = bytes_make(purge.name, purge.name_len),
                                  .hash = purge.hash};
        int rc = disk_group_touch(group, &name, &topic);
        if (rc == 0 && !purge.saved) {
            rc = disk_purges_save(&purge, &disk->file, group->txn);
            group->changed = true;
        }
        if (rc) {
            return rc;
        }
        topic->purged = topic->purged < purge.upto ? purge.upto : topic->purged;
        topic->record.floor = topic->record.floor < purge.upto ? purge.upto : topic->record.floor;
    }
    return 0;
}

static int is_purged(struct disk_group *group, const struct disk_purge *purge, bool *done) {
    struct topic_name name = {.text = bytes_make(purge->name, purge->name_len),
                              .hash = purge->hash};
    struct disk_topic *topic;
    struct disk_chunk chunk;
    uint32_t place;
    int rc = disk_group_touch(group, &name, &topic);
    rc = rc ? rc
            : disk_index_seek(group->index, topic->record.number, topic->record.gone, &chunk,
                              &place);
    *done = rc == 0 && group->state.newest >= purge->upto &&
            (chunk.count == 0 || disk_chunk_id(&chunk, place) > purge->upto);
    return rc;
}

int disk_drop_end_purges(struct disk_group *group) {
    struct disk *disk = group->disk;
    struct disk_purge purge;
    for (size_t i = 0; disk_purges_get(&disk->purges, i, &purge); i++) {
        bool done;
        int rc = is_purged(group, &purge, &done);
        if (rc == 0 && done && group->ended_count < DISK_PURGES_MAX) {
            rc = disk_purges_erase(&purge, &disk->file, group->txn);
            group->ended[group->ended_count].hash = purge.hash;
            group->ended[group->ended_count++].upto = purge.upto;
            group->changed = true;
        }
        if (rc) {
            return rc;
        }
    }
    return 0;
}
