// The writer's thread: sleep, write a group, tell; and what it does when the disk refuses. While it
// writes, the next group gathers by itself, so that publishers who wait for their answer share a
// sync, the more of them there are. In relaxed mode it lets a group gather for a while.
#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "history/disk_group.h"

enum {
    RENEW_MS = 30000,  // the ceiling of ids, when nothing else is written
    PAUSE_MS = 500,    // after a failure
    SQUEEZES_MAX = 12, // attempts to make room before the file counts as full
    SHUTDOWN_TRIES = 3,
    ROOM_LEAST = 1 << 20, // less than this on the filesystem is none
};

static struct timespec in_ms(int64_t ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + ms % 1000 * 1000000;
    at.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    return at;
}

// Under the lock. False when the time is over.
static bool sleep_until(struct disk_queue *queue, enum disk_sleep how,
                        const struct timespec *until) {
    int rc = 0;
    queue->sleep = how;
    while (queue->sleep != DISK_AWAKE && rc == 0) {
        rc = pthread_cond_timedwait(&queue->news, &queue->lock, until);
    }
    queue->sleep = DISK_AWAKE;
    return rc == 0;
}

static void gather(struct disk *disk) {
    struct disk_queue *queue = &disk->queue;
    if (disk->settings.relaxed && !queue->stop && queue->bytes < queue->enough_bytes) {
        struct timespec until = in_ms(disk->settings.commit_ms);
        (void)sleep_until(queue, DISK_GATHERING, &until);
    }
}

// New limits: all topics are looked through for what they do not let stay.
static void take_limits(struct disk *disk, struct history_limits *next) {
    struct history_rule *before = disk->own;
    if (!next) {
        return;
    }
    disk->limits.topic = next->topic;
    disk->limits.rule_count = next->rule_count;
    // The copy is its own from here on, and may be freed.
    disk->own = (struct history_rule *)(uintptr_t)next->rules;
    disk->limits.rules = disk->own;
    disk->sweeping = disk->sweep_all = true;
    disk->sweep_len = 0;
    disk_set_ages(disk);
    mem_free(disk->mem, before);
    mem_free(disk->mem, next);
}

// What it does next. Returns the number of requests that this covers.
static uint64_t wait_for_work(struct disk *disk, struct disk_task *task, bool more, bool *stop) {
    struct disk_queue *queue = &disk->queue;
    pthread_mutex_lock(&queue->lock);
    if (!more && queue->asked == queue->answered && !queue->stop) {
        int64_t left = disk->renew_at - clock_mono_ms();
        struct timespec until = in_ms(left > 0 ? left : 0);
        pthread_cond_broadcast(&queue->settled);
        task->renew = !sleep_until(queue, DISK_IDLE, &until);
    }
    if (queue->frames.count && !more) {
        gather(disk);
    }
    disk->sweeping |= queue->expire;
    queue->expire = false;
    task->now = queue->now;
    *stop = queue->stop;
    uint64_t asked = queue->asked;
    struct history_limits *next = disk->next;
    disk->next = NULL;
    pthread_mutex_unlock(&queue->lock);
    take_limits(disk, next);
    return asked;
}

static void answer(struct disk *disk, uint64_t asked) {
    pthread_mutex_lock(&disk->queue.lock);
    disk->queue.answered = asked;
    pthread_cond_broadcast(&disk->queue.settled);
    pthread_mutex_unlock(&disk->queue.lock);
}

static void pause_writing(struct disk *disk) {
    struct disk_queue *queue = &disk->queue;
    struct timespec until = in_ms(PAUSE_MS);
    pthread_mutex_lock(&queue->lock);
    while (!queue->stop && pthread_cond_timedwait(&queue->news, &queue->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&queue->lock);
}

// LMDB says EIO when the disk took only a part of a write.
static bool has_no_room(const struct disk_file *file) {
    struct statvfs stat;
    return fstatvfs(file->fd, &stat) == 0 && stat.f_bavail * stat.f_frsize < ROOM_LEAST;
}

static enum history_state state_of(const struct disk *disk, int rc) {
    bool full = rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG ||
                (rc == EIO && has_no_room(&disk->file));
    return rc == 0 ? HISTORY_FINE : full ? HISTORY_FULL : HISTORY_FAILING;
}

// Room comes from dropping the oldest, and pages that were dropped come back a transaction later;
// so it takes turns. When even a drop finds no room, a smaller group may.
static int write_group(struct disk *disk, struct disk_task *task, bool *more) {
    int rc = disk_group_run(disk, task, more);
    struct disk_task squeeze = {.now = task->now, .squeeze = true};
    if (rc == MDB_MAP_FULL) {
        int dead; // a reader that was killed keeps its pages until somebody looks
        (void)mdb_reader_check(disk->file.env, &dead);
    }
    for (int i = 0; i < SQUEEZES_MAX && rc == MDB_MAP_FULL; i++) {
        bool unused;
        (void)disk_group_run(disk, &squeeze, &unused);
        task->frames_max = task->frames_max > 1 ? task->frames_max / 4 + 1 : task->frames_max;
        rc = disk_group_run(disk, task, more);
        *more = true;
    }
    return rc;
}

// How far it has come.
struct progress {
    event_id stored;
    uint64_t purged;
};

static struct progress progress_of(struct disk *disk) {
    return (struct progress){.stored = disk->state.newest,
                             .purged = atomic_load(&disk->purges.saved)};
}

static void tell(struct disk *disk, int rc, struct progress before) {
    enum history_state state = state_of(disk, rc);
    if (rc) {
        atomic_fetch_add(&disk->figures.failures, 1);
    } else {
        disk->renew_at = clock_mono_ms() + RENEW_MS;
    }
    struct progress now = progress_of(disk);
    bool changed = atomic_exchange(&disk->figures.state, (int)state) != (int)state;
    changed |= now.stored != before.stored || now.purged != before.purged;
    if (changed && disk->settings.moved) {
        disk->settings.moved(disk->settings.moved_ctx);
    }
}

static int work(struct disk *disk, struct disk_task *task, bool *more) {
    struct progress before = progress_of(disk);
    task->frames_max = GROUP_EVENTS;
    int rc = write_group(disk, task, more);
    tell(disk, rc, before);
    return rc;
}

// Everything that waits, and then the mark that tells the next start that nothing is missing.
static void finish_writing(struct disk *disk) {
    struct disk_task task = {.now = disk->queue.now};
    bool more = true;
    for (int failed = 0; more && failed < SHUTDOWN_TRIES;) {
        failed += work(disk, &task, &more) != 0;
        more |= disk->queue.frames.count > 0;
    }
    if (disk->queue.frames.count == 0) {
        task.clean = true;
        (void)work(disk, &task, &more);
    }
}

void *disk_writer_run(void *arg) {
    struct disk *disk = arg;
    bool stop = false, more = false;
    int rc = 0;
    while (!stop) {
        struct disk_task task = {0};
        uint64_t asked = wait_for_work(disk, &task, more || rc, &stop);
        if (stop) {
            break;
        }
        rc = work(disk, &task, &more);
        if (rc || !more) {
            answer(disk, asked);
        }
        if (rc) {
            pause_writing(disk);
        }
    }
    finish_writing(disk);
    return NULL;
}

void disk_settle(struct disk *disk) {
    struct disk_queue *queue = &disk->queue;
    pthread_mutex_lock(&queue->lock);
    uint64_t asked = queue->asked;
    while (queue->answered < asked) {
        pthread_cond_wait(&queue->settled, &queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
}
