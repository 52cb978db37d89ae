// Starting and ending the workers of a load.
#include "load/crew.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/error.h"
#include "base/random.h"
#include "base/thread.h"
#include "load/stamp.h"
#include "net/descriptors.h"

struct post {
    struct load_shared *shared;
    unsigned index;
};

int64_t load_now_us(const struct load_shared *shared) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - shared->base_ns) / 1000;
}

int64_t load_thread_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void lay_out(struct load_shared *shared, const struct load_settings *settings) {
    unsigned topics = settings->topics;
    shared->settings = settings;
    shared->workers = settings->threads;
    shared->lanes = topics > settings->publishers ? topics : settings->publishers;
    shared->lanes_each = (shared->lanes + topics - 1) / topics;
    shared->listener_topics = settings->pattern ? topics : settings->topics_per_listener;
}

int crew_map(struct crew *crew, const struct load_settings *settings) {
    struct load_shared plan = {0};
    uint32_t seed = (uint32_t)getpid();
    lay_out(&plan, settings);
    size_t tallies = sizeof(struct load_tally) * plan.workers;
    plan.size = sizeof(plan) + 64 + tallies + sizeof(atomic_uint) * plan.lanes;
    char *at = mmap(NULL, plan.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        return ERR_NOMEM;
    }
    struct load_shared *shared = (struct load_shared *)at;
    *shared = plan;
    shared->tallies = (struct load_tally *)(at + (sizeof(plan) + 63) / 64 * 64);
    shared->published = (atomic_uint *)(shared->tallies + plan.workers);
    random_seed(&seed, sizeof(seed));
    shared->run = seed % STAMP_RUNS;
    shared->base_ns = load_now_us(shared) * 1000;
    atomic_init(&shared->measure_from_us, INT64_MAX);
    crew->shared = shared;
    return 0;
}

static void *work(void *ctx) {
    struct post *post = ctx;
    if (listeners_run(post->shared, post->index) != 0) {
        atomic_store(&post->shared->tallies[post->index].failed, true);
    }
    free(post);
    return NULL;
}

// The workers of this process are those whose number is `process` modulo the processes.
static int start_threads(struct crew *crew, unsigned process) {
    struct load_shared *shared = crew->shared;
    descriptors_widen(shared->settings->subscribers / shared->settings->processes + SPARE_FILES);
    for (unsigned index = process; index < shared->workers; index += shared->settings->processes) {
        struct post *post = malloc(sizeof(*post));
        if (!post) {
            return ERR_NOMEM;
        }
        *post = (struct post){.shared = shared, .index = index};
        if (thread_start(&crew->threads[crew->thread_count], work, post)) {
            free(post);
            return ERR_SYSTEM;
        }
        crew->thread_count++;
    }
    return 0;
}

static void join_threads(struct crew *crew) {
    while (crew->thread_count) {
        pthread_join(crew->threads[--crew->thread_count], NULL);
    }
}

static void be_a_child(struct crew *crew, unsigned process, pid_t parent) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    // The terminal sends its signals to all; the parent decides when it is over.
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    if (getppid() != parent) {
        _exit(1);
    }
    int rc = start_threads(crew, process);
    join_threads(crew);
    _exit(rc ? 1 : 0);
}

int crew_start(struct crew *crew) {
    pid_t parent = getpid();
    for (unsigned process = 1; process < crew->shared->settings->processes; process++) {
        pid_t child = fork();
        if (child < 0) {
            return ERR_SYSTEM;
        }
        if (child == 0) {
            be_a_child(crew, process, parent);
        }
        crew->children[crew->child_count++] = child;
    }
    return start_threads(crew, 0);
}

void crew_end(struct crew *crew) {
    atomic_store(&crew->shared->phase, LOAD_END);
    join_threads(crew);
    while (crew->child_count) {
        waitpid(crew->children[--crew->child_count], NULL, 0);
    }
}

void crew_unmap(struct crew *crew) {
    if (crew->shared) {
        munmap(crew->shared, crew->shared->size);
        crew->shared = NULL;
    }
}
