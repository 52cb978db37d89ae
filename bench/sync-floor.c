// The floor under a durable publish: a bare loop that appends an event's bytes to a file and waits
// for fdatasync(2), with nothing around it. What anyone pays who syncs each event by itself. Prints
// one line.
//
//     sync-floor [--dir DIR] [--size BYTES] [--seconds S]
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"

struct wish {
    const char *dir;
    int size, seconds;
};

static struct wish read_wish(int argc, char **argv) {
    struct wish wish = {.dir = ".", .size = 200, .seconds = 3};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--dir") == 0) {
            wish.dir = argv[i + 1];
        } else if (strcmp(argv[i], "--size") == 0) {
            wish.size = atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            wish.seconds = atoi(argv[i + 1]);
        }
    }
    return wish;
}

// Gone from the directory at once, so that nothing is left whatever happens.
static int open_file(const char *dir) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/sync-floor.XXXXXX", dir);
    int fd = mkstemp(path);
    if (fd < 0 || unlink(path)) {
        lab_die("cannot make a file");
    }
    return fd;
}

int main(int argc, char **argv) {
    struct wish wish = read_wish(argc, argv);
    char *event = malloc((size_t)wish.size + 1);
    int fd = open_file(wish.dir);
    unsigned long long events = 0;
    double begun = lab_now_s(CLOCK_MONOTONIC), ended = begun;
    if (!event) {
        lab_die("no memory");
    }
    memset(event, 'x', (size_t)wish.size);
    for (; ended < begun + wish.seconds; ended = lab_now_s(CLOCK_MONOTONIC), events++) {
        if (write(fd, event, (size_t)wish.size) != wish.size || fdatasync(fd)) {
            lab_die("cannot write");
        }
    }
    printf("size=%d events=%llu events_per_s=%.0f us_per_event=%.1f\n", wish.size, events,
           (double)events / (ended - begun), (ended - begun) * 1e6 / (double)events);
    close(fd);
    free(event);
    return 0;
}
