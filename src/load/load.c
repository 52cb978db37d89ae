// The conductor: it starts the listeners, waits until all of them listen, lets the publishers keep
// to their timetable, waits until everything has arrived, and writes the result. The order of
// load_run is the order in which things happen.
#include "load/load.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/thread.h"
#include "load/crew.h"
#include "load/gunzip.h"
#include "load/stamp.h"
#include "net/descriptors.h"

enum {
    TICK_MS = 5,
    PROGRESS_US = 200000,
    SETTLE_US = 300000, // for the server to finish with what connecting left behind
    IDLE_US = 10000,    // an idle worker looks up, and writes down its time, this often
};

struct conductor {
    struct crew crew;
    struct load_shared *shared;
    const struct load_settings *settings;
    struct load_result *result;
    pthread_t publishing;
    struct publishers_plan plan;
    atomic_bool published_all;
    int published_rc;
    const char *doing;
    double expected_s;
    int64_t told_us;
    bool stopped;
};

struct sums {
    uint64_t delivered, received, sent, requests, faults, asked, listening, refused, closed,
        caught_up, started;
    int64_t ready_us, last_us, caught_us, cpu_ns, busiest_ns;
    bool failed;
};

void load_settings_default(struct load_settings *settings) {
    *settings = (struct load_settings){.publish_type = "text/plain",
                                       .topic_prefix = "bench/",
                                       .subscribers = 1000,
                                       .topics = 1,
                                       .topics_per_listener = 1,
                                       .publishers = 1,
                                       .pipeline = 1,
                                       .threads = 1,
                                       .processes = 1,
                                       .connecting = 256,
                                       .rate = 50,
                                       .size = 100,
                                       .duration_ms = 10000,
                                       .warmup_ms = 1000,
                                       .patience_ms = 5000};
}

static int64_t newer(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static struct sums sum(const struct load_shared *shared) {
    struct sums sums = {0};
    for (unsigned i = 0; i < shared->workers; i++) {
        struct load_tally *tally = &shared->tallies[i];
        int64_t cpu_ns = atomic_load(&tally->cpu_ns);
        sums.delivered += atomic_load(&tally->delivered);
        sums.received += atomic_load(&tally->received);
        sums.sent += atomic_load(&tally->sent);
        sums.requests += atomic_load(&tally->requests);
        sums.faults += atomic_load(&tally->faults);
        sums.listening += atomic_load(&tally->listening);
        sums.asked += atomic_load(&tally->asked);
        sums.started += atomic_load(&tally->started);
        sums.refused += atomic_load(&tally->refused);
        sums.closed += atomic_load(&tally->closed);
        sums.caught_up += atomic_load(&tally->caught_up);
        sums.failed |= atomic_load(&tally->failed);
        sums.ready_us = newer(sums.ready_us, atomic_load(&tally->ready_us));
        sums.last_us = newer(sums.last_us, atomic_load(&tally->last_us));
        sums.caught_us = newer(sums.caught_us, atomic_load(&tally->caught_us));
        sums.cpu_ns += cpu_ns;
        sums.busiest_ns = newer(sums.busiest_ns, cpu_ns);
    }
    int64_t publishing_ns = atomic_load(&shared->books.cpu_ns);
    sums.cpu_ns += publishing_ns;
    sums.busiest_ns = newer(sums.busiest_ns, publishing_ns);
    return sums;
}

// ---- waiting ----

static void tell(struct conductor *conductor, int64_t now_us, const struct sums *sums) {
    const struct load_settings *settings = conductor->settings;
    if (!settings->progress || now_us - conductor->told_us < PROGRESS_US) {
        return;
    }
    struct load_progress progress = {
        .doing = conductor->doing,
        .elapsed_s = (double)now_us / 1e6,
        .expected_s = conductor->expected_s,
        .listening = sums->listening,
        .listeners = settings->subscribers,
        .published = atomic_load(&conductor->shared->books.published),
        .delivered = sums->delivered,
        .faults = sums->faults,
    };
    conductor->told_us = now_us;
    conductor->stopped |= !settings->progress(settings->ctx, &progress);
}

static struct sums pause_a_little(struct conductor *conductor) {
    struct timespec tick = {.tv_nsec = TICK_MS * 1000000};
    nanosleep(&tick, NULL);
    struct sums sums = sum(conductor->shared);
    tell(conductor, load_now_us(conductor->shared), &sums);
    return sums;
}

static void wait_until(struct conductor *conductor, int64_t until_us) {
    while (!conductor->stopped && load_now_us(conductor->shared) < until_us) {
        pause_a_little(conductor);
    }
}

// Waits until what `count` counts has reached its goal, or nothing moves any more.
typedef uint64_t counted(const struct sums *sums);

static struct sums wait_for(struct conductor *conductor, const char *doing, counted *count,
                            uint64_t goal) {
    struct load_shared *shared = conductor->shared;
    int64_t moved_us = load_now_us(shared), patience_us = conductor->settings->patience_ms * 1000;
    uint64_t before = 0;
    struct sums sums = sum(shared);
    conductor->doing = doing;
    while (!conductor->stopped && !sums.failed && count(&sums) < goal) {
        sums = pause_a_little(conductor);
        if (count(&sums) != before) {
            before = count(&sums);
            moved_us = load_now_us(shared);
        } else if (load_now_us(shared) - moved_us > patience_us) {
            break;
        }
    }
    return sums;
}

static uint64_t arrived(const struct sums *sums) {
    return sums->listening + sums->refused;
}

static uint64_t asked(const struct sums *sums) {
    return sums->asked + sums->refused;
}

static uint64_t delivered(const struct sums *sums) {
    return sums->delivered;
}

static uint64_t caught_up(const struct sums *sums) {
    return sums->caught_up;
}

// ---- events ----

static void *publish(void *ctx) {
    struct conductor *conductor = ctx;
    conductor->published_rc = publishers_run(conductor->shared, &conductor->plan);
    atomic_store(&conductor->published_all, true);
    return NULL;
}

static int start_publishing(struct conductor *conductor, struct publishers_plan plan) {
    conductor->plan = plan;
    atomic_store(&conductor->published_all, false);
    return thread_start(&conductor->publishing, publish, conductor);
}

static int finish_publishing(struct conductor *conductor) {
    while (!atomic_load(&conductor->published_all)) {
        pause_a_little(conductor);
        if (conductor->stopped) {
            atomic_store(&conductor->shared->stop_publishing, true);
        }
    }
    pthread_join(conductor->publishing, NULL);
    return conductor->published_rc;
}

// How many deliveries there must be once everything published so far has arrived.
static uint64_t expected(const struct load_shared *shared) {
    const struct load_settings *settings = shared->settings;
    uint64_t topics = settings->topics, holds = shared->listener_topics, deliveries = 0;
    uint64_t all = settings->subscribers * holds, rest = all % topics;
    for (unsigned lane = 0; lane < shared->lanes; lane++) {
        // Listener n has the `holds` topics from n * holds on, so the topics are taken in turn.
        uint64_t listeners = all / topics + (lane % topics < rest);
        deliveries += listeners * atomic_load(&shared->published[lane]);
    }
    return deliveries;
}

static unsigned processors(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
}

static void note_own_cpu(struct load_result *result, const struct sums *from, const struct sums *to,
                         double wall_s) {
    double cpu_s = (double)(to->cpu_ns - from->cpu_ns) / 1e9;
    result->processors = processors();
    result->own_cpu_s = cpu_s;
    if (wall_s > 0) {
        result->busiest = (double)(to->busiest_ns - from->busiest_ns) / 1e9 / wall_s;
        result->crowded = cpu_s / wall_s / result->processors;
    }
}

static void note_traffic(struct load_result *result, const struct sums *from,
                         const struct sums *to) {
    result->received = to->received - from->received;
    result->sent = to->sent - from->sent;
    result->requests = to->requests - from->requests;
    result->carried = to->delivered - from->delivered;
}

static int run_timetable(struct conductor *conductor) {
    struct load_shared *shared = conductor->shared;
    const struct load_settings *settings = conductor->settings;
    struct load_result *result = conductor->result;
    int64_t from = load_now_us(shared) + 10000, measure = from + settings->warmup_ms * 1000;
    conductor->doing = "publishing";
    atomic_store(&shared->measure_from_us, measure);
    int rc = start_publishing(
        conductor, (struct publishers_plan){.from_us = from,
                                            .until_us = measure + settings->duration_ms * 1000,
                                            .rate = settings->rate});
    if (rc) {
        return rc;
    }
    wait_until(conductor, measure);
    result->before = usage_cpu(settings->pids, settings->pid_count);
    struct sums sums = sum(shared);
    rc = finish_publishing(conductor);
    struct sums end = wait_for(conductor, "draining", delivered, expected(shared));
    result->after = usage_cpu(settings->pids, settings->pid_count);
    int64_t last_us = newer(end.last_us, measure + settings->duration_ms * 1000);
    last_us = conductor->stopped ? load_now_us(shared) : last_us;
    result->measured_s = (double)(last_us - measure) / 1e6;
    note_own_cpu(result, &sums, &end, result->measured_s);
    note_traffic(result, &sums, &end);
    return rc;
}

static void enter(struct conductor *conductor, int phase) {
    atomic_store(&conductor->shared->phase_us, load_now_us(conductor->shared));
    atomic_store(&conductor->shared->phase, phase);
}

static int publish_rounds(struct conductor *conductor, unsigned rounds) {
    conductor->doing = "publishing";
    int rc = start_publishing(conductor, (struct publishers_plan){.rounds = rounds});
    return rc ? rc : finish_publishing(conductor);
}

// Everyone gets an event and so a cursor, leaves, misses some, and comes back.
static int run_storm(struct conductor *conductor) {
    struct load_shared *shared = conductor->shared;
    const struct load_settings *settings = conductor->settings;
    struct load_result *result = conductor->result;
    int rc = publish_rounds(conductor, 1);
    wait_for(conductor, "draining", delivered, expected(shared));
    enter(conductor, LOAD_LEAVE);
    wait_until(conductor, load_now_us(shared) + SETTLE_US);
    rc = rc ? rc : publish_rounds(conductor, settings->catch_up);
    wait_until(conductor, load_now_us(shared) + SETTLE_US);
    result->before = usage_cpu(settings->pids, settings->pid_count);
    struct sums before = sum(shared);
    enter(conductor, LOAD_RETURN);
    struct sums after = wait_for(conductor, "catching up", caught_up, settings->subscribers);
    result->after = usage_cpu(settings->pids, settings->pid_count);
    int64_t began = atomic_load(&shared->phase_us);
    result->caught_up = (unsigned)after.caught_up;
    result->catch_up_s = (double)(newer(after.caught_us, began) - began) / 1e6;
    result->reconnect_s = (double)(newer(after.ready_us, began) - began) / 1e6;
    result->measured_s = result->catch_up_s;
    note_own_cpu(result, &before, &after, result->catch_up_s);
    note_traffic(result, &before, &after);
    return rc;
}

// ---- all of it ----

static void signal_server(const struct load_settings *settings, int what) {
    for (unsigned i = 0; i < settings->pid_count; i++) {
        kill(settings->pids[i], what);
    }
}

// Starts the listeners, and returns when connecting began. A herd gathers at the door of a server
// that stands still: the kernel completes connections without it, and what it takes to make them is
// over before it begins to serve. So the generator's half of a connection, which is the dearer one,
// holds nothing up.
static int start_connecting(struct conductor *conductor, int64_t *began, struct sums *before) {
    struct load_shared *shared = conductor->shared;
    const struct load_settings *settings = conductor->settings;
    *before = (struct sums){0};
    *began = load_now_us(shared);
    enter(conductor, LOAD_CONNECT);
    if (settings->herd) {
        signal_server(settings, SIGSTOP);
    }
    int rc = crew_start(&conductor->crew);
    if (settings->herd) {
        if (rc == 0) {
            wait_for(conductor, "gathering", asked, settings->subscribers);
            wait_until(conductor, load_now_us(shared) + 2 * IDLE_US);
        }
        *before = sum(shared);
        *began = load_now_us(shared);
        signal_server(settings, SIGCONT);
    }
    return rc;
}

static int connect_all(struct conductor *conductor) {
    struct load_shared *shared = conductor->shared;
    const struct load_settings *settings = conductor->settings;
    struct load_result *result = conductor->result;
    struct usage settled = result->idle;
    struct sums before;
    int64_t began;
    int rc = start_connecting(conductor, &began, &before);
    if (rc) {
        snprintf(result->problem, sizeof(result->problem), "cannot start its threads: %s",
                 strerror(errno));
        return rc;
    }
    struct sums sums = wait_for(conductor, "connecting", arrived, settings->subscribers);
    result->listening = (unsigned)sums.listening;
    result->connect_s = (double)(newer(sums.ready_us, began) - began) / 1e6;
    result->connected = usage_cpu(settings->pids, settings->pid_count);
    wait_until(conductor, load_now_us(shared) + 2 * IDLE_US);
    sums = sum(shared);
    if (result->connect_s > 0) {
        result->connect_busiest =
            (double)(sums.busiest_ns - before.busiest_ns) / 1e9 / result->connect_s;
    }
    if (sums.failed) {
        snprintf(result->problem, sizeof(result->problem), "there is not enough memory to start");
        return ERR_NOMEM;
    }
    wait_until(conductor, load_now_us(shared) + (settings->subscribers ? SETTLE_US : 0));
    if (settings->pid_count) {
        usage_memory(settings->pids, settings->pid_count, &settled);
    }
    result->settled_pss = settled.pss_bytes;
    return 0;
}

static void collect(struct conductor *conductor) {
    const struct load_shared *shared = conductor->shared;
    struct load_result *result = conductor->result;
    struct sums sums = sum(shared);
    for (unsigned i = 0; i < shared->workers; i++) {
        const struct load_tally *tally = &shared->tallies[i];
        result->damaged += tally->damaged;
        result->foreign += tally->foreign;
        result->faults.missing += tally->sequence.missing;
        result->faults.late += tally->sequence.late;
        result->faults.duplicates += tally->sequence.duplicates;
        result->measured_deliveries += atomic_load(&tally->measured);
        histogram_merge(&result->latency, &tally->latency);
        histogram_merge(&result->catch_up, &tally->catch_up);
    }
    result->refused = (unsigned)sums.refused;
    result->closed = (unsigned)sums.closed;
    result->bytes = sums.received;
    result->delivered = sums.delivered;
    result->expected = expected(shared);
    result->due = shared->books.due + shared->books.unsent;
    result->published = atomic_load(&shared->books.acknowledged);
    result->refused_events = atomic_load(&shared->books.refused);
    result->unsent = shared->books.unsent;
    result->measured_published = atomic_load(&shared->books.measured);
    result->acknowledged = shared->books.acknowledged_us;
    result->late = shared->books.late_us;
    result->interrupted = conductor->stopped;
}

static int check_url(const char *what, const char *url, struct target *target,
                     struct load_result *result) {
    const char *wrong = target_parse(url, target);
    if (wrong) {
        snprintf(result->problem, sizeof(result->problem), "the %s URL %.100s: %s", what, url,
                 wrong);
    }
    return wrong ? ERR_INVALID : 0;
}

static int check_gzip(const struct load_settings *settings, struct load_result *result) {
    if (!settings->gzip || gunzip_is_built_in()) {
        return 0;
    }
    snprintf(result->problem, sizeof(result->problem),
             "this build has no zlib, and cannot look into what is packed");
    return ERR_INVALID;
}

// A process needs a descriptor for each of its listeners.
static int check_files(const struct load_settings *settings, struct load_result *result) {
    uint64_t limit = descriptors_raise();
    unsigned each = (settings->subscribers + settings->processes - 1) / settings->processes;
    unsigned long need =
        (unsigned long)each + settings->publishers + settings->threads * 2 + SPARE_FILES;
    if (limit == 0 || need <= limit) {
        return 0;
    }
    unsigned long room = limit > 2 * SPARE_FILES + settings->publishers
                             ? (unsigned long)limit - 2 * SPARE_FILES - settings->publishers
                             : 1;
    snprintf(result->problem, sizeof(result->problem),
             "%u listeners need %lu descriptors in each process, and the limit is %lu; "
             "use --processes %lu, or raise ulimit -n",
             settings->subscribers, need, (unsigned long)limit,
             (settings->subscribers + room - 1) / room);
    return ERR_TOO_LARGE;
}

static int conduct(struct conductor *conductor) {
    const struct load_settings *settings = conductor->settings;
    struct load_result *result = conductor->result;
    result->idle = usage_cpu(settings->pids, settings->pid_count);
    if (settings->pid_count) {
        usage_memory(settings->pids, settings->pid_count, &result->idle);
    }
    conductor->expected_s = (double)(settings->warmup_ms + settings->duration_ms) / 1e3;
    int rc = connect_all(conductor);
    if (rc == 0 && !conductor->stopped && result->listening == settings->subscribers) {
        rc = settings->catch_up ? run_storm(conductor) : run_timetable(conductor);
        if (rc) {
            snprintf(result->problem, sizeof(result->problem), "cannot publish: %s",
                     strerror(errno));
        }
    }
    crew_end(&conductor->crew);
    collect(conductor);
    return rc;
}

int load_run(const struct load_settings *settings, struct load_result *result) {
    struct conductor conductor = {.settings = settings, .result = result};
    struct target subscribe, publish;
    *result = (struct load_result){.settled_pss = -1};
    int rc = check_url("subscribe", settings->subscribe_url, &subscribe, result);
    rc = rc ? rc : check_url("publish", settings->publish_url, &publish, result);
    rc = rc ? rc : check_gzip(settings, result);
    rc = rc ? rc : check_files(settings, result);
    if (rc) {
        return rc;
    }
    rc = crew_map(&conductor.crew, settings);
    if (rc) {
        snprintf(result->problem, sizeof(result->problem), "there is not enough memory to start");
        return rc;
    }
    conductor.shared = conductor.crew.shared;
    conductor.shared->subscribe = subscribe;
    conductor.shared->publish = publish;
    rc = conduct(&conductor);
    crew_unmap(&conductor.crew);
    return rc;
}
