// One look at the history on disk: a snapshot of the file, and what is known of purges, both taken
// at its beginning and given back at its end. What still waits to be written is the queue's.
// Errors are LMDB's.
#ifndef HISTORY_DISK_VIEW_H
#define HISTORY_DISK_VIEW_H

#include "history/disk_group.h"
#include "history/disk_merge.h"

struct disk_view {
    struct disk *disk;
    MDB_txn *txn;
    MDB_cursor *events, *index;
    MDB_cursor *values; // opened when it is asked for
    event_id newest;    // the snapshot has everything up to here
    struct disk_purged purged;
};

int disk_view_begin(struct disk_view *view, struct disk *disk);
void disk_view_end(struct disk_view *view);

// A topic's record, with `gone` and `floor` as they are after purges. MDB_NOTFOUND when it has
// nothing.
int disk_view_topic(struct disk_view *view, const struct topic_name *name,
                    struct disk_topic_record *record);

// Whether a merge can serve the selection, and begins it.
bool disk_view_merges(const struct selection *selection);
int disk_view_merge(struct disk_view *view, struct disk_merge *merge,
                    const struct selection *selection, event_id from, bool backward);

// The event with this id, which is often the next in the file: 0, MDB_NOTFOUND, or MDB_CORRUPTED
// when its record is damaged.
int disk_view_event(struct disk_view *view, event_id id, struct frame_record *record);

// The event at the cursor that was just moved by `op` (from `id` for MDB_SET_RANGE).
int disk_view_step(struct disk_view *view, MDB_cursor_op op, event_id *id,
                   struct frame_record *record);

// Whether anything in the selection hears it, and lets it through. False when what would have is
// being purged.
bool disk_view_hears(const struct disk_view *view, const struct selection *selection,
                     const struct frame_record *record, event_id id);

// Whether the event, which is of a topic of the selection, is the newest of its key there, or has
// none: 0, MDB_NOTFOUND when it is neither.
int disk_view_newest(struct disk_view *view, const struct selection *selection,
                     const struct frame_record *record, event_id id);

// Opens the cursor `values`.
int disk_view_values(struct disk_view *view);

// The floor of the selection.
int disk_view_floor(struct disk_view *view, const struct selection *selection, event_id *floor);

#endif
