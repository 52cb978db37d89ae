// What the history on disk costs without a server: events stored in groups, beside one fdatasync an
// event on the same filesystem; replay of all of them; opening; bytes an event. Each line is one
// measurement, name=value.
//
//     bench-history DIR [EVENTS] [TOPICS] [SIZE] [keep]
//
// DIR must not exist. It is removed at the end; with `keep` it is only filled, and left for a server.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "history/disk.h"
#include "lab.h"

enum { NAME_SIZE = 32, SYNCS = 200, AHEAD = 50000, TOPICS_MOST = 100 };

struct bench {
    const char *path;
    uint64_t events;
    unsigned topics;
    size_t size;
    struct hash_key key;
    struct history *history;
    event_id newest, last; // the origin, and the last one appended
};

static int64_t wall(void *ctx) {
    (void)ctx;
    return clock_wall_ms();
}

static void open_history(struct bench *bench) {
    struct history_limits limits = {.topic.count = UINT64_MAX, .bytes = UINT64_C(64) << 30};
    struct disk_settings settings = {
        .path = bench->path, .queue_bytes = 256 << 20, .commit_ms = 100, .now_ms = wall};
    char problem[512];
    bench->key = (struct hash_key){1, 2};
    if (history_disk_open(&bench->history, &mem_libc, &bench->key, &limits, &settings,
                          &bench->newest, problem, sizeof(problem))) {
        lab_give_up(problem);
    }
    // Ids as a server gives them, or it would find all events too old.
    event_id now = id_from_ms(clock_wall_ms());
    bench->newest = bench->newest < now ? now : bench->newest;
}

static struct topic_name topic_of(const struct bench *bench, uint64_t n, char *name) {
    size_t len = (size_t)snprintf(name, NAME_SIZE, "topic/%u", (unsigned)(n % bench->topics));
    return (struct topic_name){.text = bytes_make(name, len),
                               .hash = hash_bytes(&bench->key, name, len)};
}

static struct frame *make(const struct bench *bench, uint64_t n, const char *data) {
    char name[NAME_SIZE];
    struct topic_name topic = topic_of(bench, n * 2654435761u >> 7, name);
    struct freshet_event event = FRESHET_EVENT_INIT;
    struct frame *frame;
    event.data.at = data;
    event.data.len = bench->size;
    if (frame_create(&frame, &mem_libc, &topic, 1, &event)) {
        lab_give_up("out of memory");
    }
    frame_seal(frame, bench->newest + 1 + n);
    return frame;
}

static void wait_for(struct bench *bench, event_id id) {
    while (bench->history->stored(bench->history) < id) {
        usleep(200);
    }
}

static void store(struct bench *bench) {
    char *data = malloc(bench->size + 1);
    memset(data, 'x', bench->size);
    double start = lab_now_s(CLOCK_MONOTONIC), cpu = lab_now_s(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t n = 0; n < bench->events; n++) {
        struct frame *frame = make(bench, n, data);
        bench->history->append(bench->history, frame, 0);
        bench->last = frame->id;
        frame_unref(frame);
        if (n % AHEAD == 0 && n > 4 * AHEAD) {
            wait_for(bench, bench->last - 4 * AHEAD);
        }
    }
    wait_for(bench, bench->last);
    double took = lab_now_s(CLOCK_MONOTONIC) - start;
    struct disk_counters counters;
    history_disk_counters(bench->history, &counters);
    printf("stored_per_s=%.0f cpu_us_per_event=%.2f commits=%llu lost=%llu bytes_per_event=%.1f\n",
           (double)bench->events / took,
           (lab_now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / (double)bench->events,
           (unsigned long long)counters.commits, (unsigned long long)counters.lost,
           (double)counters.file_bytes / (double)bench->events);
    free(data);
}

static void replay(struct bench *bench, const struct bytes *names, size_t count,
                   const char *label) {
    struct selection *selection;
    struct past_batch batch;
    uint64_t events = 0, bytes = 0, calls = 0;
    if (selection_create(&selection, &mem_libc, &bench->key, names, count)) {
        lab_give_up("out of memory");
    }
    double start = lab_now_s(CLOCK_MONOTONIC), cpu = lab_now_s(CLOCK_PROCESS_CPUTIME_ID), most = 0;
    for (event_id after = 0; after < bench->last; calls++) {
        double before = lab_now_s(CLOCK_MONOTONIC);
        if (bench->history->past.read(&bench->history->past, selection, after, bench->last,
                                      128 << 10, &batch)) {
            lab_give_up("a read failed");
        }
        double call = lab_now_s(CLOCK_MONOTONIC) - before;
        most = call > most ? call : most;
        after = batch.reached;
        events += batch.count;
        for (size_t i = 0; i < batch.count; i++) {
            bytes += batch.frames[i]->size;
        }
        past_batch_release(&batch);
    }
    double took = lab_now_s(CLOCK_MONOTONIC) - start;
    printf(
        "replay_%s: events=%llu events_per_s=%.0f mb_per_s=%.0f cpu_ns_per_event=%.0f calls=%llu "
        "longest_call_ms=%.2f\n",
        label, (unsigned long long)events, (double)events / took, (double)bytes / took / 1e6,
        (lab_now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e9 / (double)(events ? events : 1),
        (unsigned long long)calls, most * 1e3);
    selection_destroy(&selection);
}

static void replay_one(struct bench *bench, const char *name, const char *label) {
    struct bytes text = bytes_of(name);
    replay(bench, &text, 1, label);
}

// As many topics as a listener may have, or as there are.
static void replay_many(struct bench *bench) {
    char text[TOPICS_MOST][NAME_SIZE];
    struct bytes names[TOPICS_MOST];
    unsigned count = bench->topics < TOPICS_MOST ? bench->topics : TOPICS_MOST;
    for (unsigned i = 0; i < count; i++) {
        names[i] = topic_of(bench, i, text[i]).text;
    }
    replay(bench, names, count, "topics");
}

// One fdatasync for each event, appended to a file: what it takes without groups.
static void bare(const struct bench *bench) {
    char name[512], *data = calloc(1, bench->size + 64);
    snprintf(name, sizeof(name), "%s/bare", bench->path);
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (fd < 0) {
        lab_die(name);
    }
    double start = lab_now_s(CLOCK_MONOTONIC);
    for (int i = 0; i < SYNCS; i++) {
        if (write(fd, data, bench->size + 64) < 0 || fdatasync(fd)) {
            lab_die(name);
        }
    }
    printf("bare_fdatasync_per_s=%.0f\n", SYNCS / (lab_now_s(CLOCK_MONOTONIC) - start));
    close(fd);
    unlink(name);
    free(data);
}

// One event at a time, each waited for.
static void one_by_one(struct bench *bench) {
    char *data = calloc(1, bench->size + 1);
    memset(data, 'y', bench->size);
    double start = lab_now_s(CLOCK_MONOTONIC);
    for (int i = 0; i < SYNCS; i++) {
        struct frame *frame = make(bench, bench->last - bench->newest, data);
        bench->last = frame->id;
        bench->history->append(bench->history, frame, 0);
        frame_unref(frame);
        wait_for(bench, bench->last);
    }
    printf("one_by_one_per_s=%.0f\n", SYNCS / (lab_now_s(CLOCK_MONOTONIC) - start));
    free(data);
}

static void reopen(struct bench *bench) {
    double start = lab_now_s(CLOCK_MONOTONIC);
    history_destroy(&bench->history);
    double closed = lab_now_s(CLOCK_MONOTONIC);
    open_history(bench);
    printf("close_ms=%.1f open_ms=%.1f\n", (closed - start) * 1e3,
           (lab_now_s(CLOCK_MONOTONIC) - closed) * 1e3);
}

static void clean(const struct bench *bench) {
    static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};
    char name[512];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s/%s", bench->path, files[i]);
        unlink(name);
    }
    rmdir(bench->path);
}

int main(int argc, char **argv) {
    struct bench bench = {.events = 1000000, .topics = 1, .size = 200};
    if (argc < 2) {
        lab_give_up("usage: bench-history DIR [EVENTS] [TOPICS] [SIZE] [keep]");
    }
    bench.path = argv[1];
    bench.events = argc > 2 ? strtoull(argv[2], NULL, 10) : bench.events;
    bench.topics = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : bench.topics;
    bench.size = argc > 4 ? strtoul(argv[4], NULL, 10) : bench.size;
    open_history(&bench);
    if (argc > 5) {
        store(&bench);
        history_destroy(&bench.history);
        return 0;
    }
    bare(&bench);
    store(&bench);
    replay_one(&bench, "topic/0", "topic");
    replay_one(&bench, "topic/0", "topic_again");
    replay_many(&bench);
    replay_one(&bench, "**", "all");
    replay_one(&bench, "elsewhere/*", "nothing");
    one_by_one(&bench);
    reopen(&bench);
    history_destroy(&bench.history);
    clean(&bench);
    return 0;
}
