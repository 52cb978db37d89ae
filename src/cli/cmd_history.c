// freshet history: what can be done with a history on disk beside serving from it. One action, one
// file; here is what they have in common.
#include "cli/cmd_history.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/stop.h"

int history_begin(struct options *options, const char *data, size_t rest_max) {
    if (!data || !*data) {
        return commands_usage_error(options, "say which history: --data DIR");
    }
    if (options->rest.count > rest_max) {
        return commands_usage_error(options, "it got an argument too many: \"%.100s\"",
                                    options->rest.items[rest_max]);
    }
    // A limit on files is then an error of a write, as a full disk is.
    signal(SIGXFSZ, SIG_IGN);
    if (stop_init() != 0) {
        output_say(options->program, "cannot watch for signals: %s", strerror(errno));
        return STATUS_FAILED;
    }
    return STATUS_OK;
}

static void on_fault(int signal) {
    static const char sentence[] =
        "freshet history: the file is damaged so badly that it cannot be read on; restore it from "
        "a backup, or begin with an empty directory\n";
    (void)!write(STDERR_FILENO, sentence, sizeof(sentence) - 1);
    _exit(STATUS_FAILED);
}

void history_expect_damage(void) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE};
    struct sigaction action = {.sa_handler = on_fault};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigaction(faults[i], &action, NULL);
    }
}

static const struct command *const actions[] = {
    &command_history_export,
    &command_history_import,
    &command_history_check,
    &command_history_compact,
    NULL,
};

static const struct option no_options[] = {{.name = NULL}};

const struct command command_history = {
    .name = "history",
    .summary = "export, import, check or compact a history on disk",
    .usage = "export|import|check|compact [OPTION]...",
    .about =
        "Works on the directory that freshet serve --data keeps its events in. Export and check "
        "only read, and may be used while a server runs; import and compact need the directory "
        "for themselves. None of them touches a file that is not a history.",
    .examples = "freshet history export --data /var/lib/freshet -o events.ndjson\n"
                "freshet history import --data /srv/freshet events.ndjson\n"
                "freshet history check --data /var/lib/freshet\n"
                "freshet history compact --data /var/lib/freshet\n",
    .options = no_options,
    .actions = actions,
};
