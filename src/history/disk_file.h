// The file: an LMDB environment in a directory, and its tables. Whoever opens it for writing holds
// DIR/lock, so that two processes never write to one. Errors are LMDB's (0, its own negative ones,
// or an errno), except where a sentence is asked for.
#ifndef HISTORY_DISK_FILE_H
#define HISTORY_DISK_FILE_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/id.h"

enum {
    DISK_KEY = 8,                 // an id, big-endian
    DISK_BYTES_MIN = 1 << 20,     // the least that a file may be bounded to
    DISK_READERS = 1024,          // reads at one time, of all processes
    DISK_GROWTH_BYTES = 16 << 20, // steps in which the file grows
};

struct disk_file {
    MDB_env *env;
    int lock;           // the descriptor of DIR/lock, -1: opened for reading
    int fd;             // of data.mdb; LMDB's
    uint64_t map_bytes; // the file is never larger
    uint64_t page_bytes;
    uint64_t size;   // of the file; the writer's
    MDB_dbi meta;    // "state" and the like
    MDB_dbi events;  // id -> holders (1 byte) and the record
    MDB_dbi topics;  // name -> struct disk_topic_record
    MDB_dbi index;   // topic's number and an id -> the ids from there on, at most DISK_CHUNK_IDS
    MDB_dbi own_ids; // publisher's id, topic's number, id -> nothing
    MDB_dbi once;    // id -> its key against repetition
    MDB_dbi floors;  // bucket's number / 64 -> 64 floors
    MDB_dbi purges;  // name -> up to which id it is being purged
    MDB_dbi keys;    // topic's number and a key's hash -> the newest event of that key
    MDB_dbi values;  // topic's number (or 0) and the id of such an event -> nothing (or how many)
};

// A sentence for people.
struct disk_problem {
    char *text;
    size_t size;
};
void disk_problem(const struct disk_problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Opens, or makes when there is none, with a file of at most `bytes`. 0 or a negative error
// (base/error.h) with a sentence, and then nothing was changed.
int disk_file_open(struct disk_file *file, const char *path, uint64_t bytes,
                   const struct disk_problem *problem);

// Opens for reading, also beside a process that writes.
int disk_file_open_reader(struct disk_file *file, const char *path,
                          const struct disk_problem *problem);

void disk_file_close(struct disk_file *file);

// Bytes in use, as the transaction sees it: all tables and what keeps track of free pages.
int disk_file_used(const struct disk_file *file, MDB_txn *txn, uint64_t *bytes);

// Makes the file so long that `more` can be written behind its last page. A file is never shorter
// than it claims to be, so that a shorter one is known to be damaged before it is mapped.
int disk_file_reserve(struct disk_file *file, uint64_t more);

// Bytes of pages that are in the file and free, given those in use.
int disk_file_free(const struct disk_file *file, uint64_t used, uint64_t *bytes);

// 0 or a negative error with a sentence: whether DIR/data.mdb, when there is one, is a whole file of
// LMDB's. Reads only.
int disk_file_inspect(const char *file, const struct disk_problem *problem);

// Takes DIR/lock: 0 or a negative error with a sentence.
int disk_file_lock(const char *path, int *fd, const struct disk_problem *problem);

static inline void disk_put_number(unsigned char *at, uint64_t number) {
    for (int i = 7; i >= 0; i--, number >>= 8) {
        at[i] = (unsigned char)number;
    }
}

static inline uint64_t disk_get_number(const void *bytes) {
    const unsigned char *at = bytes;
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

static inline MDB_val disk_val(const void *at, size_t size) {
    union {
        const void *given;
        void *taken;
    } pass = {.given = at}; // LMDB only reads it
    return (MDB_val){.mv_data = pass.taken, .mv_size = size};
}

#endif
