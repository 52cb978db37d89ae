// What a reload changed, and what it could not: for the log and for who asked. The main thread.
#ifndef SERVER_RELOAD_NOTES_H
#define SERVER_RELOAD_NOTES_H

#include <stdbool.h>

#include "base/buf.h"

enum { RELOAD_PROBLEM_MAX = 1024 };

struct reload_note {
    char *setting;
    char *from, *to; // NULL: they are not shown
    bool waits;      // for a restart
};

struct reload_notes {
    struct reload_note *notes;
    size_t count;
    char problem[RELOAD_PROBLEM_MAX]; // why nothing was changed; empty: it went well
};

void reload_notes_init(struct reload_notes *notes);
void reload_notes_finish(struct reload_notes *notes);

// 0 or ERR_NOMEM. NULL for `from` and `to`: the values are nobody's business.
int reload_notes_change(struct reload_notes *notes, const char *setting, const char *from,
                        const char *to);
int reload_notes_restart(struct reload_notes *notes, const char *setting);

// {"changed":[{"setting":"…","from":"…","to":"…"}],"restart":["…"]}, appended: 0 or a negative error.
int reload_notes_json(const struct reload_notes *notes, struct buf *out);

// A line each.
void reload_notes_log(const struct reload_notes *notes);

#endif
