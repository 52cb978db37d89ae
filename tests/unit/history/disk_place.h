// A directory for a history on disk, and the history in it: opened, left in the middle, opened
// again. Not for threads: one place at a time.
#ifndef TESTS_HISTORY_DISK_PLACE_H
#define TESTS_HISTORY_DISK_PLACE_H

#include "past.h"

#include <sys/resource.h>

#include "history/disk.h"

extern const struct backend DISK;

// How the next history is opened; reset by disk_place_clean.
struct disk_place {
    char path[256]; // "" until something is opened
    struct disk_settings settings;
    int64_t now; // the wall clock
    event_id newest;
    char problem[512];
};
extern struct disk_place disk_place;

// Makes the directory's name, and the settings of a server that waits for its commits.
void disk_place_init(void);

// Opens what is there: as history_disk_open.
int disk_place_open(struct fixture *fixture, const struct history_limits *limits);

// The same, and it must work: a fixture as fixture_init makes it.
void disk_place_begin(struct fixture *fixture, const struct history_limits *limits);

// Closes, in order, and leaves the files.
void disk_place_close(struct fixture *fixture);

// Waits until the history says so of itself.
void disk_place_await(const struct fixture *fixture, enum history_state wanted);

// No file of this process may be written beyond this size: what a full disk does, without one.
void disk_place_limit_files(rlim_t bytes);

// Removes the directory.
void disk_place_clean(void);

#endif
