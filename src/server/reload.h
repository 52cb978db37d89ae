// Reloading: everything that can change while the server runs is read again, all or nothing. On SIGHUP
// and on POST /api/reload. The main thread.
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "server/reload_notes.h"
#include "server/snapshot.h"

struct server;

// How settings are read again: the command line knows.
struct settings_source {
    // A block of settings in which everything that cannot change is as in `running`, and notes of what
    // differs: 0, or a negative error and notes->problem.
    int (*read)(void *ctx, const struct settings *running, struct snapshot **out,
                struct reload_notes *notes);
    void *ctx;
};

// Logs which of the files that a reload reads this process may not read any more, as `name`.
void reload_warn_unreadable(const struct server *server, const char *name);

// Reads everything again: settings, keys, certificates, the administrators' token; and opens the audit
// log anew. 0; or a negative error, notes->problem says why, and all is as it was. Either is logged.
int reload_run(struct server *server, struct reload_notes *notes);

#endif
