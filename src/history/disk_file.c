// Opening, in an order in which a refusal has changed nothing: look at the file, take the lock, open
// for reading and ask what it is, and only then open for writing.
#include "history/disk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "history/disk_state.h"

enum {
    TABLES = 10,
    TABLES_AT_FIRST = 8, // a file of the first format has no others, until it is written to
    PATH_ROOM = 4096,
};

struct table {
    const char *name;
    size_t at; // in struct disk_file
};

static const struct table tables[TABLES] = {
    {"meta", offsetof(struct disk_file, meta)},
    {"events", offsetof(struct disk_file, events)},
    {"topics", offsetof(struct disk_file, topics)},
    {"index", offsetof(struct disk_file, index)},
    {"own_ids", offsetof(struct disk_file, own_ids)},
    {"once", offsetof(struct disk_file, once)},
    {"floors", offsetof(struct disk_file, floors)},
    {"purges", offsetof(struct disk_file, purges)},
    {"keys", offsetof(struct disk_file, keys)},
    {"values", offsetof(struct disk_file, values)},
};

void disk_problem(const struct disk_problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(problem->text, problem->size, format, args);
    va_end(args);
}

static MDB_dbi *handle_of(struct disk_file *file, const struct table *table) {
    return (MDB_dbi *)(void *)((char *)file + table->at);
}

static int open_tables(struct disk_file *file, MDB_txn *txn, unsigned flags) {
    int rc = 0;
    for (int i = 0; i < TABLES && rc == 0; i++) {
        rc = mdb_dbi_open(txn, tables[i].name, flags, handle_of(file, &tables[i]));
        if (rc == MDB_NOTFOUND && i >= TABLES_AT_FIRST) {
            *handle_of(file, &tables[i]) = 0;
            rc = 0;
        }
    }
    return rc;
}

// No read-ahead is switched off: replay reads in order, and that is what it is good for. Reading
// transactions belong to no thread, so that a worker may take any that is idle.
static int open_env(struct disk_file *file, const char *path, uint64_t bytes, unsigned flags) {
    int rc = mdb_env_create(&file->env);
    if (rc) {
        file->env = NULL;
        return rc;
    }
    rc = mdb_env_set_maxdbs(file->env, TABLES);
    rc = rc ? rc : mdb_env_set_maxreaders(file->env, DISK_READERS);
    if (rc == 0 && bytes) {
        rc = mdb_env_set_mapsize(file->env, bytes);
    }
    rc = rc ? rc : mdb_env_open(file->env, path, flags | MDB_NOTLS, 0600);
    rc = rc ? rc : mdb_env_get_fd(file->env, &file->fd);
    return rc;
}

static void close_env(struct disk_file *file) {
    if (file->env) {
        mdb_env_close(file->env);
        file->env = NULL;
    }
}

static int say(const char *path, int rc, const struct disk_problem *problem) {
    const char *what = rc == MDB_NOTFOUND || rc == MDB_INVALID || rc == MDB_INCOMPATIBLE
                           ? "is LMDB's, but it is not a history of freshet; it was not touched"
                       : rc == MDB_VERSION_MISMATCH
                           ? "was written by a newer freshet: use that one; it was not touched"
                           : NULL;
    if (what) {
        disk_problem(problem, "%s/data.mdb %s", path, what);
        return ERR_INVALID;
    }
    disk_problem(problem, "%s/data.mdb cannot be opened: %s", path, mdb_strerror(rc));
    return rc == ENOMEM ? ERR_NOMEM : ERR_SYSTEM;
}

// Asks a file that exists what it is, without writing. Its own map size comes back.
static int ask(const char *path, bool *fresh, uint64_t *least) {
    struct disk_file file = {.lock = -1};
    struct disk_state state;
    MDB_envinfo info;
    MDB_stat stat;
    MDB_txn *txn = NULL;
    int rc = open_env(&file, path, 0, MDB_RDONLY | MDB_NOLOCK);
    rc = rc ? rc : mdb_txn_begin(file.env, NULL, MDB_RDONLY, &txn);
    rc = rc ? rc : mdb_stat(txn, 1, &stat);
    if (rc == 0) {
        *fresh = stat.ms_entries == 0; // LMDB had made it, and nobody wrote
        rc = *fresh ? 0 : open_tables(&file, txn, 0);
        rc = rc || *fresh ? rc : disk_state_read(&file, txn, &state);
        (void)mdb_env_info(file.env, &info);
        *least = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    }
    if (txn) {
        mdb_txn_abort(txn);
    }
    close_env(&file);
    return rc;
}

static int make_directory(const char *path, const struct disk_problem *problem) {
    struct stat stat_of;
    if (mkdir(path, 0700) && errno != EEXIST) {
        disk_problem(problem, "%s cannot be made: %s", path, strerror(errno));
        return ERR_SYSTEM;
    }
    if (stat(path, &stat_of) || !S_ISDIR(stat_of.st_mode)) {
        disk_problem(problem, "%s is not a directory", path);
        return ERR_INVALID;
    }
    return 0;
}

static int look(const char *path, bool *exists, uint64_t *least,
                const struct disk_problem *problem) {
    char name[PATH_ROOM];
    struct stat stat_of;
    bool fresh = true;
    if ((size_t)snprintf(name, sizeof(name), "%s/data.mdb", path) >= sizeof(name)) {
        disk_problem(problem, "the directory's path is too long");
        return ERR_TOO_LARGE;
    }
    int rc = disk_file_inspect(name, problem);
    *exists = rc == 0 && stat(name, &stat_of) == 0 && stat_of.st_size > 0;
    *least = 0;
    if (rc == 0 && *exists) {
        rc = ask(path, &fresh, least);
        rc = rc ? say(path, rc, problem) : 0;
    }
    return rc;
}

static int open_tables_in_txn(struct disk_file *file, unsigned txn_flags, unsigned flags) {
    MDB_txn *txn;
    MDB_stat stat;
    int rc = mdb_txn_begin(file->env, NULL, txn_flags, &txn);
    if (rc) {
        return rc;
    }
    rc = open_tables(file, txn, flags);
    rc = rc ? rc : mdb_stat(txn, file->meta, &stat);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    file->page_bytes = stat.ms_psize;
    return mdb_txn_commit(txn);
}

static int open_to_write(struct disk_file *file, const char *path, uint64_t bytes, uint64_t least) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    bytes = bytes < DISK_BYTES_MIN ? DISK_BYTES_MIN : bytes;
    // A file that is larger than it may be needs room to become smaller in use.
    bytes = bytes < least + DISK_BYTES_MIN ? least + DISK_BYTES_MIN : bytes;
    bytes = bytes > SIZE_MAX / 2 ? SIZE_MAX / 2 : bytes;
    file->map_bytes = bytes / page * page;
    int rc = open_env(file, path, file->map_bytes, 0);
    struct stat stat_of;
    int dead;
    rc = rc ? rc : mdb_reader_check(file->env, &dead);
    if (rc == 0 && fstat(file->fd, &stat_of) == 0) {
        file->size = (uint64_t)stat_of.st_size;
    }
    if (rc == 0) {
        // A full disk need not matter yet: the file may have free pages.
        rc = disk_file_reserve(file, DISK_BYTES_MIN / 2);
        rc = least ? 0 : rc;
    }
    return rc ? rc : open_tables_in_txn(file, 0, MDB_CREATE);
}

int disk_file_open(struct disk_file *file, const char *path, uint64_t bytes,
                   const struct disk_problem *problem) {
    bool exists;
    uint64_t least;
    *file = (struct disk_file){.lock = -1};
    int rc = make_directory(path, problem);
    rc = rc ? rc : look(path, &exists, &least, problem);
    rc = rc ? rc : disk_file_lock(path, &file->lock, problem);
    // Again, now that nobody else can be writing.
    rc = rc ? rc : look(path, &exists, &least, problem);
    if (rc == 0) {
        rc = open_to_write(file, path, bytes, least);
        rc = rc ? say(path, rc, problem) : 0;
    }
    if (rc) {
        disk_file_close(file);
    }
    return rc;
}

int disk_file_open_reader(struct disk_file *file, const char *path,
                          const struct disk_problem *problem) {
    bool exists;
    uint64_t least;
    *file = (struct disk_file){.lock = -1};
    int rc = look(path, &exists, &least, problem);
    if (rc == 0 && !exists) {
        disk_problem(problem, "%s holds no history", path);
        return ERR_NOT_FOUND;
    }
    if (rc == 0) {
        rc = open_env(file, path, 0, MDB_RDONLY);
        rc = rc ? rc : open_tables_in_txn(file, MDB_RDONLY, 0);
        rc = rc ? say(path, rc, problem) : 0;
    }
    if (rc) {
        disk_file_close(file);
    }
    return rc;
}

void disk_file_close(struct disk_file *file) {
    close_env(file);
    if (file->lock >= 0) {
        close(file->lock);
        file->lock = -1;
    }
}

int disk_file_used(const struct disk_file *file, MDB_txn *txn, uint64_t *bytes) {
    // LMDB's own two, then ours in the order in which they were opened.
    const MDB_dbi all[TABLES + 2] = {0,
                                     1,
                                     file->meta,
                                     file->events,
                                     file->topics,
                                     file->index,
                                     file->own_ids,
                                     file->once,
                                     file->floors,
                                     file->purges,
                                     file->keys,
                                     file->values};
    uint64_t pages = 2;
    for (int i = 0; i < TABLES + 2; i++) {
        MDB_stat stat;
        if (i >= 2 && all[i] == 0) {
            continue; // it is not there
        }
        int rc = mdb_stat(txn, all[i], &stat);
        if (rc) {
            return rc;
        }
        pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    }
    *bytes = pages * file->page_bytes;
    return 0;
}

// Blocks, not only a length, so that a full disk shows here and not in the middle of a commit; where
// the filesystem cannot, the length has to do.
static int grow(struct disk_file *file, uint64_t size) {
    int rc = posix_fallocate(file->fd, (off_t)file->size, (off_t)(size - file->size));
    if (rc == EOPNOTSUPP || rc == EINVAL) {
        rc = ftruncate(file->fd, (off_t)size) ? errno : 0;
    }
    return rc;
}

int disk_file_reserve(struct disk_file *file, uint64_t more) {
    MDB_envinfo info;
    int rc = mdb_env_info(file->env, &info);
    if (rc) {
        return rc;
    }
    uint64_t page = file->page_bytes ? file->page_bytes : (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t step = file->map_bytes / 8;
    step = step < DISK_GROWTH_BYTES ? step : DISK_GROWTH_BYTES;
    uint64_t least = ((uint64_t)info.me_last_pgno + 1) * page + more;
    uint64_t wanted = least + step - least % step;
    least = least > file->map_bytes ? file->map_bytes : least;
    wanted = wanted > file->map_bytes ? file->map_bytes : wanted;
    if (least <= file->size) {
        return 0;
    }
    rc = grow(file, wanted);
    if (rc && least < wanted) {
        wanted = least; // a step is too much: what is needed may not be
        rc = grow(file, wanted);
    }
    file->size = rc ? file->size : wanted;
    return rc;
}

int disk_file_free(const struct disk_file *file, uint64_t used, uint64_t *bytes) {
    MDB_envinfo info;
    int rc = mdb_env_info(file->env, &info);
    uint64_t all = rc ? 0 : ((uint64_t)info.me_last_pgno + 1) * file->page_bytes;
    *bytes = all > used ? all - used : 0;
    return rc;
}
