// freshet history compact: gives the space of dropped events back to the filesystem. The old file
// stays as it is until the new one is whole.
#include <stdio.h>

#include "cli/cmd_history.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "history/disk_tools.h"

enum { PROBLEM_MAX = 512 };

struct compact_settings {
    char *data;
    bool progress;
};

#define AT(member) .offset = offsetof(struct compact_settings, member)

static const struct option table[] = {
    {.name = "data",
     .letter = 'd',
     .type = OPTION_TEXT,
     AT(data),
     .value_name = "DIR",
     .help = "The directory of the history. No server may use it.",
     .group = "What to compact"},
    {.name = "progress",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(progress),
     .help = "Tell on standard error how far it is, also when that is no terminal.",
     .group = "Output"},
    {.name = NULL},
};

static bool on_progress(void *ctx, uint64_t done, uint64_t all) {
    struct progress_state state = {.bytes = done, .done = done, .all = all};
    progress_show(ctx, &state);
    return !stop_asked();
}

static int run(struct options *options) {
    const struct compact_settings *settings = options->settings;
    struct progress progress;
    struct disk_watch watch = {.progress = on_progress, .ctx = &progress};
    uint64_t before, after;
    char problem[PROBLEM_MAX];
    int status = history_begin(options, settings->data, 0);
    if (status) {
        return status;
    }
    history_expect_damage();
    progress_init(&progress, options->program, settings->progress);
    int rc = disk_compact(settings->data, &before, &after, &watch, problem, sizeof(problem));
    progress_finish(&progress);
    if (rc) {
        output_say(options->program, "%s", problem);
        return STATUS_FAILED;
    }
    printf("%llu bytes before, %llu after\n", (unsigned long long)before,
           (unsigned long long)after);
    return fflush(stdout) ? STATUS_FAILED : STATUS_OK;
}

const struct command command_history_compact = {
    .name = "history compact",
    .summary = "write a history anew, without free space",
    .usage = "",
    .about =
        "Events that retention drops leave free space in the file, which new events use; the "
        "file itself never gets smaller. This copies what is there into a new file and puts it "
        "in the place of the old one. It needs the directory for itself, and as much free space "
        "as the events take; the old file is untouched until the new one is whole.",
    .examples = "freshet history compact --data /var/lib/freshet\n",
    .options = table,
    .settings_size = sizeof(struct compact_settings),
    .run = run,
};
