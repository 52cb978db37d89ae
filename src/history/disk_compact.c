// Writing a history's file anew, without its free pages. The old one stays as it is until the new one
// is complete and on disk, and then one rename puts it in its place.
//
// LMDB's copy leaves one of its two heads empty, and takes the head by a number that readers of the
// old file keep alive in lock.mdb: a server that started beside such a reader could find the empty
// one. So the copy is committed to twice, and both heads say the same.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/thread.h"
#include "history/disk_file.h"
#include "history/disk_state.h"
#include "history/disk_tools.h"

enum {
    PATH_ROOM = 4096,
    PIECE = 64 * 1024,
    ROOM_BESIDE = 2 << 20, // what the filesystem needs beside the pages in use
    HEADS = 2,
};

// The copy comes out of a pipe, so that it can be watched, and ended.
struct copying {
    MDB_env *env;
    int in; // where LMDB writes
    int rc;
};

static void *copy_run(void *arg) {
    struct copying *copying = arg;
    copying->rc = mdb_env_copyfd2(copying->env, copying->in, MDB_CP_COMPACT);
    close(copying->in);
    return NULL;
}

static int write_all(int fd, const char *at, size_t len) {
    while (len) {
        ssize_t written = write(fd, at, len);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        at += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

// 0, an errno, or -1: `watch` ended it.
static int drain(int from, int to, uint64_t all, const struct disk_watch *watch, uint64_t *size) {
    char piece[PIECE];
    for (*size = 0;;) {
        ssize_t got = read(from, piece, sizeof(piece));
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return got ? errno : 0;
        }
        int rc = got > 0 ? write_all(to, piece, (size_t)got) : 0;
        if (rc) {
            return rc;
        }
        *size += got > 0 ? (uint64_t)got : 0;
        if (watch->progress && !watch->progress(watch->ctx, *size < all ? *size : all, all)) {
            return -1;
        }
    }
}

static int copy_through(MDB_env *env, int to, uint64_t all, const struct disk_watch *watch,
                        uint64_t *size) {
    int ends[2];
    pthread_t thread;
    if (pipe2(ends, O_CLOEXEC)) {
        return errno;
    }
    struct copying copying = {.env = env, .in = ends[1]};
    if (thread_start(&thread, copy_run, &copying)) {
        close(ends[0]);
        close(ends[1]);
        return EAGAIN;
    }
    int rc = drain(ends[0], to, all, watch, size);
    close(ends[0]); // the copier, if it is still at it, gets an error and ends
    pthread_join(thread, NULL);
    rc = rc ? rc : copying.rc;
    if (rc == 0 && watch->progress) {
        (void)watch->progress(watch->ctx, all, all); // the last of it is the two heads'
    }
    return rc;
}

static int copy_to(const struct disk_file *file, const char *name, uint64_t all,
                   const struct disk_watch *watch) {
    uint64_t size;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    int rc = copy_through(file->env, fd, all, watch, &size);
    rc = rc || fsync(fd) == 0 ? rc : errno;
    close(fd);
    return rc;
}

static int commit_again(struct disk_file *file) {
    struct disk_state state;
    MDB_txn *txn;
    int rc = mdb_txn_begin(file->env, NULL, 0, &txn);
    if (rc) {
        return rc;
    }
    rc = mdb_dbi_open(txn, "meta", 0, &file->meta);
    rc = rc ? rc : disk_state_read(file, txn, &state);
    rc = rc ? rc : disk_state_write(file, txn, &state);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int fill_heads(const char *name) {
    struct disk_file file = {.lock = -1};
    struct stat stat_of;
    int rc = stat(name, &stat_of) ? errno : mdb_env_create(&file.env);
    if (rc) {
        return rc;
    }
    rc = mdb_env_set_maxdbs(file.env, 1);
    rc = rc ? rc : mdb_env_set_mapsize(file.env, (size_t)stat_of.st_size + DISK_BYTES_MIN);
    rc = rc ? rc : mdb_env_open(file.env, name, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
    for (int i = 0; i < HEADS && rc == 0; i++) {
        rc = commit_again(&file);
    }
    mdb_env_close(file.env);
    return rc;
}

static int sync_directory(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

static int size_of(const char *name, uint64_t *size) {
    struct stat stat_of;
    int rc = stat(name, &stat_of) ? errno : 0;
    *size = rc ? 0 : (uint64_t)stat_of.st_size;
    return rc;
}

static int used_bytes(const struct disk_file *file, uint64_t *bytes) {
    MDB_txn *txn;
    int rc = mdb_txn_begin(file->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = disk_file_used(file, txn, bytes);
        mdb_txn_abort(txn);
    }
    return rc;
}

// 0, or ERR_TOO_LARGE with a sentence.
static int find_room(const char *path, uint64_t used, const struct disk_problem *problem) {
    struct statvfs stat;
    uint64_t wanted = used + ROOM_BESIDE;
    if (statvfs(path, &stat) || stat.f_bavail * stat.f_frsize >= wanted) {
        return 0;
    }
    disk_problem(problem,
                 "there is no room for a second copy in %s: it takes %llu MiB, and %llu MiB are "
                 "free; the file was not touched",
                 path, (unsigned long long)(wanted >> 20) + 1,
                 (unsigned long long)(stat.f_bavail * stat.f_frsize >> 20));
    return ERR_TOO_LARGE;
}

// With the lock held, and the old file open for reading. 0, LMDB's errors, or -1.
static int replace(const struct disk_file *file, const char *path, uint64_t used, uint64_t *before,
                   uint64_t *after, const struct disk_watch *watch) {
    char old[PATH_ROOM], new[PATH_ROOM];
    snprintf(old, sizeof(old), "%s/data.mdb", path);
    if ((size_t)snprintf(new, sizeof(new), "%s/data.mdb.new", path) >= sizeof(new)) {
        return ENAMETOOLONG;
    }
    int rc = size_of(old, before);
    rc = rc ? rc : copy_to(file, new, used, watch);
    rc = rc ? rc : fill_heads(new);
    rc = rc ? rc : size_of(new, after);
    rc = rc || rename(new, old) == 0 ? rc : errno;
    if (rc) {
        (void)unlink(new);
    }
    return rc ? rc : sync_directory(path);
}

static int compact(const struct disk_file *file, const char *path, uint64_t *before,
                   uint64_t *after, const struct disk_watch *watch,
                   const struct disk_problem *problem) {
    uint64_t used = 0;
    int rc = used_bytes(file, &used);
    if (rc == 0 && find_room(path, used, problem)) {
        return ERR_TOO_LARGE;
    }
    rc = rc ? rc : replace(file, path, used, before, after, watch);
    if (rc == -1) {
        disk_problem(problem, "it was interrupted; the file is as it was");
        return ERR_GONE;
    }
    if (rc) {
        disk_problem(problem, "%s could not be written anew: %s; the file is as it was", path,
                     mdb_strerror(rc));
    }
    return rc ? ERR_SYSTEM : 0;
}

int disk_compact(const char *path, uint64_t *before, uint64_t *after,
                 const struct disk_watch *watch, char *text, size_t text_size) {
    static const struct disk_watch nobody = {0};
    struct disk_problem problem = {.text = text, .size = text_size};
    struct disk_file file;
    int lock = -1;
    *before = *after = 0;
    int rc = disk_file_open_reader(&file, path, &problem);
    if (rc) {
        return rc;
    }
    rc = disk_file_lock(path, &lock, &problem);
    if (rc == 0) {
        rc = compact(&file, path, before, after, watch ? watch : &nobody, &problem);
        close(lock);
    }
    disk_file_close(&file);
    return rc;
}
