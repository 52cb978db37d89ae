// A table grows when a descriptor of a high number is opened, and does not shrink when it is closed.
#include "net/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WIDEN_MAX = 1 << 20 }; // 8 MB of the kernel's memory

uint64_t descriptors_raise(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return 0;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max;
}

void descriptors_widen(uint64_t count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return;
    }
    count = count < limit.rlim_cur ? count : limit.rlim_cur;
    count = count < WIDEN_MAX ? count : WIDEN_MAX;
    int here = open("/", O_RDONLY | O_CLOEXEC);
    if (here < 0) {
        return;
    }
    int there = count > 1 ? fcntl(here, F_DUPFD_CLOEXEC, (int)count - 1) : -1;
    if (there >= 0) {
        close(there);
    }
    close(here);
}
