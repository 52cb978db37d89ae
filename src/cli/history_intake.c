// Giving places. The policy: an event keeps the place it had when that lies above all others, so that
// listeners' cursors and times stay true; otherwise it comes right behind what is there, so that the
// ones after it may keep theirs. What is there already, in the same place, is not taken again, and so
// an import that was interrupted can be repeated.
#include "cli/history_intake.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "cli/stop.h"

enum {
    QUEUE_BYTES = 96 << 20,   // more than the largest event
    WAITING_BYTES = 16 << 20, // under way before the next one waits
    AHEAD_MS = 86400000,      // how far in the future a place may lie
    PATH_ROOM = 4096,
    ROOM_LEAST = 1 << 30,
};

static void on_moved(void *ctx) {
    const struct history_intake *intake = ctx;
    (void)!eventfd_write(intake->wake, 1);
}

static int64_t now_ms(void *ctx) {
    (void)ctx;
    return clock_wall_ms();
}

static bool has_file(const char *path, uint64_t *bytes) {
    char name[PATH_ROOM];
    struct stat stat_of;
    snprintf(name, sizeof(name), "%s/data.mdb", path);
    bool has = stat(name, &stat_of) == 0 && stat_of.st_size > 0;
    *bytes = has ? (uint64_t)stat_of.st_size : 0;
    return has;
}

// More than the disk has, so that it is the disk that is full at the end, and not the history, which
// would drop its oldest: an import keeps what it is given, and which of it stays is for the server's
// limits to say.
static uint64_t room_in(const char *path, uint64_t file_bytes) {
    struct statvfs stat;
    uint64_t room = statvfs(path, &stat) ? 0 : stat.f_bavail * stat.f_frsize;
    return 2 * file_bytes + 4 * room + ROOM_LEAST;
}

// Whoever has a cursor from before `origin` may have missed what a new directory never had.
static int open_history(struct history_intake *intake, event_id origin) {
    uint64_t file_bytes;
    (void)has_file(intake->path, &file_bytes);
    if (mkdir(intake->path, 0700) && errno != EEXIST) {
        snprintf(intake->problem, sizeof(intake->problem), "%s cannot be made: %s", intake->path,
                 strerror(errno));
        return ERR_SYSTEM;
    }
    struct history_limits limits = {.topic = {.count = UINT64_MAX},
                                    .bytes = room_in(intake->path, file_bytes),
                                    .origin = origin};
    struct disk_settings settings = {.path = intake->path,
                                     .queue_bytes = QUEUE_BYTES,
                                     .once_ms = INT64_MAX / 2, // as long as the server wants
                                     .now_ms = now_ms,
                                     .moved = on_moved,
                                     .moved_ctx = intake};
    return history_disk_open(&intake->history, &mem_libc, &intake->key, &limits, &settings,
                             &intake->newest, intake->problem, sizeof(intake->problem));
}

int history_intake_open(struct history_intake *intake, const char *path) {
    uint64_t bytes;
    *intake = (struct history_intake){.path = path, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (intake->wake < 0 || random_seed(&intake->key, sizeof(intake->key))) {
        snprintf(intake->problem, sizeof(intake->problem), "the system refuses: %s",
                 strerror(errno));
        return ERR_SYSTEM;
    }
    return has_file(path, &bytes) ? open_history(intake, 0) : 0;
}

// 0, or ERR_SYSTEM with a sentence when the writer cannot go on.
static int look_at_writer(struct history_intake *intake) {
    enum history_state state = intake->history->state(intake->history);
    if (state == HISTORY_FINE) {
        return 0;
    }
    snprintf(intake->problem, sizeof(intake->problem), "%s; what was stored is in order",
             state == HISTORY_FULL ? "there is no room left on the disk"
                                   : "the disk refuses writes");
    return ERR_SYSTEM;
}

// Until the writer tells something. When the end may be asked for, that ends it as well.
static int wait_for_writer(struct history_intake *intake, bool patient) {
    struct pollfd ready[2] = {{.fd = intake->wake, .events = POLLIN},
                              {.fd = stop_fd(), .events = POLLIN}};
    eventfd_t count;
    int rc = look_at_writer(intake);
    if (rc) {
        return rc;
    }
    (void)poll(ready, patient ? 1 : 2, -1);
    (void)!eventfd_read(intake->wake, &count);
    if (!patient && stop_asked()) {
        snprintf(intake->problem, sizeof(intake->problem), "interrupted");
        return ERR_GONE;
    }
    return 0;
}

static int wait_for_room(struct history_intake *intake, size_t cost) {
    struct disk_counters counters;
    int rc = look_at_writer(intake);
    while (rc == 0) {
        history_disk_counters(intake->history, &counters);
        if (counters.waiting == 0 || counters.waiting_bytes + cost <= WAITING_BYTES) {
            return 0;
        }
        rc = wait_for_writer(intake, false);
    }
    return rc;
}

// The stored one ends with the same bytes; in front of them it may have the line of its id.
static bool is_same(const struct frame *stored, const struct frame *given) {
    struct bytes a = frame_bytes(stored), b = frame_bytes(given);
    return stored->topic_count == given->topic_count && a.len >= b.len &&
           stored->private == given->private && bytes_equal(frame_key(stored), frame_key(given)) &&
           memcmp(a.at + a.len - b.len, b.at, b.len) == 0;
}

static bool is_there(struct history_intake *intake, const struct frame *frame, event_id at) {
    struct past *past = &intake->history->past;
    struct bytes name = frame_topic(frame, 0).text;
    struct selection *selection;
    struct past_batch batch;
    bool same = false;
    if (selection_create(&selection, &mem_libc, &intake->key, &name, 1)) {
        return false;
    }
    selection_set_privy(selection, 0);
    if (past->read(past, selection, at - 1, at, SIZE_MAX, &batch) == 0) {
        same = batch.count == 1 && is_same(batch.frames[0], frame);
        past_batch_release(&batch);
    }
    selection_destroy(&selection);
    return same;
}

// Frames were hashed with the key that a new directory is to get.
static int open_new(struct history_intake *intake, event_id first) {
    struct hash_key key = intake->key;
    int rc = open_history(intake, first - 1);
    if (rc == 0 && (key.k0 != intake->key.k0 || key.k1 != intake->key.k1)) {
        snprintf(intake->problem, sizeof(intake->problem),
                 "somebody else has just begun a history in %s; try again", intake->path);
        rc = ERR_SYSTEM;
    }
    return rc;
}

int history_intake_add(struct history_intake *intake, struct frame *frame, event_id at) {
    int64_t now = clock_wall_ms();
    event_id place = at ? at : id_from_ms(now);
    if (at && id_to_ms(at) > now + AHEAD_MS) {
        return HISTORY_TOO_LATE;
    }
    int rc = intake->history ? 0 : open_new(intake, place);
    rc = rc ? rc : wait_for_room(intake, frame_cost(frame));
    if (rc) {
        return rc;
    }
    if (place <= intake->newest) {
        if (at && is_there(intake, frame, at)) {
            intake->repeated++;
            return HISTORY_REPEATED;
        }
        intake->moved += at != 0;
        place = intake->newest + 1;
    }
    frame_seal(frame, place);
    intake->newest = place;
    intake->stored++;
    intake->history->append(intake->history, frame, now);
    return HISTORY_TAKEN;
}

static int settle(struct history_intake *intake) {
    struct history_stats stats;
    struct disk_counters counters;
    int rc = 0;
    while (rc == 0 && intake->stored && intake->history->stored(intake->history) < intake->newest) {
        rc = wait_for_writer(intake, true);
    }
    intake->history->stats(intake->history, &stats);
    history_disk_counters(intake->history, &counters);
    uint64_t dropped = stats.dropped_count + stats.dropped_bytes + stats.dropped_age +
                       stats.dropped_budget + counters.lost;
    intake->stored -= counters.waiting; // in vain
    intake->moved = intake->moved < intake->stored ? intake->moved : intake->stored;
    if (rc == 0 && dropped) {
        intake->stored -= dropped;
        snprintf(intake->problem, sizeof(intake->problem),
                 "%llu events found no room and are not there", (unsigned long long)dropped);
        rc = ERR_TOO_LARGE;
    }
    return rc;
}

int history_intake_close(struct history_intake *intake) {
    int rc = intake->history ? settle(intake) : 0;
    if (intake->history) {
        history_destroy(&intake->history);
    }
    if (intake->wake >= 0) {
        close(intake->wake);
    }
    return rc;
}
