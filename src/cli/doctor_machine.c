// Reads the facts, on Linux from /proc and /sys; elsewhere only what POSIX tells.
#include "cli/doctor_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/timex.h>
#endif

#include "base/clock.h"

enum { FILE_READ_MAX = 4096 };

// The text of a small file; false when it cannot be read.
static bool read_text(const char *path, char text[FILE_READ_MAX]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t len = read(fd, text, FILE_READ_MAX - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    return len > 0;
}

// The number at `index` (from 0) of the numbers in a file; -1 when it is not there, or "max".
static int64_t read_number(const char *path, unsigned index) {
    char text[FILE_READ_MAX];
    if (!read_text(path, text)) {
        return -1;
    }
    char *at = text, *end = text;
    for (;; index--) {
        errno = 0;
        int64_t number = strtoll(at, &end, 10);
        if (end == at || errno) {
            return -1;
        }
        if (index == 0) {
            return number;
        }
        at = end;
    }
}

static int64_t read_memory_available(void) {
    char text[FILE_READ_MAX];
    char *at = read_text("/proc/meminfo", text) ? strstr(text, "MemAvailable:") : NULL;
    return at ? strtoll(at + strlen("MemAvailable:"), NULL, 10) * 1024 : -1;
}

// What is left of the control group's limit: version 2, then version 1.
static int64_t read_memory_limit(void) {
    int64_t limit = read_number("/sys/fs/cgroup/memory.max", 0);
    int64_t used = read_number("/sys/fs/cgroup/memory.current", 0);
    if (limit < 0) {
        limit = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", 0);
        used = read_number("/sys/fs/cgroup/memory/memory.usage_in_bytes", 0);
    }
    // Version 1 has a number near the largest there is for "none".
    if (limit < 0 || used < 0 || limit > INT64_MAX / 2) {
        return -1;
    }
    return limit > used ? limit - used : 0;
}

static int64_t limit_of(int resource, bool hard) {
    struct rlimit limit;
    if (getrlimit((unsigned)resource, &limit) != 0) {
        return -1;
    }
    rlim_t value = hard ? limit.rlim_max : limit.rlim_cur;
    return value == RLIM_INFINITY || value > INT64_MAX ? -1 : (int64_t)value;
}

static int64_t read_synchronised(void) {
#ifdef __linux__
    struct timex state = {0};
    int rc = adjtimex(&state);
    return rc < 0 ? -1 : rc != TIME_ERROR && !(state.status & STA_UNSYNC);
#else
    return -1;
#endif
}

void doctor_machine_read(struct doctor_machine *machine) {
    int64_t tcp_pages = read_number("/proc/sys/net/ipv4/tcp_mem", 2);
    machine->descriptors = limit_of(RLIMIT_NOFILE, true);
    machine->descriptors_soft = limit_of(RLIMIT_NOFILE, false);
    machine->file_max = read_number("/proc/sys/fs/file-max", 0);
    machine->somaxconn = read_number("/proc/sys/net/core/somaxconn", 0);
    machine->syn_backlog = read_number("/proc/sys/net/ipv4/tcp_max_syn_backlog", 0);
    machine->syncookies = read_number("/proc/sys/net/ipv4/tcp_syncookies", 0);
    machine->port_low = read_number("/proc/sys/net/ipv4/ip_local_port_range", 0);
    machine->port_high = read_number("/proc/sys/net/ipv4/ip_local_port_range", 1);
    machine->memory_available = read_memory_available();
    machine->memory_limit = read_memory_limit();
    machine->address_space = limit_of(RLIMIT_AS, false);
    machine->tcp_mem_max = tcp_pages < 0 ? -1 : tcp_pages * sysconf(_SC_PAGESIZE);
    machine->overcommit = read_number("/proc/sys/vm/overcommit_memory", 0);
    machine->conntrack_max = read_number("/proc/sys/net/netfilter/nf_conntrack_max", 0);
    machine->conntrack_count = read_number("/proc/sys/net/netfilter/nf_conntrack_count", 0);
    machine->synchronised = read_synchronised();
    machine->now_ms = clock_wall_ms();
}
