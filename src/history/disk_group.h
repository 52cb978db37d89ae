// A group: what one transaction does. It takes what waits, gives it its place in the tables, drops
// what the limits push out, and is committed as a whole or not at all. The writer's thread only.
// Errors are LMDB's.
#ifndef HISTORY_DISK_GROUP_H
#define HISTORY_DISK_GROUP_H

#include "base/list.h"
#include "base/map.h"
#include "history/disk_private.h"
#include "hub/frame_record.h"

enum { GROUP_EVENTS = 100000 };

// As it is in the file.
struct disk_topic_record {
    uint64_t number;
    uint64_t events, bytes; // held, and their records'
    event_id newest;
    event_id gone;  // nothing up to here is held
    event_id floor; // nothing above it was dropped
    event_id tail;  // the index's last chunk
};

// A topic that this group has touched.
struct disk_topic {
    struct map_node node;
    struct list link;
    struct disk_topic_record record;
    struct floor_prefixes prefixes;
    const struct topic_limits *limits;
    event_id purged; // up to here, on somebody's word
    bool stored;     // the file has a record of it
    event_id *added; // by this group, not yet in the index
    size_t added_count, added_cap;
    uint16_t name_len;
    char name[];
};

// What the writer wants of a group.
struct disk_task {
    int64_t now;
    size_t frames_max; // 0: only drop
    bool squeeze;      // drops more than the bounds ask for
    bool clean;        // the last one
    bool renew;        // the ceiling, at least
};

struct disk_group {
    struct disk *disk;
    const struct disk_task *task;
    MDB_txn *txn;
    MDB_cursor *events, *index;
    struct disk_state state; // as it will be
    struct map topics;
    struct list touched;
    uint64_t bytes_max; // of records
    size_t frames;      // taken from the queue
    size_t drops;       // still allowed
    bool changed;       // something has to be committed
    bool more;          // something is left to do
    uint64_t dropped[DISK_REASONS];
    uint64_t purges;    // the number of the last one that it knows of
    size_t ended_count; // purges that are over with this group
    struct {
        uint64_t hash;
        event_id upto;
    } ended[DISK_PURGES_MAX];
};

// Writes one, commits it, and tells the queue. *more: there is more to do at once.
int disk_group_run(struct disk *disk, const struct disk_task *task, bool *more);

// The topic of this name, with what the file knows of it.
int disk_group_touch(struct disk_group *group, const struct topic_name *name,
                     struct disk_topic **out);
struct topic_name disk_topic_name(const struct disk_topic *topic);

// Reads the record of a topic: 0 or LMDB's error.
int disk_topic_find(const struct disk_file *file, MDB_txn *txn, struct bytes name,
                    struct disk_topic_record *record);

// The dropping half. A topic's oldest, until it keeps to its limits:
int disk_drop_from(struct disk_group *group, struct disk_topic *topic);
// The oldest of all, while they are too old, or until there is room:
int disk_drop_by_age(struct disk_group *group);
int disk_drop_for_room(struct disk_group *group);
// What topics with ages of their own have kept too long, a portion of them:
int disk_drop_sweep(struct disk_group *group);
// What is being purged, and afterwards which purges are over.
int disk_drop_purged(struct disk_group *group);
int disk_drop_end_purges(struct disk_group *group);

#endif
