// Age: what is too old leaves its topics, also when they have different ages.
#ifndef HISTORY_MEMORY_AGE_H
#define HISTORY_MEMORY_AGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory;

// Looks at up to `portion` events; true when there are more to look at.
bool memory_age_some(struct memory *memory, int64_t now, size_t portion);

#endif
