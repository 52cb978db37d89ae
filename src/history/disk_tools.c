// What the command line does with a file that perhaps belongs to a running server.
#include "history/disk_tools.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "history/disk_check.h"
#include "history/disk_state.h"
#include "hub/frame_record.h"

enum { PATH_ROOM = 4096 };

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
    int rc = mdb_txn_begin(reader->file.env, NULL, MDB_RDONLY, &txn);
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
    if (value->mv_size < 2 || frame_record_open(&record, bytes_make(at + 1, value->mv_size - 1))) {
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
    int rc = mdb_txn_begin(reader->file.env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = read_batch(reader, txn, max_bytes, batch, damaged);
        mdb_txn_abort(txn);
    }
    return rc == 0 ? 0 : rc == ENOMEM ? ERR_NOMEM : ERR_SYSTEM;
}

int disk_reader_check(struct disk_reader *reader, struct disk_check *out, disk_progress *progress,
                      void *ctx) {
    struct disk_state state;
    MDB_txn *txn;
    int rc = mdb_txn_begin(reader->file.env, NULL, MDB_RDONLY, &txn);
    if (rc) {
        return ERR_SYSTEM;
    }
    rc = disk_state_read(&reader->file, txn, &state);
    rc = rc ? rc : disk_check_file(&reader->file, txn, &state.key, out, progress, ctx);
    mdb_txn_abort(txn);
    return rc == 0 ? 0 : rc == -1 ? ERR_GONE : ERR_SYSTEM;
}

static int sync_directory(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

static int copy_to(const struct disk_file *file, const char *name, uint64_t *size) {
    struct stat stat;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    int rc = mdb_env_copyfd2(file->env, fd, MDB_CP_COMPACT);
    rc = rc || (fsync(fd) == 0 && fstat(fd, &stat) == 0) ? rc : errno;
    *size = rc ? 0 : (uint64_t)stat.st_size;
    close(fd);
    return rc;
}

// With the lock held, and the old file open for reading.
static int replace(const struct disk_file *file, const char *path, uint64_t *before,
                   uint64_t *after) {
    char old[PATH_ROOM], new[PATH_ROOM];
    struct stat stat;
    snprintf(old, sizeof(old), "%s/data.mdb", path);
    if ((size_t)snprintf(new, sizeof(new), "%s/data.mdb.new", path) >= sizeof(new)) {
        return ENAMETOOLONG;
    }
    int rc = fstat(file->fd, &stat) ? errno : copy_to(file, new, after);
    *before = rc ? 0 : (uint64_t)stat.st_size;
    rc = rc || rename(new, old) == 0 ? rc : errno;
    if (rc) {
        (void)unlink(new);
    }
    return rc ? rc : sync_directory(path);
}

int disk_compact(const char *path, uint64_t *before, uint64_t *after, char *text,
                 size_t text_size) {
    struct disk_problem problem = {.text = text, .size = text_size};
    struct disk_file file;
    int lock = -1;
    int rc = disk_file_open_reader(&file, path, &problem);
    if (rc) {
        return rc;
    }
    rc = disk_file_lock(path, &lock, &problem);
    if (rc == 0) {
        rc = replace(&file, path, before, after);
        if (rc) {
            disk_problem(&problem, "%s could not be written anew: %s", path, mdb_strerror(rc));
            rc = ERR_SYSTEM;
        }
        close(lock);
    }
    disk_file_close(&file);
    return rc;
}
