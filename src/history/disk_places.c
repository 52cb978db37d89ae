// Where to start: so many events back, or at an id that a publisher brought. What waits is looked at
// first and the file afterwards, so that what moves from one to the other in between is seen.
#include "base/error.h"
#include "history/disk_own_ids.h"
#include "history/disk_view.h"

enum {
    LOOK_BACK_EVENTS = 65536, // events of all topics that a last() of a pattern looks at
    SEARCH_ENTRIES = 4096,    // entries of an own id that a find() looks at
    CHECK_PORTIONS = 1024,    // portions of the queue that are looked through
};

struct looking_back {
    const struct selection *selection;
    size_t count;    // still to go
    event_id cursor; // the answer so far
    event_id seen;   // everything above was looked at
};

static void back_through_queue(struct disk *disk, struct looking_back *back) {
    struct disk_portion portion;
    do {
        disk_queue_backward(&disk->queue, back->seen, &portion);
        for (size_t i = 0; i < portion.count; i++) {
            back->seen = portion.frames[i]->id - 1;
            if (back->count && selection_hears(back->selection, portion.frames[i])) {
                back->cursor = back->seen;
                back->count--;
            }
        }
        disk_portion_release(&portion, 0);
    } while (back->count && portion.count == DISK_PORTION);
}

// Which of them are let through, and which are private, is known only from the events themselves.
static void back_through_types(struct disk_view *view, struct disk_merge *merge,
                               struct looking_back *back) {
    struct frame_record record;
    event_id id;
    int rc = 0;
    for (int i = 0; i < LOOK_BACK_EVENTS && rc == 0 && back->count; i++) {
        if (!disk_merge_peek(merge, &id)) {
            return;
        }
        if (disk_view_event(view, id, &record) == 0 &&
            disk_view_hears(view, back->selection, &record, id)) {
            back->cursor = id - 1;
            back->count--;
        }
        rc = disk_merge_skip(merge);
    }
}

static void back_through_topics(struct disk_view *view, struct looking_back *back) {
    struct disk_merge merge;
    event_id id;
    int rc = disk_view_merge(view, &merge, back->selection, back->seen, true);
    bool hides = atomic_load(&view->disk->figures.privates) && selection_hides(back->selection);
    if (rc == 0 && (back->selection->type_count || hides)) {
        back_through_types(view, &merge, back);
        return;
    }
    while (rc == 0 && back->count && disk_merge_peek(&merge, &id)) {
        back->count -= disk_merge_leap(&merge, back->count - 1);
        (void)disk_merge_peek(&merge, &id);
        back->cursor = id - 1;
        back->count--;
        rc = disk_merge_skip(&merge);
    }
}

// The last event up to `id`.
static int step_to(struct disk_view *view, event_id *id, struct frame_record *record) {
    event_id from = *id;
    if (from == UINT64_MAX) {
        return disk_view_step(view, MDB_LAST, id, record);
    }
    int rc = disk_view_step(view, MDB_SET_RANGE, id, record);
    if (rc == MDB_NOTFOUND) {
        return disk_view_step(view, MDB_LAST, id, record);
    }
    return *id == from ? rc : disk_view_step(view, MDB_PREV, id, record);
}

static void back_through_log(struct disk_view *view, struct looking_back *back) {
    struct frame_record record;
    event_id id = back->seen;
    int rc = step_to(view, &id, &record);
    for (int i = 0; i < LOOK_BACK_EVENTS && back->count && (rc == 0 || rc == MDB_CORRUPTED); i++) {
        if (rc == 0 && disk_view_hears(view, back->selection, &record, id)) {
            back->cursor = id - 1;
            back->count--;
        }
        rc = disk_view_step(view, MDB_PREV, &id, &record);
    }
}

event_id disk_last(struct past *past, const struct selection *selection, size_t count,
                   event_id upto) {
    struct disk *disk = disk_of_past(past);
    struct looking_back back = {
        .selection = selection, .count = count, .cursor = upto, .seen = upto};
    struct disk_view view;
    back_through_queue(disk, &back);
    if (back.count == 0 || disk_view_begin(&view, disk)) {
        return back.cursor;
    }
    if (disk_view_merges(selection)) {
        back_through_topics(&view, &back);
    } else {
        back_through_log(&view, &back);
    }
    disk_view_end(&view);
    return back.cursor;
}

static bool is_private(struct disk_view *view, event_id id) {
    struct frame_record record;
    return disk_view_event(view, id, &record) || record.private;
}

static int find_in_topic(struct disk_view *view, MDB_cursor *cursor, const struct selector *item,
                         struct bytes own_id, event_id *at) {
    struct disk_topic_record record = {0};
    int rc = disk_view_topic(view, &item->name, &record);
    bool looks = atomic_load(&view->disk->figures.privates) && !item->privy;
    event_id after = record.gone;
    for (int i = 0; rc == 0 && i < SEARCH_ENTRIES; i++, after = *at) {
        uint64_t topic = record.number;
        rc = disk_own_ids_next(cursor, own_id, &topic, after, at);
        rc = rc == 0 && topic != record.number ? MDB_NOTFOUND : rc;
        if (rc || !looks || !is_private(view, *at)) {
            return rc;
        }
    }
    return rc ? rc : MDB_NOTFOUND;
}

static int find_in_topics(struct disk_view *view, MDB_cursor *cursor,
                          const struct selection *selection, struct bytes own_id, event_id *at) {
    int result = MDB_NOTFOUND;
    for (uint32_t i = 0; i < selection->count; i++) {
        event_id one;
        const struct selector *item = &selection->items[i];
        if (!item->pattern && find_in_topic(view, cursor, item, own_id, &one) == 0) {
            *at = result == 0 && *at < one ? *at : one;
            result = 0;
        }
    }
    return result;
}

// The topic with this number, which holds the event.
static bool topic_matches_entry(struct disk_view *view, const struct selection *selection,
                                uint64_t topic, event_id id) {
    struct frame_record record;
    struct frame_record_topics walk = {0};
    struct topic_name name;
    if (disk_view_event(view, id, &record)) {
        return false;
    }
    while (frame_record_next_topic(&record, &walk, &name)) {
        struct disk_topic_record found;
        if (selection_names(selection, &name, record.private) &&
            disk_view_topic(view, &name, &found) == 0 && found.number == topic && id > found.gone) {
            return true;
        }
    }
    return false;
}

// Entries are by topic, and in a topic by event: of each topic, the first that it still holds.
static int find_by_pattern(struct disk_view *view, MDB_cursor *cursor,
                           const struct selection *selection, struct bytes own_id, event_id *at) {
    uint64_t topic = 0;
    event_id after = 0, id;
    int result = MDB_NOTFOUND, looks = 0;
    for (; looks < SEARCH_ENTRIES; looks++) {
        if (disk_own_ids_next(cursor, own_id, &topic, after, &id)) {
            return result;
        }
        if (topic_matches_entry(view, selection, topic, id)) {
            *at = result == 0 && *at < id ? *at : id;
            result = 0;
            topic++;
            after = 0;
        } else {
            after = id;
        }
    }
    return MDB_NOTFOUND;
}

static int find_in_file(struct disk *disk, const struct selection *selection, struct bytes own_id,
                        event_id *at) {
    struct disk_view view;
    MDB_cursor *cursor;
    event_id found = 0;
    if (disk_view_begin(&view, disk)) {
        return MDB_NOTFOUND;
    }
    int rc = mdb_cursor_open(view.txn, disk->file.own_ids, &cursor);
    if (rc == 0) {
        rc = selection->has_pattern ? find_by_pattern(&view, cursor, selection, own_id, &found)
                                    : find_in_topics(&view, cursor, selection, own_id, &found);
        mdb_cursor_close(cursor);
    }
    disk_view_end(&view);
    *at = rc ? *at : found;
    return rc;
}

static bool find_in_queue(struct disk *disk, const struct selection *selection, struct bytes own_id,
                          event_id *at) {
    struct disk_portion portion;
    event_id after = 0;
    bool found = false;
    for (int i = 0; i < CHECK_PORTIONS && !found; i++) {
        (void)disk_queue_forward(&disk->queue, after, UINT64_MAX, UINT64_MAX, &portion);
        for (size_t k = 0; k < portion.count && !found; k++) {
            const struct frame *frame = portion.frames[k];
            after = frame->id;
            if (bytes_equal(frame_own_id(frame), own_id) && selection_concerns(selection, frame)) {
                *at = frame->id;
                found = true;
            }
        }
        disk_portion_release(&portion, 0);
        if (portion.count < DISK_PORTION) {
            break;
        }
    }
    return found;
}

int disk_find(struct past *past, const struct selection *selection, struct bytes own_id,
              event_id *at) {
    struct disk *disk = disk_of_past(past);
    if (own_id.len == 0) {
        return ERR_NOT_FOUND;
    }
    bool waits = find_in_queue(disk, selection, own_id, at);
    return find_in_file(disk, selection, own_id, at) == 0 || waits ? 0 : ERR_NOT_FOUND;
}
