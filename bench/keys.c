// What keys cost a history: storing events with and without one, and a snapshot (the newest event of
// each key) beside a replay of everything. In memory and on disk. Each line is one measurement,
// name=value, in nanoseconds of processor time.
//
//     bench-keys DIR [EVENTS] [KEYS]
//
// DIR must not exist, and is left.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "history/disk.h"
#include "lab.h"

static const struct hash_key fixed = {1, 2};

struct bench {
    struct history *history;
    struct hash_key key;
    event_id newest;
    uint64_t events, keys;
};

static double now(void) {
    return (double)lab_now_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void must(int rc, const char *what) {
    if (rc) {
        fprintf(stderr, "bench-keys: %s\n", what);
        exit(1);
    }
}

static int64_t wall(void *ctx) {
    (void)ctx;
    return clock_wall_ms();
}

static void open_memory(struct bench *bench) {
    struct history_limits limits = {.topic.count = UINT64_MAX, .bytes = UINT64_C(64) << 30};
    bench->key = fixed;
    bench->newest = 0;
    must(history_memory_create(&bench->history, &mem_libc, &bench->key, &limits), "no memory");
}

static void open_disk(struct bench *bench, const char *path) {
    struct history_limits limits = {.topic.count = UINT64_MAX, .bytes = UINT64_C(16) << 30};
    struct disk_settings settings = {
        .path = path, .queue_bytes = 1 << 30, .commit_ms = 100, .now_ms = wall};
    char problem[512] = "";
    bench->key = fixed;
    must(history_disk_open(&bench->history, &mem_libc, &bench->key, &limits, &settings,
                           &bench->newest, problem, sizeof(problem)),
         problem);
}

static void wait_stored(struct bench *bench) {
    struct timespec a_moment = {.tv_nsec = 1000000};
    while (bench->history->stored(bench->history) < bench->newest) {
        nanosleep(&a_moment, NULL);
    }
}

static void append(struct bench *bench, const char *topic, uint64_t number, bool keyed) {
    char text[24], data[101];
    memset(data, 'x', sizeof(data));
    struct freshet_event event = FRESHET_EVENT_INIT;
    event.data = (struct freshet_text){.at = data, .len = sizeof(data) - 1};
    struct topic_name name = {.text = bytes_of(topic),
                              .hash = hash_bytes(&bench->key, topic, strlen(topic))};
    int len = snprintf(text, sizeof(text), "key-%llu", (unsigned long long)(number % bench->keys));
    struct frame *frame;
    must(frame_create_keyed(&frame, &mem_libc, &name, 1, &event,
                            bytes_make(text, keyed ? (size_t)len : 0)),
         "no memory");
    event_id clock = id_from_ms(clock_wall_ms());
    bench->newest = clock > bench->newest ? clock : bench->newest + 1;
    frame_seal(frame, bench->newest);
    bench->history->append(bench->history, frame, clock_wall_ms());
    frame_unref(frame);
}

static void store(struct bench *bench, const char *name, const char *topic, bool keyed) {
    double before = now();
    for (uint64_t i = 0; i < bench->events; i++) {
        append(bench, topic, i, keyed);
        if (i % 50000 == 0) {
            wait_stored(bench);
        }
    }
    wait_stored(bench);
    printf("%s_store_%s=%.0f\n", name, keyed ? "keyed" : "plain",
           (now() - before) / (double)bench->events);
}

static void read_all(struct bench *bench, const char *name, const char *what, const char *topic,
                     bool latest, bool values) {
    struct past *past = &bench->history->past;
    struct bytes text = bytes_of(topic);
    struct selection_filter filter = {.latest = latest};
    struct selection *selection;
    struct past_batch batch;
    uint64_t count = 0, calls = 0;
    must(selection_create_filtered(&selection, &mem_libc, &bench->key, &text, 1, &filter),
         "memory");
    double before = now(), longest = 0;
    for (event_id after = 0; after < bench->newest; calls++) {
        double begun = now();
        must(values ? past->values(past, selection, after, bench->newest, 128 << 10, &batch)
                    : past->read(past, selection, after, bench->newest, 128 << 10, &batch),
             "a read failed");
        double took = now() - begun;
        longest = took > longest ? took : longest;
        count += batch.count;
        after = batch.reached;
        past_batch_release(&batch);
    }
    printf("%s_%s_us=%.0f events=%llu calls=%llu longest_call_us=%.0f\n", name, what,
           (now() - before) / 1e3, (unsigned long long)count, (unsigned long long)calls,
           longest / 1e3);
    selection_destroy(&selection);
}

static void run(struct bench *bench, const char *name) {
    store(bench, name, "plain", false);
    store(bench, name, "p/keyed", true);
    read_all(bench, name, "replay", "p/keyed", false, false);
    read_all(bench, name, "snapshot", "p/keyed", true, true);
    read_all(bench, name, "snapshot_of_pattern", "p/*", true, true);
    read_all(bench, name, "catch_up", "p/keyed", true, false);
    history_destroy(&bench->history);
}

int main(int argc, char **argv) {
    struct bench bench = {.events = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000,
                          .keys = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000};
    if (argc < 2 || bench.events == 0 || bench.keys == 0) {
        fprintf(stderr, "usage: bench-keys DIR [EVENTS] [KEYS]\n");
        return 2;
    }
    open_memory(&bench);
    run(&bench, "memory");
    open_disk(&bench, argv[1]);
    run(&bench, "disk");
    return 0;
}
