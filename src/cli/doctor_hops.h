// Who stands between a listener and the server, by the marks that they leave in a head, and which
// of their settings mends which trouble. Pure; any thread.
#ifndef CLI_DOCTOR_HOPS_H
#define CLI_DOCTOR_HOPS_H

#include <stddef.h>

#include "base/bytes.h"

enum trouble {
    TROUBLE_BUFFERING,
    TROUBLE_COMPRESSION,
    TROUBLE_CACHING,
    TROUBLE_IDLE,
    TROUBLE_VERSION,
    TROUBLE_CURSOR, // Last-Event-ID does not arrive
    TROUBLE_COUNT,
};

struct doctor_hop {
    const char *name;
    const char *field;                 // of the head
    const char *mark;                  // what its value begins with or has after a blank or a comma
    const char *advice[TROUBLE_COUNT]; // a sentence; NULL: it says nothing better than anyone could
};

enum { DOCTOR_HOPS_MAX = 4 };

// Puts those that left a mark in the head into `hops`, without repetition; how many there are.
size_t doctor_hops_find(struct bytes head, const struct doctor_hop *hops[DOCTOR_HOPS_MAX]);

// What helps whoever it is.
const char *doctor_hops_general(enum trouble trouble);

#endif
