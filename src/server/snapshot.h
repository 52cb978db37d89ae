// The settings in force, and what was made from them: one immutable block, replaced as a whole when the
// settings are reloaded.
//
// Workers read server->settings and server->live as they go, without a lock: each is one atomic
// pointer. A block that was replaced stays until each worker has come to the task that it was posted
// then. A task never runs within a callback, so no worker still holds a piece of the old block by
// then; nobody may keep a pointer into the settings from one callback to the next. Other threads than
// workers read them only while they hold what keeps the replacing out (access.making).
#ifndef SERVER_SNAPSHOT_H
#define SERVER_SNAPSHOT_H

#include <stdatomic.h>

#include "auth/admin_token.h"
#include "base/bytes.h"
#include "net/network.h"
#include "server/mailbox.h"
#include "server/settings.h"

struct server;
struct snapshot;

enum { SNAPSHOT_PROBLEM_MAX = 512 };

struct retirement {
    struct task task;
    struct snapshot *of;
};

struct snapshot {
    atomic_uint refs;
    const struct settings *settings;
    void (*destroy)(
        struct snapshot *snapshot); // frees it and the settings; NULL: they are another's
    struct bytes *origins;          // the setting, as slices
    size_t origin_count;
    bool any_origin, any_host; // "*" is among the origins, or among the names of --host
    struct network *trusted;   // proxies that are believed
    size_t trusted_count;
    struct admin_token admin;
    struct retirement *retiring; // one for each worker, once it is being replaced
};

// A block of these settings with one reference, the caller's, and nothing made from them yet.
void snapshot_init(struct snapshot *snapshot, const struct settings *settings,
                   void (*destroy)(struct snapshot *snapshot));

// Makes what is made from the settings: 0, or a negative error and a sentence in `problem` (empty:
// there is no memory). The main thread.
int snapshot_derive(struct snapshot *snapshot, char problem[SNAPSHOT_PROBLEM_MAX]);

// Any thread. NULL is harmless.
void snapshot_unref(struct snapshot *snapshot);

// What server_open begins with. The main thread, before there are others.
void snapshot_first(struct server *server, const struct settings *settings);

// Room for replacing what is in force: 0 or ERR_NOMEM. The main thread.
int snapshot_prepare(const struct server *server, struct retirement **out);

// `next` is in force from here on; its reference passes to the server. Each worker takes in what it
// keeps a copy of (its windows' budgets), and the block before goes when the last has. The main
// thread; with access.making held.
void snapshot_replace(struct server *server, struct snapshot *next, struct retirement *retiring);

#endif
