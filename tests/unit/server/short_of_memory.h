// A dialogue with a worker when memory runs out: each allocation of it fails in turn. For what takes no
// allocator (failing_malloc.h). One thread.
#ifndef TESTS_SERVER_SHORT_OF_MEMORY_H
#define TESTS_SERVER_SHORT_OF_MEMORY_H

#include "server/h2_peer.h"

// The dialogue, over and over, on a new connection to a new worker each time, until no allocation is
// left that could fail: how many there were. That nothing of it stays is checked.
long short_of_memory(void (*talk)(struct h2_place *place, struct h2_peer *peer));

#endif
