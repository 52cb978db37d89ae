// freshet history check: reads everything that a history has and tells what is wrong with it. It
// changes nothing. Statuses: 0 all is well, 1 something is wrong, 2 it could not be looked at.
#include <stdio.h>

#include "base/error.h"
#include "cli/cmd_history.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "history/disk_tools.h"

enum { PROBLEM_MAX = 512, FINDINGS_SHOWN = 20, STATUS_UNCHECKED = STATUS_USAGE };

struct check_settings {
    char *data;
    bool progress;
};

#define AT(member) .offset = offsetof(struct check_settings, member)

static const struct option table[] = {
    {.name = "data",
     .letter = 'd',
     .type = OPTION_TEXT,
     AT(data),
     .value_name = "DIR",
     .help = "The directory of the history.",
     .group = "What to check"},
    {.name = "progress",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(progress),
     .help = "Tell on standard error how far it is, also when that is no terminal.",
     .group = "Output"},
    {.name = NULL},
};

struct checking {
    const struct options *options;
    struct progress progress;
    uint64_t found;
};

static bool on_progress(void *ctx, uint64_t done, uint64_t all) {
    struct checking *checking = ctx;
    struct progress_state state = {.what = "entries", .events = done, .done = done, .all = all};
    progress_show(&checking->progress, &state);
    return !stop_asked();
}

static void describe(const struct disk_finding *finding, const char *id, char *out, size_t size) {
    int len = (int)finding->name.len;
    const char *name = finding->name.at;
    switch (finding->fault) {
    case DISK_FAULT_RECORD:
        snprintf(out, size, "event %s: its record is not what was written", id);
        break;
    case DISK_FAULT_NOT_INDEXED:
        snprintf(out, size, "event %s: not all of its topics have it", id);
        break;
    case DISK_FAULT_MISSING:
        snprintf(out, size, "topic %.*s: its event %s is missing", len, name, id);
        break;
    case DISK_FAULT_COUNT:
        snprintf(out, size, "topic %.*s: its counts are wrong", len, name);
        break;
    case DISK_FAULT_OWN_ID:
        snprintf(out, size, "publisher's id %.*s: it leads to event %s, which is not of that id",
                 len, name, id);
        break;
    case DISK_FAULT_KEY:
        snprintf(out, size, "event %s: its key does not lead to the newest event of that key", id);
        break;
    }
}

static void on_found(void *ctx, const struct disk_finding *finding) {
    struct checking *checking = ctx;
    char id[ID_TEXT_MAX + 1], sentence[700];
    if (checking->found++ >= FINDINGS_SHOWN) {
        return;
    }
    id[id_format(finding->id, id)] = '\0';
    describe(finding, id, sentence, sizeof(sentence));
    progress_clear(&checking->progress);
    output_say(checking->options->program, "%s", sentence);
}

static void print_row(const char *name, uint64_t count) {
    printf("%-26s %llu\n", name, (unsigned long long)count);
}

static void print_fault(const char *name, uint64_t count) {
    if (count) {
        print_row(name, count);
    }
}

static void print_report(const struct disk_check *check, const struct disk_summary *summary) {
    print_row("events", check->events);
    print_row("topics", check->topics);
    print_row("bytes in use", summary->used_bytes);
    print_row("bytes of the file", summary->file_bytes);
    print_row("stretches lost", summary->holes);
    print_fault("damaged events", check->damaged);
    print_fault("events not in their topics", check->not_indexed);
    print_fault("missing events", check->missing);
    print_fault("topics with wrong counts", check->miscounted);
    print_fault("wrong publishers' ids", check->own_ids);
    print_fault("wrong keys", check->keys);
    fflush(stdout);
}

static bool is_fine(const struct disk_check *check) {
    return check->damaged + check->not_indexed + check->missing + check->miscounted +
               check->own_ids + check->keys ==
           0;
}

static int judge(const struct checking *checking, int rc, const struct disk_check *check) {
    const char *program = checking->options->program;
    if (rc == ERR_GONE) {
        output_say(program, "interrupted; what was looked at is not all");
        return STATUS_UNCHECKED;
    }
    if (rc == ERR_INVALID) {
        output_say(program, "the pages of the file are damaged, so not all could be looked at");
        return STATUS_FAILED;
    }
    if (rc) {
        output_say(program, "the file cannot be read");
        return STATUS_UNCHECKED;
    }
    if (!is_fine(check)) {
        output_say(program, "the history is damaged; export leaves out damaged events, and import "
                            "makes a new history of the rest");
        return STATUS_FAILED;
    }
    printf("no damage was found\n");
    fflush(stdout);
    return STATUS_OK;
}

static int check(struct checking *checking, struct disk_reader *reader) {
    const struct check_settings *settings = checking->options->settings;
    struct disk_watch watch = {.progress = on_progress, .found = on_found, .ctx = checking};
    struct disk_summary summary;
    struct disk_check result = {0};
    if (disk_reader_summary(reader, &summary)) {
        return judge(checking, ERR_INVALID, NULL);
    }
    progress_init(&checking->progress, checking->options->program, settings->progress);
    int rc = disk_reader_check(reader, &result, &watch);
    progress_finish(&checking->progress);
    if (checking->found > FINDINGS_SHOWN) {
        output_say(checking->options->program, "and %llu more",
                   (unsigned long long)checking->found - FINDINGS_SHOWN);
    }
    print_report(&result, &summary);
    return judge(checking, rc, &result);
}

static int run(struct options *options) {
    const struct check_settings *settings = options->settings;
    struct checking checking = {.options = options};
    struct disk_reader *reader;
    char problem[PROBLEM_MAX];
    int status = history_begin(options, settings->data, 0);
    if (status) {
        return STATUS_UNCHECKED;
    }
    history_expect_damage();
    if (disk_reader_open(&reader, &mem_libc, settings->data, problem, sizeof(problem))) {
        output_say(options->program, "%s", problem);
        return STATUS_UNCHECKED;
    }
    status = check(&checking, reader);
    disk_reader_close(&reader);
    return status;
}

const struct command command_history_check = {
    .name = "history check",
    .summary = "read all of a history and tell what is damaged",
    .usage = "",
    .about =
        "Compares every event with the check that was written with it, and what topics, indexes "
        "and "
        "events say of each other. It changes nothing, and works beside a running server, whose "
        "file grows meanwhile.\n"
        "The status is 0 when all is well, 1 when something is damaged, 2 when the history could "
        "not be looked at. The first 20 places are named on standard error.",
    .examples = "freshet history check --data /var/lib/freshet\n",
    .options = table,
    .settings_size = sizeof(struct check_settings),
    .run = run,
};
