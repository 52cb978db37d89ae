// Other limits for a history in memory. Not locked, but for memory_change: the history around it is.
#ifndef HISTORY_MEMORY_CHANGE_H
#define HISTORY_MEMORY_CHANGE_H

#include "history/memory.h"

// As history.change.
int memory_change(struct history *history, const struct history_limits *limits);

// Drops up to `portion` events of topics that have more than the new limits let them; true when there
// may be more to drop.
bool memory_change_some(struct memory *memory, size_t portion);

#endif
