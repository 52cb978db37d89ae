// The dialogue alone is short of memory; what surrounds it has all it needs.
#include "server/short_of_memory.h"

#include "failing_malloc.h"

// True when the allocation that was to fail was asked for.
static bool run(void (*talk)(struct h2_place *place, struct h2_peer *peer), long which) {
    struct h2_place place;
    struct h2_peer peer;
    h2_place_init(&place);
    h2_place_open(&place);
    h2_peer_connect(&peer, &place, 8192);
    failing_malloc_begin(which);
    talk(&place, &peer);
    long calls = failing_malloc_end();
    h2_peer_close(&peer);
    h2_place_close(&place);
    return calls >= which;
}

long short_of_memory(void (*talk)(struct h2_place *place, struct h2_peer *peer)) {
    long which = 1;
    while (run(talk, which)) {
        which++;
    }
    return which;
}
