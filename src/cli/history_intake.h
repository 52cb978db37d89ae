// Events on their way into a history on disk that nobody serves from: each gets its place, and as
// many wait in memory as a bound allows. A new directory is made with the first event. One thread.
#ifndef CLI_HISTORY_INTAKE_H
#define CLI_HISTORY_INTAKE_H

#include "history/disk.h"

enum { HISTORY_INTAKE_PROBLEM_MAX = 512 };

struct history_intake {
    const char *path; // borrowed
    struct hash_key key;
    struct history *history; // NULL: not yet
    int wake;                // an eventfd: the writer has something to tell
    event_id newest;         // of all places that were ever given out here
    uint64_t stored, moved, repeated;
    char problem[HISTORY_INTAKE_PROBLEM_MAX];
};

enum history_intake_result {
    HISTORY_TAKEN,
    HISTORY_REPEATED, // it is there already, in that place
    HISTORY_TOO_LATE, // its place lies so far in the future that it would spoil all later ones
};

// 0, ERR_NOMEM or ERR_SYSTEM. What is there is opened at once; what is not is made later.
int history_intake_open(struct history_intake *intake, const char *path);

// Takes the frame, which is not sealed, at `at`, or where there is no room behind what is there; 0
// asks for the present. The caller keeps its reference. Waits while too much is under way. A result,
// or a negative error with a sentence in `problem`: ERR_SYSTEM, ERR_NOMEM, ERR_GONE when the end was
// asked for.
int history_intake_add(struct history_intake *intake, struct frame *frame, event_id at);

// Waits until all is on disk, and closes: 0, or a negative error with a sentence. In any case nothing
// is left open, and what is on disk is in order.
int history_intake_close(struct history_intake *intake);

#endif
