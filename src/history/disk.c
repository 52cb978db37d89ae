// Opening and closing, and what the sequencer and the server's timer ask. Nobody but the writer's
// thread, which begins and ends here, ever waits for the disk.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "history/disk_group.h"

enum {
    DAY_MS = 24 * 3600 * 1000,
    GROUP_BYTES_MOST = 32 << 20,
    GROUPS_IN_FILE = 32, // a group is at most this part of the file
    GROUPS_FREE = 8,     // so many find room when the file counts as full
};

static void append(struct history *history, struct frame *frame, int64_t now) {
    disk_queue_push(&disk_of(history)->queue, frame, now);
}

static bool expire(struct history *history, int64_t now) {
    struct disk_queue *queue = &disk_of(history)->queue;
    pthread_mutex_lock(&queue->lock);
    queue->now = queue->now < now ? now : queue->now;
    queue->expire = true;
    disk_queue_ask(queue);
    pthread_mutex_unlock(&queue->lock);
    return false;
}

static const struct disk *const_disk_of(const struct history *history) {
    return (const struct disk *)(const void *)((const char *)history -
                                               offsetof(struct disk, history));
}

static event_id stored(const struct history *history) {
    return atomic_load(&const_disk_of(history)->figures.stored);
}

static enum history_state state(const struct history *history) {
    return (enum history_state)atomic_load(&const_disk_of(history)->figures.state);
}

static uint64_t purged(const struct history *history) {
    return atomic_load(&const_disk_of(history)->purges.saved);
}

static bool lost(const struct history *history, event_id id) {
    struct disk *disk = disk_of((struct history *)(uintptr_t)history);
    pthread_mutex_lock(&disk->queue.lock);
    bool result = disk_holes_have(&disk->queue.holes, id);
    pthread_mutex_unlock(&disk->queue.lock);
    return result;
}

void history_disk_counters(struct history *history, struct disk_counters *out) {
    struct disk *disk = disk_of(history);
    pthread_mutex_lock(&disk->queue.lock);
    out->waiting = disk->queue.frames.count;
    out->waiting_bytes = disk->queue.bytes;
    out->lost = disk->queue.lost;
    pthread_mutex_unlock(&disk->queue.lock);
    out->commits = atomic_load(&disk->figures.commits);
    out->failures = atomic_load(&disk->figures.failures);
    out->damaged = atomic_load(&disk->figures.damaged);
    out->file_bytes = atomic_load(&disk->figures.used_bytes);
    out->file_bytes_max = disk->file.map_bytes;
}

static void close_readers(struct disk_readers *readers) {
    while (readers->count) {
        mdb_txn_abort(readers->idle[--readers->count]);
    }
    pthread_mutex_destroy(&readers->lock);
}

static void free_limits(struct disk *disk, struct history_limits *limits) {
    if (limits) {
        mem_free(disk->mem, (void *)(uintptr_t)limits->rules);
        mem_free(disk->mem, limits);
    }
}

// The writer takes them in before its next group.
static int change(struct history *history, const struct history_limits *limits) {
    struct disk *disk = disk_of(history);
    struct history_rule *rules;
    struct history_limits *next = mem_alloc(disk->mem, sizeof(*next));
    if (!next || history_rules_copy(&rules, disk->mem, limits)) {
        mem_free(disk->mem, next);
        return ERR_NOMEM;
    }
    *next = *limits;
    next->rules = rules;
    pthread_mutex_lock(&disk->queue.lock);
    struct history_limits *before = disk->next;
    disk->next = next;
    disk_queue_ask(&disk->queue);
    pthread_mutex_unlock(&disk->queue.lock);
    free_limits(disk, before);
    return 0;
}

static void free_disk(struct disk *disk) {
    close_readers(&disk->readers);
    disk_purges_finish(&disk->purges);
    disk_floors_finish(&disk->floors);
    disk_queue_finish(&disk->queue);
    disk_file_close(&disk->file);
    free_limits(disk, disk->next);
    mem_free(disk->mem, disk->own);
    mem_free(disk->mem, disk);
}

static void destroy(struct history *history) {
    struct disk *disk = disk_of(history);
    pthread_mutex_lock(&disk->queue.lock);
    disk->queue.stop = true;
    disk_queue_ask(&disk->queue);
    pthread_cond_signal(&disk->queue.news); // also out of a pause
    pthread_mutex_unlock(&disk->queue.lock);
    pthread_join(disk->writer, NULL);
    free_disk(disk);
}

static void note_age(struct disk_bounds *bounds, int64_t age, bool *unlimited) {
    *unlimited |= age <= 0;
    if (age > 0) {
        bounds->age_least = bounds->age_least && bounds->age_least < age ? bounds->age_least : age;
        bounds->age_all = bounds->age_all > age ? bounds->age_all : age;
    }
}

static void set_bounds(struct disk *disk) {
    struct disk_bounds *bounds = &disk->bounds;
    uint64_t part = disk->file.map_bytes / GROUPS_IN_FILE;
    bounds->group_bytes = part < GROUP_BYTES_MOST ? part : GROUP_BYTES_MOST;
    bounds->event_bytes = disk->file.map_bytes / GROUPS_FREE;
    bounds->used_bytes = disk->file.map_bytes - GROUPS_FREE * bounds->group_bytes;
    disk_set_ages(disk);
}

void disk_set_ages(struct disk *disk) {
    struct disk_bounds *bounds = &disk->bounds;
    bool unlimited = false;
    bounds->age_least = bounds->age_all = 0;
    note_age(bounds, disk->limits.topic.age_ms, &unlimited);
    for (size_t i = 0; i < disk->limits.rule_count; i++) {
        note_age(bounds, disk->limits.rules[i].limits.age_ms, &unlimited);
    }
    bounds->age_all = unlimited ? 0 : bounds->age_all;
}

// What the file knows, or the beginning of a new one.
static int load(struct disk *disk, struct hash_key *key) {
    MDB_txn *txn;
    int rc = mdb_txn_begin(disk->file.env, NULL, MDB_RDONLY, &txn);
    if (rc) {
        return rc;
    }
    rc = disk_state_read(&disk->file, txn, &disk->state);
    if (rc == MDB_NOTFOUND) {
        disk->state.format = DISK_FORMAT;
        disk->state.key = *key;
        disk->state.clean = true;
        disk->state.newest = disk->state.ceiling = disk->limits.origin;
        rc = 0;
    } else {
        disk->limits.origin = 0; // it knows itself what was before its time
    }
    *key = disk->state.key;
    atomic_store(&disk->figures.privates, disk->state.privates);
    rc = rc ? rc
            : disk_floors_load(&disk->floors, &disk->file, txn, key, disk->limits.origin,
                               disk->state.format >= 2);
    rc = rc ? rc : disk_purges_load(&disk->purges, &disk->file, txn, key);
    mdb_txn_abort(txn);
    return rc;
}

// After an end that was no end, ids go on above what was reserved, and what a relaxed server had
// acknowledged may be missing.
static void begin_anew(struct disk *disk, event_id *newest) {
    struct disk_state *last = &disk->state;
    disk->queue.holes = last->holes;
    *newest = last->clean ? last->newest : last->ceiling;
    *newest = *newest < disk->limits.origin ? disk->limits.origin : *newest;
    if (!last->clean && last->relaxed) {
        disk_holes_add(&disk->queue.holes, last->newest, *newest);
    }
    last->newest = last->newest < *newest ? *newest : last->newest;
    disk->queue.appended = disk->queue.taken = last->newest;
    disk->renew_at = clock_mono_ms();
    disk->sweeping = disk->sweep_all = true; // the limits may be lower than they were
    disk->queue.asked = 1;
}

static int write_first(struct disk *disk, struct disk_problem *problem) {
    struct disk_task task = {.now = 0, .renew = true};
    bool more;
    int rc = disk_group_run(disk, &task, &more);
    if (rc) {
        disk_problem(problem, "the history cannot be written: %s", mdb_strerror(rc));
    }
    return rc == ENOMEM ? ERR_NOMEM : rc ? ERR_SYSTEM : 0;
}

static int start(struct disk *disk, struct hash_key *key, event_id *newest,
                 struct disk_problem *problem) {
    int rc = load(disk, key);
    if (rc) {
        disk_problem(problem, "the history is damaged: %s", mdb_strerror(rc));
        return rc == ENOMEM ? ERR_NOMEM : ERR_INVALID;
    }
    set_bounds(disk);
    disk->queue.enough_bytes = disk->bounds.group_bytes < disk->settings.queue_bytes / 2
                                   ? disk->bounds.group_bytes
                                   : disk->settings.queue_bytes / 2;
    begin_anew(disk, newest);
    rc = write_first(disk, problem);
    if (rc == 0 && thread_start(&disk->writer, disk_writer_run, disk)) {
        disk_problem(problem, "a thread could not be started");
        rc = ERR_NOMEM;
    }
    return rc;
}

static int create(struct disk **out, const struct mem *mem, const struct history_limits *limits,
                  const struct disk_settings *settings) {
    struct disk *disk = mem_new(mem, sizeof(*disk));
    if (!disk) {
        return ERR_NOMEM;
    }
    disk->mem = mem;
    disk->limits = *limits;
    disk->settings = *settings;
    disk->settings.path = NULL;
    disk->settings.once_ms = settings->once_ms > 0 ? settings->once_ms : DAY_MS;
    disk->file.lock = -1;
    disk->history = (struct history){
        .past = {.read = disk_read, .values = disk_values, .last = disk_last, .find = disk_find},
        .append = append,
        .expire = expire,
        .change = change,
        .stats = disk_stats,
        .topics = disk_walk,
        .topic = disk_topic_info,
        .purge = disk_purge,
        .purged = purged,
        .stored = stored,
        .lost = lost,
        .state = state,
        .recall = disk_recall,
        .destroy = destroy,
    };
    // None of these can fail where threads can be made at all.
    (void)disk_queue_init(&disk->queue, mem, settings->queue_bytes, SIZE_MAX);
    (void)disk_floors_init(&disk->floors);
    (void)disk_purges_init(&disk->purges);
    (void)pthread_mutex_init(&disk->readers.lock, NULL);
    *out = disk;
    return 0;
}

int history_disk_open(struct history **out, const struct mem *mem, struct hash_key *key,
                      const struct history_limits *limits, const struct disk_settings *settings,
                      event_id *newest, char *text, size_t text_size) {
    struct disk_problem problem = {.text = text, .size = text_size};
    struct disk *disk;
    int rc = create(&disk, mem, limits, settings);
    if (rc) {
        disk_problem(&problem, "there is no memory");
        return rc;
    }
    rc = disk_file_open(&disk->file, settings->path, limits->bytes, &problem);
    rc = rc ? rc : start(disk, key, newest, &problem);
    if (rc) {
        free_disk(disk);
        return rc;
    }
    *out = &disk->history;
    return 0;
}
