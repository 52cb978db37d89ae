// What the console asks, what a start recalls, and purging. Counts are those of the last group.
#include <string.h>

#include "base/error.h"
#include "history/disk_index.h"
#include "history/disk_view.h"

void disk_stats(struct history *history, struct history_stats *out) {
    struct disk *disk = disk_of(history);
    struct disk_figures *figures = &disk->figures;
    *out = (struct history_stats){
        .events = atomic_load(&figures->events),
        .topics = atomic_load(&figures->topics),
        .bytes = atomic_load(&figures->used_bytes),
        .dropped_count = atomic_load(&figures->dropped[DISK_BY_COUNT]),
        .dropped_bytes = atomic_load(&figures->dropped[DISK_BY_BYTES]),
        .dropped_age = atomic_load(&figures->dropped[DISK_BY_AGE]),
        .dropped_budget = atomic_load(&figures->dropped[DISK_BY_BUDGET]),
    };
    pthread_mutex_lock(&disk->queue.lock);
    out->events += disk->queue.frames.count;
    out->dropped_budget += disk->queue.lost;
    pthread_mutex_unlock(&disk->queue.lock);
}

static bool describe(struct disk_view *view, struct bytes name,
                     const struct disk_topic_record *record, struct history_topic *out) {
    struct disk_chunk chunk;
    uint32_t place;
    int rc = disk_index_seek(view->index, record->number, record->gone, &chunk, &place);
    if (rc || place >= chunk.count) {
        return false;
    }
    *out = (struct history_topic){
        .name = name,
        .events = record->events,
        .bytes = record->bytes,
        .oldest = disk_chunk_id(&chunk, place),
        .newest = record->newest,
    };
    return true;
}

static bool is_where_it_stood(const struct history_walk *walk, const MDB_val *key) {
    return key->mv_size == walk->name_len && memcmp(key->mv_data, walk->name, key->mv_size) == 0;
}

static bool walk_on(struct disk_view *view, MDB_cursor *cursor, struct history_walk *walk,
                    size_t portion, history_visit *visit, void *ctx) {
    MDB_val key = disk_val(walk->name, walk->name_len), value;
    int rc = mdb_cursor_get(cursor, &key, &value, walk->name_len ? MDB_SET_RANGE : MDB_FIRST);
    if (rc == 0 && is_where_it_stood(walk, &key)) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    for (; rc == 0 && portion; portion--) {
        struct topic_name name = {.text = bytes_make(key.mv_data, key.mv_size)};
        struct disk_topic_record record;
        struct history_topic topic;
        name.hash = hash_bytes(&view->disk->floors.now.key, name.text.at, name.text.len);
        walk->name_len =
            (uint16_t)(name.text.len < TOPIC_NAME_MAX ? name.text.len : TOPIC_NAME_MAX);
        memcpy(walk->name, name.text.at, walk->name_len);
        if (disk_view_topic(view, &name, &record) == 0 &&
            describe(view, name.text, &record, &topic) && !visit(ctx, &topic)) {
            return false;
        }
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    return rc == 0;
}

bool disk_walk(struct history *history, struct history_walk *walk, size_t portion,
               history_visit *visit, void *ctx) {
    struct disk_view view;
    MDB_cursor *cursor;
    bool more = false;
    if (disk_view_begin(&view, disk_of(history))) {
        return false;
    }
    if (mdb_cursor_open(view.txn, view.disk->file.topics, &cursor) == 0) {
        more = walk_on(&view, cursor, walk, portion, visit, ctx);
        mdb_cursor_close(cursor);
    }
    disk_view_end(&view);
    return more;
}

bool disk_topic_info(struct history *history, const struct topic_name *name,
                     struct history_topic *out) {
    struct disk_view view;
    struct disk_topic_record record;
    if (disk_view_begin(&view, disk_of(history))) {
        return false;
    }
    bool found =
        disk_view_topic(&view, name, &record) == 0 && describe(&view, name->text, &record, out);
    disk_view_end(&view);
    return found;
}

static int recall_from(MDB_cursor *cursor, event_id after, size_t most, history_recall *visit,
                       void *ctx) {
    MDB_val key, value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    for (; rc == 0 && most; most--) {
        event_id id = disk_get_number(key.mv_data);
        if (value.mv_size != 2 * DISK_KEY) {
            return MDB_CORRUPTED;
        }
        struct once once = {.a = disk_get_number(value.mv_data),
                            .b = disk_get_number((const char *)value.mv_data + DISK_KEY)};
        if (id <= after || !visit(ctx, &once, id)) {
            return 0;
        }
        rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int disk_recall(struct history *history, event_id after, size_t most, history_recall *visit,
                void *ctx) {
    struct disk_view view;
    MDB_cursor *cursor;
    int rc = disk_view_begin(&view, disk_of(history));
    if (rc) {
        return ERR_SYSTEM;
    }
    rc = mdb_cursor_open(view.txn, view.disk->file.once, &cursor);
    if (rc == 0) {
        rc = recall_from(cursor, after, most, visit, ctx);
        mdb_cursor_close(cursor);
    }
    disk_view_end(&view);
    return rc ? ERR_SYSTEM : 0;
}

// Whether an event of the topic waits for the disk that no purge before has hidden.
static bool waits(struct disk *disk, const struct topic_name *name) {
    struct disk_portion portion;
    struct disk_purged purged;
    bool found = false;
    disk_purges_look(&disk->purges, &purged);
    event_id after = disk_purged_upto(&purged, name->hash);
    do {
        (void)disk_queue_forward(&disk->queue, after, UINT64_MAX, UINT64_MAX, &portion);
        for (size_t i = 0; i < portion.count && !found; i++) {
            const struct frame *frame = portion.frames[i];
            after = frame->id;
            for (size_t k = 0; k < frame->topic_count && !found; k++) {
                struct topic_name topic = frame_topic(frame, k);
                found = topic.hash == name->hash && bytes_equal(topic.text, name->text);
            }
        }
        disk_portion_release(&portion, 0);
    } while (!found && portion.count == DISK_PORTION);
    return found;
}

int disk_purge(struct history *history, const struct topic_name *name, uint64_t *number) {
    struct disk *disk = disk_of(history);
    struct history_topic topic;
    if (!waits(disk, name) && !disk_topic_info(history, name, &topic)) {
        *number = atomic_load(&disk->purges.last);
        return ERR_NOT_FOUND;
    }
    pthread_mutex_lock(&disk->queue.lock);
    event_id upto = disk->queue.appended;
    pthread_mutex_unlock(&disk->queue.lock);
    int rc = disk_purges_add(&disk->purges, name, upto, number);
    if (rc) {
        return rc;
    }
    struct floor_prefixes prefixes = memory_floors_prefixes(&disk->floors.now, name->text);
    disk_floors_raise(&disk->floors, &prefixes, upto);
    disk_floors_leave(&disk->floors, name->hash, upto);
    pthread_mutex_lock(&disk->queue.lock);
    disk_queue_ask(&disk->queue);
    pthread_mutex_unlock(&disk->queue.lock);
    return 0;
}
