// The adding half, and the order of things: first everything comes in, then whole topics are put in
// order at once, then the oldest of all goes. So a busy topic costs one look at its record and one
// write to its index a group, however many events it has in it.
#include "history/disk_group.h"

#include <errno.h>

#include "base/error.h"
#include "history/disk_index.h"
#include "history/disk_keys.h"
#include "history/disk_own_ids.h"

enum {
    DROPS_LEAST = 4096, // events that a group may drop, beside two for each that it adds
    ADDED_FIRST = 4,
    ONCE_TRIM = 256,
    GROUP_LEAST = 64 << 10,
    ROOM_LEAST = 2 << 20,  // for the pages that a group changes
    ROOM_FACTOR = 3,       // for pages that are not full, and the indexes
    CEILING_MS = 60000,    // ids are reserved so far ahead
    CEILING_IDS = 1 << 26, // and so many, when the clock lags behind
};

struct topic_name disk_topic_name(const struct disk_topic *topic) {
    return (struct topic_name){.text = bytes_make(topic->name, topic->name_len),
                               .hash = topic->node.hash};
}

int disk_topic_find(const struct disk_file *file, MDB_txn *txn, struct bytes name,
                    struct disk_topic_record *record) {
    MDB_val key = disk_val(name.at, name.len), value;
    int rc = mdb_get(txn, file->topics, &key, &value);
    if (rc == 0 && value.mv_size != sizeof(*record)) {
        rc = MDB_CORRUPTED;
    }
    if (rc == 0) {
        memcpy(record, value.mv_data, sizeof(*record));
    }
    return rc;
}

static bool has_name(const struct map_node *node, const void *key) {
    const struct bytes *name = key;
    const struct disk_topic *topic = (const struct disk_topic *)(const void *)node;
    return bytes_equal(bytes_make(topic->name, topic->name_len), *name);
}

static int load(struct disk_group *group, struct disk_topic *topic) {
    struct disk *disk = group->disk;
    struct topic_name name = disk_topic_name(topic);
    struct disk_purged purged;
    int rc = disk_topic_find(&disk->file, group->txn, name.text, &topic->record);
    topic->stored = rc == 0;
    if (rc == MDB_NOTFOUND) {
        topic->record.floor = disk_floors_of_topic(&disk->floors, name.hash);
        rc = 0;
    }
    disk_purges_look(&disk->purges, &purged);
    topic->purged = disk_purged_upto(&purged, name.hash);
    topic->limits = history_limits_of(&disk->limits, name.text);
    topic->prefixes = memory_floors_prefixes(&disk->floors.now, name.text);
    return rc;
}

int disk_group_touch(struct disk_group *group, const struct topic_name *name,
                     struct disk_topic **out) {
    struct map_node *node = map_find(&group->topics, name->hash, has_name, &name->text);
    if (node) {
        *out = container_of(node, struct disk_topic, node);
        return 0;
    }
    struct disk_topic *topic = mem_new(group->disk->mem, sizeof(*topic) + name->text.len);
    if (!topic) {
        return ENOMEM;
    }
    memcpy(topic->name, name->text.at, name->text.len);
    topic->name_len = (uint16_t)name->text.len;
    if (map_insert(&group->topics, &topic->node, name->hash)) {
        mem_free(group->disk->mem, topic);
        return ENOMEM;
    }
    list_push_back(&group->touched, &topic->link);
    *out = topic;
    return load(group, topic);
}

static void forget_topics(struct disk_group *group) {
    struct list *link;
    while ((link = list_pop_front(&group->touched))) {
        struct disk_topic *topic = container_of(link, struct disk_topic, link);
        map_remove(&group->topics, &topic->node);
        mem_free(group->disk->mem, topic->added);
        mem_free(group->disk->mem, topic);
    }
    map_finish(&group->topics);
}

// What keeps the topic from holding this event; DISK_REASONS when nothing does.
static enum disk_reason refusal(const struct disk_group *group, const struct disk_topic *topic,
                                event_id id, size_t size) {
    if (topic->limits->count == 0 || id <= topic->purged) {
        return DISK_BY_COUNT;
    }
    if (topic->limits->bytes && size > topic->limits->bytes) {
        return DISK_BY_BYTES;
    }
    return size > group->disk->bounds.event_bytes ? DISK_BY_BUDGET : DISK_REASONS;
}

static void miss(struct disk_group *group, struct disk_topic *topic, const struct frame *frame) {
    struct disk_floors *floors = &group->disk->floors;
    event_id id = frame->id;
    uint64_t type = memory_floors_type(&floors->now, frame_type(frame));
    if (frame->private) {
        disk_floors_raise_private(floors, topic->node.hash, &topic->prefixes, type, true, id);
        return;
    }
    topic->record.floor = topic->record.floor < id ? id : topic->record.floor;
    disk_floors_raise(floors, &topic->prefixes, id);
    disk_floors_raise_type(floors, topic->node.hash, &topic->prefixes, type, true, id);
}

static int add_to_topic(struct disk_group *group, struct disk_topic *topic,
                        const struct frame *frame, size_t size) {
    if (topic->added_count == topic->added_cap) {
        size_t cap = topic->added_cap ? topic->added_cap * 2 : ADDED_FIRST;
        event_id *added = mem_resize(group->disk->mem, topic->added, cap * sizeof(added[0]));
        if (!added) {
            return ENOMEM;
        }
        topic->added = added;
        topic->added_cap = cap;
    }
    topic->added[topic->added_count++] = frame->id;
    if (topic->record.number == 0) {
        topic->record.number = ++group->state.next_topic;
    }
    topic->record.newest = frame->id;
    topic->record.events++;
    topic->record.bytes += size;
    int rc = disk_own_ids_add(&group->disk->file, group->txn, frame_own_id(frame),
                              topic->record.number, frame->id);
    uint64_t hash = frame->key_len ? disk_keys_hash(&group->disk->state.key, frame_type(frame),
                                                    frame_key(frame), frame->private)
                                   : 0;
    return rc ? rc
              : disk_keys_add(&group->disk->file, group->txn, topic->record.number, hash,
                              frame->id);
}

// Enters the event into those of its topics that hold it; *holders tells how many do.
static int enter_topics(struct disk_group *group, const struct frame *frame, size_t size,
                        size_t *holders, enum disk_reason *reason) {
    *holders = 0;
    *reason = DISK_BY_COUNT;
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct topic_name name = frame_topic(frame, i);
        struct disk_topic *topic;
        int rc = disk_group_touch(group, &name, &topic);
        if (rc) {
            return rc;
        }
        if (i && topic->record.newest == frame->id) {
            continue; // a publisher named it twice
        }
        enum disk_reason why = refusal(group, topic, frame->id, size);
        if (why != DISK_REASONS) {
            *reason = why;
            miss(group, topic, frame);
            continue;
        }
        rc = add_to_topic(group, topic, frame, size);
        if (rc) {
            return rc;
        }
        ++*holders;
    }
    return 0;
}

static int put_event(struct disk_group *group, const struct frame *frame, size_t size,
                     size_t holders) {
    unsigned char id[DISK_KEY];
    disk_put_number(id, frame->id);
    MDB_val key = disk_val(id, DISK_KEY), value = {.mv_size = size + 1};
    int rc = mdb_cursor_put(group->events, &key, &value, MDB_APPEND | MDB_RESERVE);
    if (rc == 0) {
        char *at = value.mv_data;
        *at = (char)holders;
        frame_record_write(frame, at + 1);
    }
    return rc;
}

// Kept even when the event is not: it was published.
static int put_once(struct disk_group *group, const struct frame *frame) {
    unsigned char id[DISK_KEY], once[2 * DISK_KEY];
    if (frame->once.a == 0 && frame->once.b == 0) {
        return 0;
    }
    disk_put_number(id, frame->id);
    disk_put_number(once, frame->once.a);
    disk_put_number(once + DISK_KEY, frame->once.b);
    MDB_val key = disk_val(id, DISK_KEY), value = disk_val(once, sizeof(once));
    return mdb_put(group->txn, group->disk->file.once, &key, &value, MDB_APPEND);
}

static int add_event(struct disk_group *group, const struct frame *frame, uint64_t *bytes) {
    size_t size = frame_record_size(frame), holders;
    enum disk_reason reason;
    if (frame->private) {
        group->state.privates = true;
        atomic_store(&group->disk->figures.privates, true);
    }
    int rc = enter_topics(group, frame, size, &holders, &reason);
    if (rc == 0 && holders) {
        rc = put_event(group, frame, size, holders);
        *bytes += size;
    } else if (rc == 0) {
        group->dropped[reason]++;
    }
    group->state.newest = frame->id;
    return rc ? rc : put_once(group, frame);
}

static int add_frames(struct disk_group *group) {
    struct disk_portion portion;
    uint64_t bytes = 0;
    int rc = 0;
    do {
        disk_queue_peek(&group->disk->queue, group->frames, &portion);
        for (size_t i = 0; i < portion.count && rc == 0; i++) {
            if (group->frames == group->task->frames_max || bytes > group->bytes_max) {
                group->more = true;
                return 0;
            }
            rc = add_event(group, portion.frames[i], &bytes);
            group->frames++;
            group->changed = true;
        }
    } while (rc == 0 && portion.count == DISK_PORTION);
    return rc;
}

static int index_added(struct disk_group *group, struct disk_topic *topic) {
    int rc = disk_index_append(group->index, topic->record.number, &topic->record.tail,
                               topic->added, topic->added_count);
    topic->added_count = 0;
    return rc;
}

static int settle_topics(struct disk_group *group) {
    for (struct list *link = group->touched.next; link != &group->touched; link = link->next) {
        struct disk_topic *topic = container_of(link, struct disk_topic, link);
        int rc = index_added(group, topic);
        rc = rc ? rc : disk_drop_from(group, topic);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

// An empty topic leaves its floor to the buckets, so that names cannot fill the file.
static int write_topic(struct disk_group *group, struct disk_topic *topic) {
    MDB_val key = disk_val(topic->name, topic->name_len);
    MDB_val value = disk_val(&topic->record, sizeof(topic->record));
    bool rest;
    if (topic->record.events) {
        int rc = disk_index_trim(group->index, topic->record.number, topic->record.gone,
                                 DROPS_LEAST, &rest);
        return rc ? rc : mdb_put(group->txn, group->disk->file.topics, &key, &value, 0);
    }
    disk_floors_leave(&group->disk->floors, topic->node.hash, topic->record.floor);
    if (!topic->stored && topic->record.number == 0) {
        return 0;
    }
    int rc = disk_index_trim(group->index, topic->record.number, UINT64_MAX, SIZE_MAX, &rest);
    rc = rc ? rc : mdb_del(group->txn, group->disk->file.topics, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int write_topics(struct disk_group *group) {
    int rc = 0;
    for (struct list *link = group->touched.next; link != &group->touched && rc == 0;
         link = link->next) {
        rc = write_topic(group, container_of(link, struct disk_topic, link));
    }
    return rc;
}

// Keys against repetition go when they are too old to matter, a few at a time.
static int trim_once(struct disk_group *group) {
    MDB_cursor *cursor;
    MDB_val key, value;
    int64_t window = group->disk->settings.once_ms;
    int rc = mdb_cursor_open(group->txn, group->disk->file.once, &cursor);
    for (size_t i = 0; rc == 0 && i < 2 * group->frames + ONCE_TRIM; i++) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        if (rc || id_to_ms(disk_get_number(key.mv_data)) + window >= group->task->now) {
            break;
        }
        rc = mdb_cursor_del(cursor, 0);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static void take_holes(struct disk_group *group) {
    struct disk_queue *queue = &group->disk->queue;
    pthread_mutex_lock(&queue->lock);
    group->state.holes = queue->holes;
    group->changed |= queue->holes_changed;
    queue->holes_changed = false;
    if (group->frames == queue->frames.count) {
        group->state.newest = queue->appended; // the last ones may have been lost
    }
    pthread_mutex_unlock(&queue->lock);
}

static void raise_ceiling(struct disk_group *group) {
    struct disk_state *state = &group->state;
    event_id clock =
        id_from_ms(group->disk->settings.now_ms(group->disk->settings.now_ctx) + CEILING_MS);
    event_id ahead = state->newest + CEILING_IDS;
    event_id ceiling = clock > ahead ? clock : ahead;
    state->ceiling = state->ceiling > ceiling ? state->ceiling : ceiling;
    state->clean = group->task->clean;
    if (state->clean) {
        state->ceiling = state->newest;
    }
    state->relaxed = group->disk->settings.relaxed;
}

static int drop(struct disk_group *group) {
    int rc = disk_drop_purged(group);
    rc = rc ? rc : settle_topics(group);
    rc = rc ? rc : disk_drop_by_age(group);
    rc = rc ? rc : disk_drop_sweep(group);
    return rc ? rc : disk_drop_for_room(group);
}

static int fill(struct disk_group *group) {
    int rc = add_frames(group);
    group->drops = 2 * group->frames + DROPS_LEAST;
    rc = rc ? rc : drop(group);
    if (rc) {
        return rc;
    }
    take_holes(group);
    group->changed |= group->task->clean || group->task->renew || group->task->squeeze;
    group->changed |= group->drops != 2 * group->frames + DROPS_LEAST;
    rc = disk_drop_end_purges(group);
    if (rc || !group->changed) {
        return rc;
    }
    rc = write_topics(group);
    rc = rc ? rc : trim_once(group);
    rc = rc ? rc : disk_floors_save(&group->disk->floors, &group->disk->file, group->txn);
    raise_ceiling(group);
    return rc ? rc : disk_state_write(&group->disk->file, group->txn, &group->state);
}

static int measure(struct disk_group *group, struct disk_figures *figures) {
    const struct disk_file *file = &group->disk->file;
    MDB_stat events, topics;
    uint64_t used;
    int rc = mdb_stat(group->txn, file->events, &events);
    rc = rc ? rc : mdb_stat(group->txn, file->topics, &topics);
    rc = rc ? rc : disk_file_used(file, group->txn, &used);
    if (rc == 0) {
        atomic_store(&figures->events, events.ms_entries);
        atomic_store(&figures->topics, topics.ms_entries);
        atomic_store(&figures->used_bytes, used);
    }
    return rc;
}

static int begin(struct disk_group *group) {
    const struct disk_file *file = &group->disk->file;
    int rc = mdb_txn_begin(file->env, NULL, 0, &group->txn);
    rc = rc ? rc : mdb_cursor_open(group->txn, file->events, &group->events);
    return rc ? rc : mdb_cursor_open(group->txn, file->index, &group->index);
}

static int commit(struct disk_group *group) {
    int rc = measure(group, &group->disk->figures);
    if (rc) {
        return rc;
    }
    rc = mdb_txn_commit(group->txn); // frees it in any case
    group->txn = NULL;
    return rc;
}

static void told(struct disk_group *group) {
    struct disk *disk = group->disk;
    disk->state = group->state;
    for (int i = 0; i < DISK_REASONS; i++) {
        atomic_fetch_add(&disk->figures.dropped[i], group->dropped[i]);
    }
    for (size_t i = 0; i < group->ended_count; i++) {
        disk_purges_remove(&disk->purges, group->ended[i].hash, group->ended[i].upto);
    }
    disk_queue_settle(&disk->queue, group->frames, group->state.newest);
    atomic_store(&disk->figures.stored, group->state.newest);
    atomic_fetch_add(&disk->figures.commits, 1);
}

static void note_failure(struct disk_group *group) {
    struct disk *disk = group->disk;
    disk_floors_unsaved(&disk->floors);
    pthread_mutex_lock(&disk->queue.lock);
    disk->queue.holes_changed = true; // or may have been: it is written again
    pthread_mutex_unlock(&disk->queue.lock);
}

// Room for what waits now; what comes in the meantime waits for the next group. When the disk has
// none, free pages in the file may do.
static int reserve(struct disk_group *group) {
    struct disk *disk = group->disk;
    uint64_t least = disk->bounds.group_bytes, free_bytes;
    least = least < ROOM_LEAST ? least : ROOM_LEAST;
    pthread_mutex_lock(&disk->queue.lock);
    group->bytes_max = disk->queue.bytes + disk->queue.frames.count * sizeof(struct frame);
    pthread_mutex_unlock(&disk->queue.lock);
    if (group->bytes_max > disk->bounds.group_bytes) {
        group->bytes_max = disk->bounds.group_bytes;
    }
    int rc = disk_file_reserve(&disk->file, ROOM_FACTOR * group->bytes_max + least);
    while (rc && group->bytes_max > GROUP_LEAST) {
        group->bytes_max /= 2; // a small group may still find room
        least /= 2;
        rc = disk_file_reserve(&disk->file, ROOM_FACTOR * group->bytes_max + least);
    }
    if (rc == 0) {
        return 0;
    }
    uint64_t used = atomic_load(&disk->figures.used_bytes);
    uint64_t more = ROOM_FACTOR * group->bytes_max + least;
    return disk_file_free(&disk->file, used, &free_bytes) == 0 && free_bytes >= more ? 0 : rc;
}

int disk_group_run(struct disk *disk, const struct disk_task *task, bool *more) {
    struct disk_group group = {.disk = disk, .task = task, .state = disk->state};
    map_init(&group.topics, disk->mem);
    list_init(&group.touched);
    int rc = reserve(&group);
    rc = rc ? rc : begin(&group);
    rc = rc ? rc : fill(&group);
    if (rc == 0 && group.changed) {
        rc = commit(&group);
        if (rc == 0) {
            told(&group);
        }
    }
    if (group.txn) {
        mdb_txn_abort(group.txn);
    }
    if (rc) {
        note_failure(&group);
    } else {
        disk_purges_note_saved(&disk->purges, group.purges); // also when there was none to write
    }
    forget_topics(&group);
    *more = group.more;
    return rc;
}
