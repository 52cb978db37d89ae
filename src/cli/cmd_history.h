// What the actions of `freshet history` share.
#ifndef CLI_CMD_HISTORY_H
#define CLI_CMD_HISTORY_H

#include "cli/commands.h"

extern const struct command command_history_export;
extern const struct command command_history_import;
extern const struct command command_history_check;
extern const struct command command_history_compact;

// Begins an action: checks that there is a directory and that there are at most `rest_max`
// arguments, and watches for signals. A status; when it is not STATUS_OK it has said why.
int history_begin(struct options *options, const char *data, size_t rest_max);

// From here on, a fault that damaged pages cause in LMDB, which trusts them, ends the process with
// STATUS_FAILED and a sentence instead of a core dump. For actions that only read.
void history_expect_damage(void);

#endif
