// freshet: one program, one file a command. main() picks the command and runs it; it knows none of
// them. Exit statuses: 0 it worked, 1 it did not, 2 it was not asked properly.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/version.h"

extern char **environ;

// A descriptor 0, 1 or 2 that was closed would be given to the next socket, and a stray message
// would then be written into it.
static int hold_standard_streams(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    return fd < 0 ? -1 : close(fd);
}

static int help(int argc, char **argv) {
    const struct command *command = argc > 0 ? commands_find(argv[0]) : NULL;
    if (argc > 0 && !command) {
        commands_explain_unknown(argv[0]);
        return STATUS_USAGE;
    }
    if (argc > 1 && command->actions) {
        const struct command *action = commands_find_action(command, argv[1]);
        if (!action) {
            commands_explain_action(command, argv[1]);
            return STATUS_USAGE;
        }
        command = action;
    }
    return commands_print_help(command, OPTIONS_HELP);
}

// What the first argument asks for when it is no command.
static int answer(const char *first, int argc, char **argv) {
    if (strcmp(first, "help") == 0 || strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        return help(argc, argv);
    }
    if (strcmp(first, "--help-markdown") == 0) {
        return commands_print_help(NULL, OPTIONS_HELP_MARKDOWN);
    }
    if (strcmp(first, "--help-man") == 0) {
        return commands_print_help(NULL, OPTIONS_HELP_MAN);
    }
    if (strcmp(first, "version") == 0 || strcmp(first, "--version") == 0 ||
        strcmp(first, "-V") == 0) {
        return version_print();
    }
    commands_explain_unknown(first);
    return STATUS_USAGE;
}

int main(int argc, char **argv) {
    if (hold_standard_streams() < 0) {
        return STATUS_FAILED;
    }
    // A reader that went away is an error of write(), for whoever wrote to handle.
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        fprintf(stderr, "freshet: say what to do; freshet --help lists the commands\n");
        return STATUS_USAGE;
    }
    const struct command *command = commands_find(argv[1]);
    if (!command) {
        return answer(argv[1], argc - 2, argv + 2);
    }
    return commands_run(command, argc - 2, (const char *const *)argv + 2,
                        (const char *const *)environ);
}
