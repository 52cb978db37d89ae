// What a process has used, as Linux tells it in /proc: processor time and memory. On other systems
// nothing is known.
#ifndef LOAD_USAGE_H
#define LOAD_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct usage {
    int64_t cpu_ns;    // of all threads that are alive; -1: not known
    int64_t user_ns;   // the part spent outside of the kernel, to 10 ms
    int64_t system_ns; // the part inside, likewise
    int64_t pss_bytes; // proportional set size; -1: not known
    int64_t rss_bytes;
};

// The processor time of all these processes together; cheap.
struct usage usage_cpu(const pid_t *pids, unsigned count);

// Their memory together. This walks their page tables, which takes them time.
void usage_memory(const pid_t *pids, unsigned count, struct usage *usage);

#endif
