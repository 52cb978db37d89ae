// Reading /proc. The time comes from schedstat, in nanoseconds; stat counts ticks of 10 ms and only
// tells how it divides between the program and the kernel.
#include "load/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 320 };

// The start of a file of /proc as text; empty when it cannot be read.
static void read_text(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, size - 1, file) : 0;
    text[len] = '\0';
    if (file) {
        fclose(file);
    }
}

static int64_t thread_ns(pid_t pid, const char *thread) {
    char path[PATH_SIZE], text[128];
    snprintf(path, sizeof(path), "/proc/%ld/task/%.64s/schedstat", (long)pid, thread);
    read_text(path, text, sizeof(text));
    return strtoll(text, NULL, 10);
}

static int64_t process_ns(pid_t pid) {
    char path[PATH_SIZE];
    int64_t sum = 0;
    snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    DIR *dir = opendir(path);
    if (!dir) {
        return -1;
    }
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        sum += entry->d_name[0] == '.' ? 0 : thread_ns(pid, entry->d_name);
    }
    closedir(dir);
    return sum;
}

// The number in this column, counted from 1, of fields that are divided by spaces.
static int64_t column(const char *text, int place) {
    for (; text && place > 1; place--) {
        text = strchr(text, ' ');
        text = text ? text + 1 : NULL;
    }
    return text ? strtoll(text, NULL, 10) : 0;
}

static void add_split(pid_t pid, struct usage *usage) {
    char path[PATH_SIZE], text[1024];
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    read_text(path, text, sizeof(text));
    // The name of the program may hold anything, so count from the parenthesis behind it, which is
    // followed by column 3.
    const char *after = strrchr(text, ')');
    if (after && after[1] == ' ') {
        int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
        usage->user_ns += column(after + 2, 14 - 2) * tick_ns;
        usage->system_ns += column(after + 2, 15 - 2) * tick_ns;
    }
}

struct usage usage_cpu(const pid_t *pids, unsigned count) {
    struct usage usage = {.cpu_ns = count ? 0 : -1, .pss_bytes = -1, .rss_bytes = -1};
    for (unsigned i = 0; i < count; i++) {
        int64_t ns = process_ns(pids[i]);
        usage.cpu_ns = ns < 0 || usage.cpu_ns < 0 ? -1 : usage.cpu_ns + ns;
        add_split(pids[i], &usage);
    }
    return usage;
}

static int64_t kilobytes(const char *line, const char *name) {
    size_t len = strlen(name);
    return strncmp(line, name, len) == 0 ? (int64_t)strtoll(line + len, NULL, 10) * 1024 : 0;
}

void usage_memory(const pid_t *pids, unsigned count, struct usage *usage) {
    usage->pss_bytes = usage->rss_bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        char path[PATH_SIZE], line[256];
        snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pids[i]);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file)) {
            usage->pss_bytes += kilobytes(line, "Pss:");
            usage->rss_bytes += kilobytes(line, "Rss:");
        }
        if (file) {
            fclose(file);
        }
    }
    if (usage->rss_bytes == 0) {
        usage->pss_bytes = usage->rss_bytes = -1;
    }
}
