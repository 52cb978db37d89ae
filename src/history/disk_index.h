// Which events a topic has: their ids in rising order, in chunks. A topic is a queue: ids come at its
// end and leave at its front, so leaving costs nothing until a whole chunk has gone; and a group
// adds all ids of a topic at once. Errors are LMDB's.
#ifndef HISTORY_DISK_INDEX_H
#define HISTORY_DISK_INDEX_H

#include "history/disk_file.h"

enum { DISK_CHUNK_IDS = 120 }; // four full chunks to a page

// Ids of one topic, in the file; valid until the transaction ends or writes.
struct disk_chunk {
    const char *at;
    uint32_t count; // 0: there are no more
};

static inline event_id disk_chunk_id(const struct disk_chunk *chunk, uint32_t place) {
    event_id id;
    __builtin_memcpy(&id, chunk->at + (size_t)place * sizeof(id), sizeof(id));
    return id;
}

// The chunk in which the first id above `after` lies, and its place there. A chunk of no ids when
// there is none.
int disk_index_seek(MDB_cursor *cursor, uint64_t topic, event_id after, struct disk_chunk *chunk,
                    uint32_t *place);

// The chunk in which the last id up to `upto` lies.
int disk_index_seek_back(MDB_cursor *cursor, uint64_t topic, event_id upto,
                         struct disk_chunk *chunk, uint32_t *place);

// Adds rising ids, above all others. *tail is the first id of the last chunk, 0 at first.
int disk_index_append(MDB_cursor *cursor, uint64_t topic, event_id *tail, const event_id *ids,
                      size_t count);

// Deletes at most `most` chunks that hold nothing above `gone`. True in *rest when there are more.
int disk_index_trim(MDB_cursor *cursor, uint64_t topic, event_id gone, size_t most, bool *rest);

#endif
