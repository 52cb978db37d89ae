// Transactions for reading are kept and used again, because beginning one takes a lock that all
// share. The order matters: purges first, then the snapshot, so that a purge that ends in between
// is seen in one or the other; floors last, because they only rise.
#include "history/disk_view.h"

#include <errno.h>

#include "base/error.h"
#include "history/disk_keys.h"

enum { PAGE = 4096, LINE = 64, AHEAD_MOST = 1024 };

int disk_snapshot_begin(struct disk *disk, MDB_txn **txn) {
    struct disk_readers *readers = &disk->readers;
    pthread_mutex_lock(&readers->lock);
    *txn = readers->count ? readers->idle[--readers->count] : NULL;
    pthread_mutex_unlock(&readers->lock);
    if (!*txn) {
        return mdb_txn_begin(disk->file.env, NULL, MDB_RDONLY, txn);
    }
    int rc = mdb_txn_renew(*txn);
    if (rc) {
        mdb_txn_abort(*txn);
    }
    return rc;
}

void disk_snapshot_end(struct disk *disk, MDB_txn *txn) {
    struct disk_readers *readers = &disk->readers;
    mdb_txn_reset(txn);
    pthread_mutex_lock(&readers->lock);
    bool kept = readers->count < DISK_READERS_IDLE;
    if (kept) {
        readers->idle[readers->count++] = txn;
    }
    pthread_mutex_unlock(&readers->lock);
    if (!kept) {
        mdb_txn_abort(txn);
    }
}

int disk_view_begin(struct disk_view *view, struct disk *disk) {
    view->disk = disk;
    view->txn = NULL;
    view->events = view->index = view->values = NULL;
    disk_purges_look(&disk->purges, &view->purged);
    int rc = disk_snapshot_begin(disk, &view->txn);
    if (rc) {
        return rc;
    }
    rc = disk_state_newest(&disk->file, view->txn, &view->newest);
    rc = rc ? rc : mdb_cursor_open(view->txn, disk->file.events, &view->events);
    rc = rc ? rc : mdb_cursor_open(view->txn, disk->file.index, &view->index);
    if (rc) {
        disk_view_end(view);
    }
    return rc;
}

void disk_view_end(struct disk_view *view) {
    if (view->index) {
        mdb_cursor_close(view->index);
    }
    if (view->values) {
        mdb_cursor_close(view->values);
    }
    if (view->events) {
        mdb_cursor_close(view->events);
    }
    disk_snapshot_end(view->disk, view->txn);
}

int disk_view_topic(struct disk_view *view, const struct topic_name *name,
                    struct disk_topic_record *record) {
    int rc = disk_topic_find(&view->disk->file, view->txn, name->text, record);
    event_id purged = disk_purged_upto(&view->purged, name->hash);
    if (rc == 0 && purged) {
        record->gone = record->gone < purged ? purged : record->gone;
        record->floor = record->floor < purged ? purged : record->floor;
        rc = record->newest <= purged ? MDB_NOTFOUND : 0;
    }
    return rc;
}

bool disk_view_merges(const struct selection *selection) {
    return !selection->has_pattern && selection->count <= DISK_MERGE_MAX;
}

int disk_view_merge(struct disk_view *view, struct disk_merge *merge,
                    const struct selection *selection, event_id from, bool backward) {
    disk_merge_init(merge, view->index, backward);
    for (uint32_t i = 0; i < selection->count; i++) {
        struct disk_topic_record record;
        int rc = disk_view_topic(view, &selection->items[i].name, &record);
        if (rc == 0) {
            rc = disk_merge_add(merge, record.number, record.gone, from);
        }
        if (rc && rc != MDB_NOTFOUND) {
            return rc;
        }
    }
    return 0;
}

// A log is mostly read in order, and its pages mostly lie in order too: what is a page further on is
// asked for from memory while this one is worked on. Only a hint: nothing is read, wherever it points.
static void expect_next_page(const MDB_val *value) {
    size_t len = value->mv_size < AHEAD_MOST ? value->mv_size : AHEAD_MOST;
    uintptr_t at = (uintptr_t)value->mv_data + PAGE;
    for (uintptr_t line = at & ~(uintptr_t)(LINE - 1); line < at + len; line += LINE) {
        __builtin_prefetch((const void *)line);
    }
    __builtin_prefetch((const void *)(at & ~(uintptr_t)(PAGE - 1))); // its head
}

static int open_record(const MDB_val *value, struct frame_record *record) {
    const char *at = value->mv_data;
    expect_next_page(value);
    bool fine = value->mv_size > 1 &&
                frame_record_open(record, bytes_make(at + 1, value->mv_size - 1)) == 0;
    return fine ? 0 : MDB_CORRUPTED;
}

int disk_view_event(struct disk_view *view, event_id id, struct frame_record *record) {
    unsigned char bytes[DISK_KEY];
    MDB_val key, value;
    // A cursor that was never set begins at the first.
    int rc = mdb_cursor_get(view->events, &key, &value, MDB_NEXT);
    if (rc || disk_get_number(key.mv_data) != id) {
        disk_put_number(bytes, id);
        key = disk_val(bytes, DISK_KEY);
        rc = mdb_cursor_get(view->events, &key, &value, MDB_SET_KEY);
    }
    return rc ? rc : open_record(&value, record);
}

int disk_view_step(struct disk_view *view, MDB_cursor_op op, event_id *id,
                   struct frame_record *record) {
    unsigned char bytes[DISK_KEY];
    disk_put_number(bytes, *id);
    MDB_val key = disk_val(bytes, DISK_KEY), value;
    int rc = mdb_cursor_get(view->events, &key, &value, op);
    if (rc) {
        return rc;
    }
    *id = disk_get_number(key.mv_data);
    return open_record(&value, record);
}

// An event goes with its last topic.
static bool is_purged(const struct disk_view *view, const struct frame_record *record,
                      event_id id) {
    struct frame_record_topics walk = {0};
    struct topic_name topic;
    while (frame_record_next_topic(record, &walk, &topic)) {
        if (disk_purged_upto(&view->purged, topic.hash) < id) {
            return false;
        }
    }
    return true;
}

bool disk_view_hears(const struct disk_view *view, const struct selection *selection,
                     const struct frame_record *record, event_id id) {
    struct frame_record_topics walk = {0};
    struct topic_name topic;
    bool hears = false;
    if (!selection_passes(selection, frame_record_type(record))) {
        return false;
    }
    while (!hears && frame_record_next_topic(record, &walk, &topic)) {
        hears = selection_names(selection, &topic, record->private);
    }
    return hears && (view->purged.count == 0 || !is_purged(view, record, id));
}

int disk_view_values(struct disk_view *view) {
    return view->values ? 0 : mdb_cursor_open(view->txn, view->disk->file.values, &view->values);
}

int disk_view_newest(struct disk_view *view, const struct selection *selection,
                     const struct frame_record *record, event_id id) {
    struct frame_record_topics walk = {0};
    struct topic_name name;
    int rc = record->key.len ? disk_view_values(view) : 0;
    if (rc || record->key.len == 0) {
        return rc;
    }
    // Of most there is one topic, and then the entry for all topics says it.
    rc = disk_keys_is_newest(view->values, DISK_ALL_TOPICS, id);
    if (rc || record->topic_count == 1) {
        return rc;
    }
    while (frame_record_next_topic(record, &walk, &name)) {
        struct disk_topic_record topic;
        if (selection_names(selection, &name, record->private) &&
            disk_view_topic(view, &name, &topic) == 0 &&
            disk_keys_is_newest(view->values, topic.number, id) == 0) {
            return 0;
        }
    }
    return MDB_NOTFOUND;
}

int disk_view_floor(struct disk_view *view, const struct selection *selection, event_id *floor) {
    struct disk_floors *floors = &view->disk->floors;
    *floor = view->disk->limits.origin;
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct selector *item = &selection->items[i];
        struct disk_topic_record record;
        int rc = item->pattern ? MDB_NOTFOUND : disk_view_topic(view, &item->name, &record);
        if (rc && rc != MDB_NOTFOUND) {
            return rc;
        }
        event_id one = rc == 0         ? record.floor
                       : item->pattern ? disk_floors_of_pattern(floors, item->name.text)
                                       : disk_floors_of_topic(floors, item->name.hash);
        // Neither is too low. But what is being purged has raised only the first.
        if (memory_floors_is_part(selection) && view->purged.count == 0) {
            event_id part = disk_floors_of_part(floors, selection, item);
            one = part < one ? part : one;
        }
        event_id hidden = item->privy ? disk_floors_of_private(floors, selection, item) : 0;
        one = one < hidden ? hidden : one;
        *floor = *floor < one ? one : *floor;
    }
    return 0;
}
