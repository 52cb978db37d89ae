// Everything here is Linux's, as the measurements are.
#include "lab.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int64_t lab_now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double lab_now_s(clockid_t clock) {
    return (double)lab_now_ns(clock) / 1e9;
}

void lab_sleep_until_ns(int64_t ns) {
    struct timespec at = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

void lab_pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= 0) {
        CPU_SET((size_t)cpu, &set);
        if (sched_setaffinity(0, sizeof(set), &set) != 0) {
            lab_die("cannot pin to that processor");
        }
    }
}

void lab_take_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

double lab_cpu_s(int pid) {
    char name[64], text[1024];
    unsigned long user, kernel;
    snprintf(name, sizeof(name), "/proc/%d/stat", pid);
    FILE *in = fopen(name, "r");
    size_t len = in ? fread(text, 1, sizeof(text) - 1, in) : 0;
    text[len] = '\0';
    char *at = strrchr(text, ')'); // the program's name may have anything in it
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                      &kernel) != 2) {
        lab_die(name);
    }
    fclose(in);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

void lab_die(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

void lab_give_up(const char *why) {
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
    exit(1);
}
