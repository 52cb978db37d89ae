// Who does the work of a load: the shared memory, the processes and the threads of listeners. A
// child process holds only listeners, because what runs out first is descriptors.
#ifndef LOAD_CREW_H
#define LOAD_CREW_H

#include <pthread.h>

#include "load/shared.h"

enum { SPARE_FILES = 32 }; // descriptors of a process that are no listener's

struct crew {
    struct load_shared *shared;
    pid_t children[LOAD_WORKERS_MAX];
    pthread_t threads[LOAD_WORKERS_MAX];
    unsigned child_count, thread_count;
};

// Maps the shared memory, without starting anything: 0 or ERR_NOMEM.
int crew_map(struct crew *crew, const struct load_settings *settings);

// Starts every worker; on failure some may run, and crew_end ends them: 0 or ERR_SYSTEM.
int crew_start(struct crew *crew);

// Sets the phase to LOAD_END and waits for all. Safe after any failure.
void crew_end(struct crew *crew);

// After crew_end.
void crew_unmap(struct crew *crew);

#endif
