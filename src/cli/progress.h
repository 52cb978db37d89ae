// How far a long piece of work is: a line on standard error that is rewritten on a terminal, or a
// line now and then for whoever asked for it elsewhere. Not for threads.
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress_state {
    const char *what;       // what the events are called; NULL: events
    uint64_t events, bytes; // 0: not told
    uint64_t done, all;     // of whatever the percents are; all 0: nobody knows
};

struct progress {
    const char *program;
    bool terminal, asked;
    int64_t begun, shown; // monotonic; shown 0: nothing is on the line
    struct progress_state last;
};

enum { PROGRESS_LINE_MAX = 128 };

// `asked`: also where standard error is no terminal. Lines begin with `program` there.
void progress_init(struct progress *progress, const char *program, bool asked);

// Cheap enough to be called often: it looks at the clock and mostly does nothing else.
void progress_show(struct progress *progress, const struct progress_state *state);

// Makes room for a sentence on standard error.
void progress_clear(struct progress *progress);

// The end: leaves the terminal's line empty; where it was asked for, a last line says it all.
void progress_finish(struct progress *progress);

// The text of a line: "1200 events, 3.4 MiB, 600 events/s, 40 %". Pure.
void progress_line(const struct progress_state *state, int64_t elapsed_ms,
                   char out[PROGRESS_LINE_MAX]);

#endif
