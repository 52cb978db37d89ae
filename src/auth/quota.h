// A quota: how many of something each key may hold at a time, whoever the key stands for. A key is a
// keyed hash of 64 bits; without the hash's key nobody can make two of them meet. There is an entry for
// a key while somebody holds something for it, and none otherwise, so the table is never larger than
// what it counts. Any thread: the table is cut into parts with a lock each, held for one look.
#ifndef AUTH_QUOTA_H
#define AUTH_QUOTA_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"

enum { QUOTA_PARTS = 16 };

struct quota_part {
    pthread_mutex_t lock;
    struct map map; // struct quota_entry, by its key
};

struct quota_entry {
    struct map_node node;
    uint64_t held;
};

struct quota {
    const struct mem *mem;
    atomic_ullong most; // for each key; 0: nothing is counted
    struct quota_part parts[QUOTA_PARTS];
};

// Allocates nothing; `mem` must be safe to call from any thread.
void quota_init(struct quota *quota, const struct mem *mem, uint64_t most);

// Another limit. Whoever holds more than that keeps it; what was taken while nothing was counted is not
// counted. Any thread.
void quota_limit(struct quota *quota, uint64_t most);

// Nothing may be held any more.
void quota_finish(struct quota *quota);

// Takes one for this key: 0, ERR_TOO_LARGE when it holds as many as it may, or ERR_NOMEM. *entry is
// what quota_give wants back; NULL when nothing is counted, or after an error.
int quota_take(struct quota *quota, uint64_t key, struct quota_entry **entry);

// Gives back one; NULLs the pointer, and NULL is harmless.
void quota_give(struct quota *quota, struct quota_entry **entry);

// How many keys hold something.
size_t quota_keys(struct quota *quota);

#endif
