// A look at a file before LMDB maps it: whether it is LMDB's at all, of the version and for the
// machine that it says, and as long as it claims. A map over a file that is cut short ends the
// process with a signal, so this has to be known before. It only reads.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "history/disk.h"
#include "history/disk_file.h"

static const uint32_t MAGIC = 0xBEEFC0DE;

enum { VERSION = 1, PAGE_META = 0x08, PAGE_LEAST = 512, PAGE_MOST = 65536 };

// The first bytes of each of the two pages that head a file. The layout is LMDB's file format.
struct meta_page {
    size_t number;
    uint16_t pad, flags;
    uint32_t bounds;
    uint32_t magic, version;
    void *address;
    size_t map_bytes;
    struct {
        uint32_t pad;
        uint16_t flags, depth;
        size_t branches, leaves, overflows, entries, root;
    } trees[2]; // the pad of the first is the size of a page
    size_t last_page, transaction;
};

static bool is_meta(const struct meta_page *page) {
    return (page->flags & PAGE_META) && page->magic == MAGIC && page->version == VERSION;
}

static int refuse(const char *file, const char *what, const struct disk_problem *problem) {
    disk_problem(problem, "%s %s; it was not touched", file, what);
    return ERR_INVALID;
}

static int inspect(int fd, const char *file, const struct disk_problem *problem) {
    struct meta_page pages[2] = {0};
    struct stat stat;
    if (fstat(fd, &stat) || pread(fd, &pages[0], sizeof(pages[0]), 0) < 0) {
        disk_problem(problem, "%s cannot be read: %s", file, strerror(errno));
        return ERR_SYSTEM;
    }
    if (!S_ISREG(stat.st_mode)) {
        return refuse(file, "is not a file", problem);
    }
    if (stat.st_size == 0) {
        return 0; // a start that was interrupted before the first page was written
    }
    if (!(pages[0].flags & PAGE_META) || pages[0].magic != MAGIC) {
        return refuse(file, "is not a history: it has another format", problem);
    }
    uint32_t size = pages[0].trees[0].pad;
    if (pages[0].version != VERSION || size < PAGE_LEAST || size > PAGE_MOST) {
        return refuse(file, "was written by another version of LMDB", problem);
    }
    if (pread(fd, &pages[1], sizeof(pages[1]), (off_t)size) != (ssize_t)sizeof(pages[1])) {
        return refuse(file, "is cut short", problem);
    }
    if (!is_meta(&pages[1]) || pages[1].trees[0].pad != size) {
        return refuse(file, "is damaged: its second page is not what it should be", problem);
    }
    const struct meta_page *newer = &pages[pages[1].transaction > pages[0].transaction];
    if ((uint64_t)stat.st_size / size < (uint64_t)newer->last_page + 1) {
        return refuse(file, "is cut short", problem);
    }
    return 0;
}

int disk_file_inspect(const char *file, const struct disk_problem *problem) {
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return 0;
    }
    if (fd < 0) {
        disk_problem(problem, "%s cannot be opened: %s", file, strerror(errno));
        return ERR_SYSTEM;
    }
    int rc = inspect(fd, file, problem);
    close(fd);
    return rc;
}

static void say_who(const char *path, int fd, const struct disk_problem *problem) {
    char pid[24] = "";
    ssize_t len = pread(fd, pid, sizeof(pid) - 1, 0);
    pid[len > 0 ? (size_t)len : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    disk_problem(problem,
                 "%s is in use by process %s: take another directory, or end that process first",
                 path, *pid ? pid : "?");
}

bool history_disk_in_use(const char *path) {
    char name[4096];
    int fd = (size_t)snprintf(name, sizeof(name), "%s/lock", path) < sizeof(name)
                 ? open(name, O_RDONLY | O_CLOEXEC)
                 : -1;
    if (fd < 0) {
        return false;
    }
    bool in_use = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    close(fd);
    return in_use;
}

int disk_file_lock(const char *path, int *fd, const struct disk_problem *problem) {
    char name[4096], pid[24];
    if ((size_t)snprintf(name, sizeof(name), "%s/lock", path) >= sizeof(name)) {
        disk_problem(problem, "the directory's path is too long");
        return ERR_TOO_LARGE;
    }
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        disk_problem(problem, "%s cannot be opened: %s", name, strerror(errno));
        return ERR_SYSTEM;
    }
    if (flock(lock, LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK) {
            say_who(path, lock, problem);
        } else {
            disk_problem(problem, "%s cannot be locked: %s", name, strerror(errno));
        }
        close(lock);
        return ERR_SYSTEM;
    }
    // For people only; without it the sentence above has a question mark.
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) == 0) {
        (void)!pwrite(lock, pid, (size_t)len, 0);
    }
    *fd = lock;
    return 0;
}
