// What came after a cursor: from a snapshot of the file, and then from what still waits behind it,
// if the two still join. The policy: a call is short, whatever is asked. It looks at a bounded number
// of events, holds its snapshot no longer than that, and holds the queue's lock only to take
// references.
#include <errno.h>

#include "base/error.h"
#include "history/disk_keys.h"
#include "history/disk_view.h"

enum { SCAN_EVENTS = 4096, TRIES_MAX = 16 };

struct reading {
    struct disk_view view;
    struct disk *disk;
    const struct selection *selection;
    struct past_batch *batch;
    event_id upto;
    bool values; // only what is the newest of its key
    size_t bytes_left;
    event_id told; // what holes and damage add to the floor
    size_t looked_at;
};

static bool has_room(const struct reading *r, size_t size) {
    return r->batch->count == 0 || (r->batch->count < PAST_BATCH && size <= r->bytes_left);
}

static void put(struct reading *r, struct frame *frame) {
    r->batch->frames[r->batch->count++] = frame;
    r->batch->reached = frame->id;
    r->bytes_left -= frame->size < r->bytes_left ? frame->size : r->bytes_left;
}

// True when it went in, or cannot be read and is told of as missing.
static int take(struct reading *r, int found, event_id id, const struct frame_record *record,
                bool *taken) {
    struct frame *frame;
    *taken = false;
    if (found == MDB_CORRUPTED) {
        atomic_fetch_add(&r->disk->figures.damaged, 1);
        r->told = r->told < id ? id : r->told;
        r->batch->reached = id;
        *taken = true;
        return 0;
    }
    if (found || !has_room(r, record->stream.len)) {
        return found;
    }
    if (frame_record_frame(record, r->disk->mem, id, &frame)) {
        return r->batch->count ? 0 : ENOMEM;
    }
    put(r, frame);
    *taken = true;
    return 0;
}

// Whether it is let through, and nothing newer has replaced it for one who wants the newest alone.
static int is_wanted(struct reading *r, const struct frame_record *record, event_id id,
                     bool *wanted) {
    *wanted = selection_passes(r->selection, frame_record_type(record)) &&
              (!record->private || disk_view_hears(&r->view, r->selection, record, id));
    if (!*wanted || (!r->values && !r->selection->latest)) {
        return 0;
    }
    int rc = disk_view_newest(&r->view, r->selection, record, id);
    *wanted = rc == 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

// Takes what was found, or passes over it.
static int take_wanted(struct reading *r, int found, event_id id, const struct frame_record *record,
                       bool *taken) {
    bool wanted = true;
    int rc = found ? 0 : is_wanted(r, record, id, &wanted);
    *taken = true;
    if (rc || wanted) {
        return rc ? rc : take(r, found, id, record, taken);
    }
    r->batch->reached = id;
    return 0;
}

static int read_topics(struct reading *r, event_id upto) {
    struct disk_merge merge;
    struct frame_record record;
    event_id id;
    bool taken = true, more = true;
    int rc = disk_view_merge(&r->view, &merge, r->selection, r->batch->reached, false);
    for (; rc == 0 && taken; r->looked_at++) {
        more = disk_merge_peek(&merge, &id) && id <= upto;
        if (!more || r->looked_at == SCAN_EVENTS) {
            break;
        }
        rc = take_wanted(r, disk_view_event(&r->view, id, &record), id, &record, &taken);
        rc = rc || !taken ? rc : disk_merge_skip(&merge);
    }
    if (rc == 0 && !more) {
        r->batch->reached = upto;
    }
    return rc;
}

static int read_log(struct reading *r, event_id upto) {
    struct frame_record record;
    event_id id = r->batch->reached + 1;
    MDB_cursor_op op = MDB_SET_RANGE;
    for (; r->looked_at < SCAN_EVENTS; r->looked_at++, op = MDB_NEXT) {
        bool taken = true;
        int found = disk_view_step(&r->view, op, &id, &record);
        if (found == MDB_NOTFOUND || (found != MDB_NOTFOUND && id > upto)) {
            r->batch->reached = upto;
            return 0;
        }
        if (found == 0 && !disk_view_hears(&r->view, r->selection, &record, id)) {
            r->batch->reached = id;
            continue;
        }
        int rc = take_wanted(r, found, id, &record, &taken);
        if (rc || !taken) {
            return rc;
        }
    }
    return 0;
}

// The events that are the newest of their key, of several topics.
struct values {
    uint32_t count;
    struct {
        uint64_t topic;
        event_id next;
    } heads[DISK_MERGE_MAX];
};

static int values_begin(struct reading *r, struct values *values) {
    values->count = 0;
    for (uint32_t i = 0; i < r->selection->count; i++) {
        struct disk_topic_record topic;
        int rc = disk_view_topic(&r->view, &r->selection->items[i].name, &topic);
        event_id next = r->batch->reached;
        if (rc == 0) {
            next = next < topic.gone ? topic.gone : next;
            rc = disk_keys_next(r->view.values, topic.number, &next);
        }
        if (rc == 0) {
            values->heads[values->count].topic = topic.number;
            values->heads[values->count++].next = next;
        } else if (rc != MDB_NOTFOUND) {
            return rc;
        }
    }
    return 0;
}

static event_id values_peek(const struct values *values) {
    event_id least = UINT64_MAX;
    for (uint32_t i = 0; i < values->count; i++) {
        least = values->heads[i].next < least ? values->heads[i].next : least;
    }
    return least;
}

static int values_skip(struct reading *r, struct values *values, event_id id) {
    for (uint32_t i = 0; i < values->count;) {
        int rc = values->heads[i].next > id ? 0
                                            : disk_keys_next(r->view.values, values->heads[i].topic,
                                                             &values->heads[i].next);
        if (rc && rc != MDB_NOTFOUND) {
            return rc;
        }
        if (rc) {
            values->heads[i] = values->heads[--values->count];
        } else {
            i++;
        }
    }
    return 0;
}

static int read_values_of_topics(struct reading *r, event_id upto) {
    struct frame_record record;
    struct values values;
    int rc = values_begin(r, &values);
    for (; rc == 0 && r->looked_at < SCAN_EVENTS; r->looked_at++) {
        bool taken;
        event_id id = values_peek(&values);
        if (values.count == 0 || id > upto) {
            r->batch->reached = upto;
            return 0;
        }
        rc = take_wanted(r, disk_view_event(&r->view, id, &record), id, &record, &taken);
        if (rc || !taken) {
            return rc;
        }
        rc = values_skip(r, &values, id);
    }
    return rc;
}

static int read_values_of_all(struct reading *r, event_id upto) {
    struct frame_record record;
    event_id id = r->batch->reached;
    for (; r->looked_at < SCAN_EVENTS; r->looked_at++) {
        bool taken = true;
        int rc = disk_keys_next(r->view.values, DISK_ALL_TOPICS, &id);
        if (rc == MDB_NOTFOUND || (rc == 0 && id > upto)) {
            r->batch->reached = upto;
            return 0;
        }
        int found = rc ? 0 : disk_view_event(&r->view, id, &record);
        if (rc == 0 && found == 0 && !disk_view_hears(&r->view, r->selection, &record, id)) {
            r->batch->reached = id;
        } else if (rc == 0) {
            rc = take_wanted(r, found, id, &record, &taken);
        }
        if (rc || !taken) {
            return rc;
        }
    }
    return 0;
}

static int read_file(struct reading *r) {
    event_id upto = r->upto < r->view.newest ? r->upto : r->view.newest;
    if (r->batch->reached >= upto) {
        return 0;
    }
    int rc = r->values ? disk_view_values(&r->view) : 0;
    if (rc || !r->values) {
        return rc ? rc : disk_view_merges(r->selection) ? read_topics(r, upto) : read_log(r, upto);
    }
    return disk_view_merges(r->selection) ? read_values_of_topics(r, upto)
                                          : read_values_of_all(r, upto);
}

static bool hears(const struct reading *r, const struct frame *frame) {
    if ((r->values && frame->key_len == 0) || !selection_hears(r->selection, frame)) {
        return false;
    }
    for (size_t i = 0; r->view.purged.count && i < frame->topic_count; i++) {
        struct topic_name topic = frame_topic(frame, i);
        if (frame->id > disk_purged_upto(&r->view.purged, topic.hash) &&
            (r->selection->has_pattern || selection_names(r->selection, &topic, frame->private))) {
            return true;
        }
    }
    return r->view.purged.count == 0;
}

// False when the batch is full.
static bool keep_heard(struct reading *r, struct disk_portion *portion) {
    for (size_t i = 0; i < portion->count; i++) {
        struct frame *frame = portion->frames[i];
        if (!hears(r, frame)) {
            r->batch->reached = frame->id;
            frame_unref(frame);
        } else if (has_room(r, frame->size)) {
            put(r, frame);
        } else {
            disk_portion_release(portion, i);
            return false;
        }
    }
    return true;
}

static void read_queue(struct reading *r) {
    struct disk_portion portion;
    for (; r->looked_at < SCAN_EVENTS; r->looked_at += DISK_PORTION) {
        if (!disk_queue_forward(&r->disk->queue, r->batch->reached, r->upto, r->view.newest,
                                &portion) ||
            !keep_heard(r, &portion)) {
            return;
        }
        if (portion.count < DISK_PORTION) {
            r->batch->reached = r->upto;
            return;
        }
    }
}

static int read_all(struct reading *r) {
    int rc = read_file(r);
    if (rc == 0 && r->batch->reached >= r->view.newest && r->batch->reached < r->upto) {
        read_queue(r);
    }
    rc = rc ? rc : disk_view_floor(&r->view, r->selection, &r->batch->floor);
    r->batch->floor = r->batch->floor < r->told ? r->told : r->batch->floor;
    return rc;
}

static int result_of(int rc, struct past_batch *batch) {
    if (rc) {
        past_batch_release(batch);
    }
    return rc == 0 ? 0 : rc == ENOMEM || rc == MDB_READERS_FULL ? ERR_NOMEM : ERR_SYSTEM;
}

// One look. Without progress when the writer took away, between the two halves, what was to follow.
static int try_to_read(struct reading *r, event_id after) {
    r->batch->reached = after;
    r->looked_at = 0;
    int rc = disk_view_begin(&r->view, r->disk);
    if (rc == 0) {
        rc = read_all(r);
        disk_view_end(&r->view);
    }
    return rc;
}

static int read_past(struct disk *disk, const struct selection *selection, bool values,
                     event_id after, event_id upto, size_t max_bytes, struct past_batch *batch) {
    struct reading r = {.disk = disk,
                        .selection = selection,
                        .values = values,
                        .batch = batch,
                        .bytes_left = max_bytes};
    batch->count = 0;
    pthread_mutex_lock(&disk->queue.lock);
    r.upto = disk_holes_clamp(&disk->queue.holes, after, upto < after ? after : upto, &r.told);
    pthread_mutex_unlock(&disk->queue.lock);
    int rc = 0, tries = 0;
    do {
        rc = try_to_read(&r, after);
    } while (rc == 0 && batch->reached == after && after < r.upto && ++tries < TRIES_MAX);
    return result_of(rc, batch);
}

int disk_read(struct past *past, const struct selection *selection, event_id after, event_id upto,
              size_t max_bytes, struct past_batch *batch) {
    return read_past(disk_of_past(past), selection, false, after, upto, max_bytes, batch);
}

int disk_values(struct past *past, const struct selection *selection, event_id after, event_id upto,
                size_t max_bytes, struct past_batch *batch) {
    return read_past(disk_of_past(past), selection, true, after, upto, max_bytes, batch);
}
