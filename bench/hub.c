// What the hub costs without sockets: a publish among many topics, a delivery, a pattern. The
// connections are fake and take everything. Each line is one measurement.
//
//     bench-hub [short]      short: fewer events
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/hub.h"
#include "hub/selection.h"
#include "lab.h"

static const struct hash_key key = {1, 2};
enum { DATA_SIZE = 100, FLUSH_SENDS = 256, NAME_SIZE = 64, MANY = 1000000 };

struct bench {
    struct hub hub;
    atomic_size_t pinned;
    struct subscriber *subscribers;
    unsigned count;
    event_id newest;
};

static uint64_t sent_bytes;

static ptrdiff_t take(struct subscriber *subscriber, const struct bytes *pieces, int count) {
    size_t len = 0;
    for (int i = 0; i < count; i++) {
        len += pieces[i].len;
    }
    sent_bytes += len;
    return (ptrdiff_t)len;
}

static void leave(struct subscriber *subscriber) {
    hub_leave(subscriber);
}

static const struct hub_ops ops = {.send = take, .finished = leave, .unaffordable = leave};

// The processor's time, which others on the machine take less from than from the clock's.
static double now(void) {
    return (double)lab_now_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void must(int rc) {
    if (rc) {
        lab_give_up("out of memory");
    }
}

static void open_bench(struct bench *bench, unsigned subscribers) {
    struct hub_settings settings = {.mem = &mem_libc,
                                    .key = &key,
                                    .ops = &ops,
                                    .window_bytes = 16 << 20,
                                    .run_bytes = 128 << 10,
                                    .idle_topics = 1 << 16,
                                    .pinned = &bench->pinned,
                                    .pinned_max = 64 << 20};
    *bench = (struct bench){.count = subscribers, .newest = 1};
    bench->subscribers = calloc(subscribers + 1, sizeof(*bench->subscribers));
    must(bench->subscribers == NULL);
    must(hub_init(&bench->hub, &settings, 1));
}

static void join_all(struct bench *bench, unsigned index, const struct bytes *names, size_t count) {
    struct hub_start start = {.after = bench->newest};
    struct selection *selection;
    must(selection_create(&selection, &mem_libc, &key, names, count));
    must(hub_join(&bench->hub, selection, ENCODING_EVENT_STREAM, &bench->subscribers[index],
                  &start));
}

static void join(struct bench *bench, unsigned index, const char *name) {
    struct bytes names = bytes_of(name);
    join_all(bench, index, &names, 1);
}

static void close_bench(struct bench *bench) {
    for (unsigned i = 0; i < bench->count; i++) {
        hub_leave(&bench->subscribers[i]);
    }
    hub_finish(&bench->hub);
    free(bench->subscribers);
}

// As a worker gets it: encoded, given its id, handed over.
static void publish(struct bench *bench, const char *name) {
    static char data[DATA_SIZE];
    memset(data, 'x', sizeof(data));
    struct freshet_event event = {.data = {data, DATA_SIZE}, .retry = -1};
    struct topic_name topic = {.text = bytes_of(name),
                               .hash = hash_bytes(&key, name, strlen(name))};
    struct frame *frame;
    must(frame_create(&frame, &mem_libc, &topic, 1, &event));
    frame_seal(frame, ++bench->newest);
    hub_take(&bench->hub, frame);
    frame_unref(frame);
}

static void flush(struct bench *bench) {
    while (hub_flush(&bench->hub, FLUSH_SENDS)) {
    }
}

static void name_topic(char name[NAME_SIZE], unsigned topic) {
    snprintf(name, NAME_SIZE, "bench/%u", topic);
}

// One listener on each topic; events to topics in an order that the caches cannot guess.
static void measure_topics(unsigned topics, unsigned events) {
    struct bench bench;
    char name[NAME_SIZE];
    open_bench(&bench, topics);
    double start = now();
    for (unsigned i = 0; i < topics; i++) {
        name_topic(name, i);
        join(&bench, i, name);
    }
    double joined = now();
    uint64_t state = 1;
    for (unsigned i = 0; i < events; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        name_topic(name, (unsigned)((state >> 33) % topics));
        publish(&bench, name);
        flush(&bench);
    }
    double end = now();
    printf("bench=hub-publish topics=%u events=%u ns_per_publish=%.0f ns_per_join=%.0f\n", topics,
           events, (end - joined) / events, (joined - start) / topics);
    close_bench(&bench);
}

// The single join and the single leave that take longest while the tables grow and shrink.
static void measure_worst(unsigned topics) {
    struct bench bench;
    char name[NAME_SIZE];
    double worst_join = 0, worst_leave = 0;
    open_bench(&bench, topics);
    for (unsigned i = 0; i < topics; i++) {
        name_topic(name, i);
        double start = now();
        join(&bench, i, name);
        double took = now() - start;
        worst_join = took > worst_join ? took : worst_join;
    }
    for (unsigned i = 0; i < topics; i++) {
        double start = now();
        hub_leave(&bench.subscribers[i]);
        double took = now() - start;
        worst_leave = took > worst_leave ? took : worst_leave;
    }
    printf("bench=hub-worst topics=%u worst_join_us=%.0f worst_leave_us=%.0f\n", topics,
           worst_join / 1e3, worst_leave / 1e3);
    bench.count = 0;
    close_bench(&bench);
}

// A thousand listeners, each with so many topics of its own; an event reaches one of them.
static void measure_selections(unsigned each, unsigned events) {
    enum { LISTENERS = 1000, EACH_MAX = 100 };
    struct bench bench;
    char names[EACH_MAX][NAME_SIZE], name[NAME_SIZE];
    struct bytes texts[EACH_MAX];
    open_bench(&bench, LISTENERS);
    for (unsigned i = 0; i < LISTENERS; i++) {
        for (unsigned n = 0; n < each; n++) {
            name_topic(names[n], i * each + n);
            texts[n] = bytes_of(names[n]);
        }
        join_all(&bench, i, texts, each);
    }
    double start = now();
    uint64_t state = 1;
    for (unsigned i = 0; i < events; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        name_topic(name, (unsigned)((state >> 33) % (LISTENERS * each)));
        publish(&bench, name);
        flush(&bench);
    }
    printf("bench=hub-selection topics_each=%u listeners=%d ns_per_publish=%.0f\n", each, LISTENERS,
           (now() - start) / events);
    close_bench(&bench);
}

// So many listeners on one topic, so many events before each flush.
static void measure_deliveries(unsigned listeners, unsigned gathered) {
    enum { DELIVERIES = 8000000 };
    struct bench bench;
    open_bench(&bench, listeners);
    for (unsigned i = 0; i < listeners; i++) {
        join(&bench, i, "bench/0");
    }
    unsigned rounds = DELIVERIES / listeners;
    double start = now();
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < gathered; i++) {
            publish(&bench, "bench/0");
        }
        flush(&bench);
    }
    double took = now() - start;
    printf("bench=hub-delivery listeners=%u events_per_flush=%u ns_per_send=%.1f "
           "ns_per_delivery=%.1f\n",
           listeners, gathered, took / rounds / listeners, took / rounds / listeners / gathered);
    close_bench(&bench);
}

// So many patterns, of which one matches each event.
static void measure_patterns(unsigned patterns, unsigned events) {
    struct bench bench;
    char name[NAME_SIZE];
    open_bench(&bench, patterns);
    for (unsigned i = 0; i < patterns; i++) {
        snprintf(name, sizeof(name), "house/%u/*", i);
        join(&bench, i, name);
    }
    double start = now();
    for (unsigned i = 0; i < events; i++) {
        snprintf(name, sizeof(name), "house/%u/room", i % patterns);
        publish(&bench, name);
        flush(&bench);
    }
    printf("bench=hub-pattern patterns=%u ns_per_publish=%.0f\n", patterns,
           (now() - start) / events);
    close_bench(&bench);
}

int main(int argc, char **argv) {
    unsigned events = argc > 1 && strcmp(argv[1], "short") == 0 ? 100000 : 500000;
    mem_libc_steady(); // as the server does
    setvbuf(stdout, NULL, _IOLBF, 0);
    measure_topics(1000, events); // warms up, and is measured again
    for (unsigned topics = 1; topics <= MANY; topics *= 10) {
        measure_topics(topics, events);
    }
    measure_worst(MANY);
    measure_deliveries(1, 1);
    measure_deliveries(1000, 1);
    measure_deliveries(1000, 100);
    measure_deliveries(100000, 1);
    for (unsigned each = 1; each <= 100; each *= 10) {
        measure_selections(each, events);
    }
    for (unsigned patterns = 1; patterns <= 10000; patterns *= 10) {
        measure_patterns(patterns, events);
    }
    return 0;
}
