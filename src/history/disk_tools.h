// The file of a history for the command line: read it in order, check it, make it smaller. Reading
// and checking also work beside a server that writes. Not for threads.
#ifndef HISTORY_DISK_TOOLS_H
#define HISTORY_DISK_TOOLS_H

#include "hub/past.h"

struct disk_reader;

struct disk_summary {
    uint64_t events, topics;
    uint64_t used_bytes, file_bytes, map_bytes; // in use; the file's length; what it may grow to
    event_id oldest, newest;                    // held; 0 without events
    event_id stored; // everything up to here is in the file, or in a hole, or was dropped
    bool clean;      // whoever wrote it last ended in order (or is still writing: false)
    uint32_t holes;
};

// What a check found. Anything but 0 beyond `events` and `topics` is wrong.
struct disk_check {
    uint64_t events, topics; // looked at
    uint64_t damaged;        // records that are not what was written
    uint64_t not_indexed;    // events that fewer or more topics hold than they say
    uint64_t missing;        // ids in the index without an event
    uint64_t miscounted;     // topics whose counts are wrong
    uint64_t own_ids;        // entries of publishers' ids that lead nowhere
    uint64_t keys;           // entries of keys that do not lead to the newest event
};

enum disk_fault {
    DISK_FAULT_RECORD,      // an event is not what was written
    DISK_FAULT_NOT_INDEXED, // an event that fewer or more topics hold than it says
    DISK_FAULT_MISSING,     // a topic's id without an event
    DISK_FAULT_COUNT,       // a topic's counts are wrong
    DISK_FAULT_OWN_ID,      // a publisher's id leads nowhere
    DISK_FAULT_KEY,         // a key does not lead to its newest event
};

// One thing that is wrong, and where.
struct disk_finding {
    enum disk_fault fault;
    event_id id;       // of the event; 0: it is about a topic
    struct bytes name; // the topic's, or the publisher's id; .len 0: none. For that call
};

// Who wants to know while it goes on. Any may be NULL.
struct disk_watch {
    // Called now and then with how far it is; returns false to end it.
    bool (*progress)(void *ctx, uint64_t done, uint64_t all);
    void (*found)(void *ctx, const struct disk_finding *finding);
    void *ctx;
};

// 0 or a negative error, and `problem` is a sentence. Nothing is written (LMDB's lock.mdb apart).
int disk_reader_open(struct disk_reader **out, const struct mem *mem, const char *path,
                     char *problem, size_t problem_size);
// NULLs the pointer.
void disk_reader_close(struct disk_reader **reader);

// 0 or ERR_SYSTEM.
int disk_reader_summary(struct disk_reader *reader, struct disk_summary *out);

// The next events after this id, at most PAST_BATCH and max_bytes (but at least one), oldest first;
// none at the end. Each call has a snapshot of its own, so a long walk keeps nothing alive. Damaged
// records are passed over and added to *damaged. batch->reached is where to go on; the floor is 0.
// 0, ERR_NOMEM or ERR_SYSTEM.
int disk_reader_next(struct disk_reader *reader, event_id after, size_t max_bytes,
                     struct past_batch *batch, uint64_t *damaged);

// Reads everything in one snapshot, while which a server's file grows. 0; ERR_INVALID when the pages
// themselves are damaged, so that it found no end; ERR_GONE when `progress` ended it; ERR_SYSTEM.
int disk_reader_check(struct disk_reader *reader, struct disk_check *out,
                      const struct disk_watch *watch);

// Writes the file anew without free pages and puts it in the place of the old one, at once or not at
// all. Takes the directory's lock: no server may have it; who reads goes on reading the old one. 0,
// or a negative error with a sentence (ERR_GONE: `progress`, in bytes, ended it); then the old file
// is as it was.
int disk_compact(const char *path, uint64_t *before, uint64_t *after,
                 const struct disk_watch *watch, char *problem, size_t problem_size);

#endif
