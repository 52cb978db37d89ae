// The table of commands and what happens around each of them.
#include "cli/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/help.h"
#include "cli/suggest.h"

// clang-format 14 loses the layout at the condition.
// clang-format off
const struct command *const commands_all[] = {
    &command_serve,
#ifdef HAVE_CURL
    &command_pub,   &command_sub, &command_doctor,
#endif
    &command_bench, &command_history, &command_token, &command_key, NULL,
};
// clang-format on

const struct command *commands_find(const char *name) {
    for (size_t i = 0; commands_all[i]; i++) {
        if (strcmp(commands_all[i]->name, name) == 0) {
            return commands_all[i];
        }
    }
    return NULL;
}

const char *commands_last_word(const struct command *command) {
    const char *space = strrchr(command->name, ' ');
    return space ? space + 1 : command->name;
}

const struct command *commands_find_action(const struct command *command, const char *word) {
    for (size_t i = 0; command->actions && command->actions[i]; i++) {
        if (strcmp(commands_last_word(command->actions[i]), word) == 0) {
            return command->actions[i];
        }
    }
    return NULL;
}

void commands_explain_action(const struct command *command, const char *word) {
    struct suggest suggest;
    suggest_init(&suggest, bytes_of(word ? word : ""));
    for (size_t i = 0; word && command->actions[i]; i++) {
        suggest_consider(&suggest, commands_last_word(command->actions[i]));
    }
    if (suggest.best) {
        fprintf(stderr, "freshet %s: there is no \"%.60s\"; did you mean freshet %s %s?\n",
                command->name, word, command->name, suggest.best);
        return;
    }
    fprintf(stderr, "freshet %s: say what to do:", command->name);
    for (size_t i = 0; command->actions[i]; i++) {
        fprintf(stderr, "%s %s", i ? "," : "", commands_last_word(command->actions[i]));
    }
    fprintf(stderr, "\nTry: freshet %s --help\n", command->name);
}

void commands_explain_unknown(const char *name) {
    struct suggest suggest;
#ifndef HAVE_CURL
    if (strcmp(name, "pub") == 0 || strcmp(name, "sub") == 0 || strcmp(name, "doctor") == 0) {
        fprintf(stderr, "freshet: this build has no %s, because it was made without libcurl\n",
                name);
        return;
    }
#endif
    suggest_init(&suggest, bytes_of(name));
    for (size_t i = 0; commands_all[i]; i++) {
        suggest_consider(&suggest, commands_all[i]->name);
    }
    if (suggest.best) {
        fprintf(stderr, "freshet: there is no command \"%.60s\"; did you mean freshet %s?\n", name,
                suggest.best);
    } else {
        fprintf(stderr, "freshet: there is no command \"%.60s\"; freshet --help lists them\n",
                name);
    }
}

// What the terminal says, what COLUMNS says, or 80; within bounds that stay readable.
static size_t help_width(void) {
    struct winsize window = {0};
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col) {
        width = window.ws_col;
    }
    width = width < 1 ? 80 : width;
    width = width < HELP_WIDTH_MIN ? HELP_WIDTH_MIN : width;
    return width > HELP_WIDTH_MAX ? HELP_WIDTH_MAX : (size_t)width;
}

int commands_print_help(const struct command *command, enum options_request form) {
    const struct command *const one[] = {command, NULL};
    const struct command *const *some = command ? one : commands_all;
    struct buf text;
    int rc;
    buf_init(&text, &mem_libc, 0);
    if (form == OPTIONS_HELP_MARKDOWN) {
        rc = help_markdown(&text, some);
    } else if (form == OPTIONS_HELP_MAN) {
        rc = help_man(&text, some);
    } else if (form == OPTIONS_HELP_MAN_FILE) {
        rc = help_man_file(&text, command);
    } else if (command) {
        rc = help_command(&text, command, help_width());
    } else {
        rc = help_program(&text, commands_all, help_width());
    }
    if (rc == 0) {
        fwrite(text.at, 1, text.len, stdout);
    }
    buf_finish(&text);
    if (rc == ERR_INVALID) {
        fprintf(stderr, "freshet %s: has no config file, and so no page for it\n", command->name);
        return STATUS_USAGE;
    }
    return rc == 0 && fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
}

int commands_usage_error(const struct options *options, const char *format, ...) {
    va_list args;
    fprintf(stderr, "%s: ", options->program);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nTry: %s --help\n", options->program);
    return STATUS_USAGE;
}

static int run_loaded(const struct command *command, struct options *options, int loaded) {
    if (loaded > 0) {
        return commands_print_help(command, (enum options_request)loaded);
    }
    if (loaded < 0) {
        fprintf(stderr, "%s: %s\n", options->program, options->error);
        return loaded == ERR_NOMEM ? STATUS_FAILED : STATUS_USAGE;
    }
    return command->run(options);
}

// The action named first; flags before it can only be a wish for help.
static int run_action(const struct command *command, int argc, const char *const *argv,
                      const char *const *environment) {
    enum options_request request = argc > 0 ? options_request_of(argv[0]) : OPTIONS_RUN;
    if (request) {
        return commands_print_help(command, request);
    }
    const struct command *action = argc > 0 ? commands_find_action(command, argv[0]) : NULL;
    if (!action) {
        commands_explain_action(command, argc > 0 ? argv[0] : NULL);
        return STATUS_USAGE;
    }
    return commands_run(action, argc - 1, argv + 1, environment);
}

int commands_run(const struct command *command, int argc, const char *const *argv,
                 const char *const *environment) {
    if (command->actions) {
        return run_action(command, argc, argv, environment);
    }
    struct options options;
    char program[64];
    void *settings = mem_new(&mem_libc, command->settings_size);
    if (!settings) {
        fprintf(stderr, "freshet: there is not enough memory to start\n");
        return STATUS_FAILED;
    }
    snprintf(program, sizeof(program), "freshet %s", command->name);
    options_init(&options, &mem_libc, command->options, settings, program);
    options.sections = command->sections;
    int loaded = options_load(&options, argc, argv, environment);
    int status = run_loaded(command, &options, loaded);
    options_finish(&options);
    mem_free(&mem_libc, settings);
    return status;
}
