// "Did you mean": the nearest of some names to a mistyped one.
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include "base/bytes.h"

// How many letters must be added, dropped, changed or swapped with their neighbour. Names longer
// than 64 bytes count as far away (SIZE_MAX).
size_t suggest_distance(struct bytes a, struct bytes b);

// Keeps the nearest of the names it is shown, one after the other.
struct suggest {
    struct bytes wanted;
    const char *best; // NULL while nothing is near enough
    size_t distance;
};

void suggest_init(struct suggest *suggest, struct bytes wanted);
void suggest_consider(struct suggest *suggest, const char *name);

#endif
