// Which topics somebody listens to, over all workers, and when to say so: at once when the first comes,
// and some time after the last has gone, so that a reconnect says nothing. Pure: time is an argument.
// Whoever uses it from several threads locks it.
#ifndef SERVER_PRESENCE_H
#define SERVER_PRESENCE_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"

enum { PRESENCE_LEAVING_MAX = 65536 }; // beyond it, the time of the oldest has come

struct presence {
    const struct mem *mem;
    struct hash_key key;
    struct map topics;
    struct list leaving; // those that nobody holds, the one whose time comes first in front
    size_t leaving_count;
    int64_t grace_ms;
};

void presence_init(struct presence *presence, const struct mem *mem, const struct hash_key *key,
                   int64_t grace_ms);
void presence_finish(struct presence *presence);

// One more holds this topic or pattern. 1: it is the first; 0; or ERR_NOMEM, and it counts for nothing.
int presence_enter(struct presence *presence, struct bytes name);

// One less; of a name that is not known nothing happens.
void presence_leave(struct presence *presence, struct bytes name, int64_t now);

// 1, with the name appended: nobody has listened to it for the time that was set, and it is forgotten.
// 0: there is none such. ERR_NOMEM: ask again later.
int presence_gone(struct presence *presence, int64_t now, struct buf *name);

// When presence_gone may have something to say; INT64_MAX: not as it stands.
int64_t presence_next(const struct presence *presence);

#endif
