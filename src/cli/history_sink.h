// Where an export goes: standard output, or a file that has its name only when it is whole.
#ifndef CLI_HISTORY_SINK_H
#define CLI_HISTORY_SINK_H

#include <stdbool.h>

#include "base/buf.h"

struct history_sink {
    const char *name; // borrowed; NULL: standard output
    char *part;       // what the file is called until it is whole; NULL: it is written as it is
    int fd;
    struct buf buf; // what the next write takes
    uint64_t bytes; // written
};

// 0 or ERR_SYSTEM (errno says how) or ERR_NOMEM. A name of something that is no plain file (a pipe,
// a device) is written to directly.
int history_sink_open(struct history_sink *sink, const char *name);

// Writes what has gathered, when that is enough or `all`. 0; ERR_GONE when the reader went away or
// the end was asked for; ERR_SYSTEM.
int history_sink_flush(struct history_sink *sink, bool all);

// Gives the file its name when it is whole, and removes what there is of it when not. 0 or
// ERR_SYSTEM. The sink is finished in any case.
int history_sink_close(struct history_sink *sink, bool whole);

#endif
