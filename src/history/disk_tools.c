// What the command line does with a file that perhaps belongs to a running server.
#include "history/disk_tools.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/error.h"
#include "history/disk_check.h"
#include "history/disk_state.h"
#include "hub/frame_record.h"

struct disk_reader {
    const struct mem *mem;
    struct disk_file file;
};

int disk_reader_open(struct disk_reader **out, const struct mem *mem, const char *path, char *text,
                     size_t text_size) {
    struct disk_problem problem = {.text = text, .size = text_size};
    struct disk_reader *reader = mem_new(mem, sizeof(*reader));
    if (!reader) {
        disk_problem(&problem, "there is no memory");
        return ERR_NOMEM;
    }
    reader->mem = mem;
    int rc = disk_file_open_reader(&reader->file, path, &problem);
    if (rc) {
        mem_free(mem, reader);
        return rc;
    }
    *out = reader;
    return 0;
}

void disk_reader_close(struct disk_reader **reader) {
    if (*reader) {
        disk_file_close(&(*reader)->file);
        mem_free((*reader)->mem, *reader);
        *reader = NULL;
    }
}

// A server that started after this reader may have let the file grow beyond what is mapped here.
static int begin(struct disk_reader *reader, MDB_txn **txn) {
    int rc = mdb_txn_begin(reader->file.env, NULL, MDB_RDONLY, txn);
    if (rc == MDB_MAP_RESIZED) {
        rc = mdb_env_set_mapsize(reader->file.env, 0);
        rc = rc ? rc : mdb_txn_begin(reader->file.env, NULL, MDB_RDONLY, txn);
    }
    return rc;
}

static event_id end_of(struct disk_reader *reader, MDB_txn *txn, MDB_cursor_op op) {
    MDB_cursor *cursor;
    MDB_val key, value;
    event_id id = 0;
    if (mdb_cursor_open(txn, reader->file.events, &cursor) == 0) {
        id = mdb_cursor_get(cursor, &key, &value, op) ? 0 : disk_get_number(key.mv_data);
        mdb_cursor_close(cursor);
    }
    return id;
}

static int summarise(struct disk_reader *reader, MDB_txn *txn, struct disk_summary *out) {
    struct disk_state state;
    MDB_stat events, topics;
    MDB_envinfo info;
    struct stat stat;
    int rc = disk_state_read(&reader->file, txn, &state);
    rc = rc ? rc : mdb_stat(txn, reader->file.events, &events);
    rc = rc ? rc : mdb_stat(txn, reader->file.topics, &topics);
    rc = rc ? rc : mdb_env_info(reader->file.env, &info);
    rc = rc ? rc : disk_file_used(&reader->file, txn, &out->used_bytes);
    rc = rc || fstat(reader->file.fd, &stat) == 0 ? rc : errno;
    if (rc) {
        return rc;
    }
    out->events = events.ms_entries;
    out->topics = topics.ms_entries;
    out->file_bytes = (uint64_t)stat.st_size;
    out->map_bytes = info.me_mapsize;
    out->oldest = end_of(reader, txn, MDB_FIRST);
    out->newest = end_of(reader, txn, MDB_LAST);
    out->stored = state.newest;
    out->clean = state.clean;
    out->holes = state.holes.count;
    return 0;
}

int disk_reader_summary(struct disk_reader *reader, struct disk_summary *out) {
    MDB_txn *txn;
    *out = (struct disk_summary){0};
    int rc = begin(reader, &txn);
    if (rc == 0) {
        rc = summarise(reader, txn, out);
        mdb_txn_abort(txn);
    }
    return rc ? ERR_SYSTEM : 0;
}

// Puts the event into the batch. False when the batch is full.
static int take(struct disk_reader *reader, const MDB_val *key, const MDB_val *value,
                size_t *bytes_left, struct past_batch *batch, uint64_t *damaged) {
    struct frame_record record;
    struct frame *frame;
    const char *at = value->mv_data;
    event_id id = disk_get_number(key->mv_data);
    if (value->mv_size < 2 || frame_record_open(&record, bytes_make(at + 1, value->mv_size - 1)) ||
        !frame_record_intact(&record)) {
        ++*damaged;
        batch->reached = id;
        return 0;
    }
    if (batch->count == PAST_BATCH || (batch->count && record.stream.len > *bytes_left)) {
        return MDB_NOTFOUND;
    }
    if (frame_record_frame(&record, reader->mem, id, &frame)) {
        return ENOMEM;
    }
    *bytes_left -= frame->size < *bytes_left ? frame->size : *bytes_left;
    batch->frames[batch->count++] = frame;
    batch->reached = id;
    return 0;
}

static int read_batch(struct disk_reader *reader, MDB_txn *txn, size_t bytes_left,
                      struct past_batch *batch, uint64_t *damaged) {
    MDB_cursor *cursor;
    unsigned char bytes[DISK_KEY];
    int rc = mdb_cursor_open(txn, reader->file.events, &cursor);
    if (rc) {
        return rc;
    }
    disk_put_number(bytes, batch->reached + 1);
    MDB_val key = disk_val(bytes, DISK_KEY), value;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0) {
        rc = take(reader, &key, &value, &bytes_left, batch, damaged);
        rc = rc ? rc : mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND || (rc == ENOMEM && batch->count) ? 0 : rc;
}

int disk_reader_next(struct disk_reader *reader, event_id after, size_t max_bytes,
                     struct past_batch *batch, uint64_t *damaged) {
    MDB_txn *txn;
    batch->count = 0;
    batch->reached = after;
    batch->floor = 0;
    if (after == UINT64_MAX) {
        return 0;
    }
    int rc = begin(reader, &txn);
    if (rc == 0) {
        rc = read_batch(reader, txn, max_bytes, batch, damaged);
        mdb_txn_abort(txn);
    }
    return rc == 0 ? 0 : rc == ENOMEM ? ERR_NOMEM : ERR_SYSTEM;
}

int disk_reader_check(struct disk_reader *reader, struct disk_check *out,
                      const struct disk_watch *watch) {
    static const struct disk_watch nobody = {0};
    struct disk_state state;
    MDB_txn *txn;
    int rc = begin(reader, &txn);
    if (rc) {
        return ERR_SYSTEM;
    }
    rc = disk_state_read(&reader->file, txn, &state);
    rc = rc ? rc : disk_check_file(&reader->file, txn, &state.key, out, watch ? watch : &nobody);
    mdb_txn_abort(txn);
    bool damaged = rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_PAGE_FULL ||
                   rc == MDB_CURSOR_FULL || rc == MDB_BAD_TXN || rc == MDB_INVALID;
    return rc == 0 ? 0 : rc == -1 ? ERR_GONE : damaged ? ERR_INVALID : ERR_SYSTEM;
}
