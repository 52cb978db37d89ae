// Help, made from the tables of settings: for a terminal, as Markdown, and as a man page. Pure:
// each function appends to a buffer and fails only as the buffer does (ERR_NOMEM, ERR_TOO_LARGE).
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/buf.h"
#include "cli/commands.h"

enum { HELP_WIDTH_MIN = 40, HELP_WIDTH_MAX = 120 };

// What the program is and which commands it has. Only examples may be wider than `width`.
int help_program(struct buf *out, const struct command *const *commands, size_t width);

// One command: usage, what it does, every setting under its heading with its default, examples.
int help_command(struct buf *out, const struct command *command, size_t width);

// A page with a table of settings for each of the commands.
int help_markdown(struct buf *out, const struct command *const *commands);

// roff: freshet(1), which lists the commands, for several; freshet-<name>(1), all there is to say,
// for one.
int help_man(struct buf *out, const struct command *const *commands);

// roff: freshet.conf(5), the config file of a command; ERR_INVALID for one that reads none.
int help_man_file(struct buf *out, const struct command *command);

#endif
