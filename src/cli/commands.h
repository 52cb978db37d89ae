// The commands of the program. A command is a table of settings, a struct for them, and a function;
// everything around it (reading the settings, help, the man page, exit statuses) is the same for
// all. To add one: define `const struct command command_x` in cmd_x.c, declare it below, and list
// it in commands.c. A command of several actions (`freshet history export`) is a list of commands, one
// level deep.
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stddef.h>

#include "cli/options.h"

enum status {
    STATUS_OK = 0,
    STATUS_FAILED = 1, // it was asked properly and did not work
    STATUS_USAGE = 2,  // it was not asked properly
};

struct command {
    const char *name;     // of an action with that of its command before it: "history export"
    const char *summary;  // what it does in a few words, no capital, no full stop
    const char *usage;    // the positional arguments: "TOPIC [DATA|-]"; may be empty
    const char *about;    // paragraphs with a line feed between them
    const char *examples; // lines to be shown as they are, each ended by a line feed
    const struct option *options;
    const struct option_section *sections; // of its config file; NULL: none
    size_t settings_size;
    // Runs with options->settings filled and options->rest holding the positional arguments; owns
    // neither. Returns a status, and has said on standard error why it is not STATUS_OK.
    int (*run)(struct options *options);
    // What it can do, NULL at the end, instead of a function and settings: its table is empty, and
    // its man page has theirs. NULL for most.
    const struct command *const *actions;
};

extern const struct command command_serve;
extern const struct command command_pub;
extern const struct command command_sub;
extern const struct command command_bench;
extern const struct command command_doctor;
extern const struct command command_history;
extern const struct command command_token, command_key;

// Every command that is in this build, NULL at the end.
extern const struct command *const commands_all[];

// NULL when there is none of that name.
const struct command *commands_find(const char *name);

// An action of a command that has some, by its last word.
const struct command *commands_find_action(const struct command *command, const char *word);

// "export" of "history export".
const char *commands_last_word(const struct command *command);

// Says on standard error that there is no such command, with the nearest name or the reason.
void commands_explain_unknown(const char *name);

// The same for an action. NULL: none was named.
void commands_explain_action(const struct command *command, const char *word);

// Reads the settings of the command from its arguments, the environment and its config file,
// answers --help and its kin, and otherwise runs it; of a command with actions, the one that the
// first argument names. A status.
int commands_run(const struct command *command, int argc, const char *const *argv,
                 const char *const *environment);

// Prints one command's help, or the program's when `command` is NULL, in the form that was asked
// for.
int commands_print_help(const struct command *command, enum options_request form);

// A usage error of a command: the sentence and where to read on. Returns STATUS_USAGE.
int commands_usage_error(const struct options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
