// What history may keep, from the settings.
#ifndef SERVER_RETENTION_H
#define SERVER_RETENTION_H

#include "history/history.h"
#include "server/settings.h"

// The limits, and in *rules what they borrow: to be freed after the history, which borrows it too; it
// borrows the patterns from the settings. 0 or ERR_NOMEM, and then *rules is NULL.
int retention_limits(const struct settings *settings, struct history_limits *limits,
                     struct history_rule **rules);

#endif
