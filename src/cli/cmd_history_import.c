// freshet history import: lines of JSON into a history that nobody serves from. A line that is no
// event ends it, or is told of and left out when asked to; what came before is stored in any case.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/cmd_history.h"
#include "cli/history_intake.h"
#include "cli/line_reader.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "server/publish_item.h"

enum { LINE_MAX_BYTES = 16 << 20, DEPTH_MAX = 64, REFUSALS_SHOWN = 20 };

struct import_settings {
    char *data;
    bool keep_going, progress;
};

#define AT(member) .offset = offsetof(struct import_settings, member)

static const struct option table[] = {
    {.name = "data",
     .letter = 'd',
     .type = OPTION_TEXT,
     AT(data),
     .value_name = "DIR",
     .help = "The directory of the history; it is made when it is not there. No server may use it.",
     .group = "Where to"},
    {.name = "keep-going",
     .letter = 'k',
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(keep_going),
     .help = "Leave out lines that are no events, instead of ending at the first.",
     .group = "How"},
    {.name = "progress",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(progress),
     .help = "Tell on standard error how far it is, also when that is no terminal.",
     .group = "How"},
    {.name = NULL},
};

struct importing {
    const struct options *options;
    const struct import_settings *settings;
    struct history_intake intake;
    struct line_reader reader;
    struct buf text; // where an event's members are decoded
    struct progress progress;
    uint64_t bytes; // of the input; 0: nobody knows
    uint64_t refused;
};

static void refuse(struct importing *im, const char *why) {
    if (im->refused++ < REFUSALS_SHOWN) {
        progress_clear(&im->progress);
        output_say(im->options->program, "line %llu: %s", (unsigned long long)im->reader.number,
                   why);
    }
}

static int add(struct importing *im, struct publish_item *item) {
    int rc = history_intake_add(&im->intake, item->frame, item->at);
    if (rc == HISTORY_TOO_LATE) {
        refuse(im, "its place (`at`) lies more than a day in the future");
    } else if (rc < 0 && rc != ERR_GONE) {
        progress_clear(&im->progress);
        output_say(im->options->program, "%s", im->intake.problem);
    }
    frame_unref(item->frame);
    return rc < 0 ? rc : 0;
}

static int take_line(struct importing *im, struct bytes line) {
    struct publish_item item = {0};
    struct bytes value;
    if (bytes_trim(line).len == 0 || bytes_is(bytes_trim(line), "\r")) {
        return 0;
    }
    int valid = json_validate(line, DEPTH_MAX, &value);
    if (valid) {
        refuse(im, valid == ERR_TOO_LARGE ? "the JSON nests deeper than 64 levels"
                                          : "it is not valid JSON");
        return 0;
    }
    int rc = publish_item_read(&im->text, &im->intake.key, value, &item);
    if (rc) {
        output_say(im->options->program, "there is not enough memory");
        return rc;
    }
    if (item.problem) {
        refuse(im, item.problem);
        return 0;
    }
    return add(im, &item);
}

static int explain_input(const struct importing *im, int rc) {
    if (rc == ERR_SYSTEM) {
        output_say(im->options->program, "the input cannot be read: %s", strerror(errno));
    } else if (rc == ERR_NOMEM) {
        output_say(im->options->program, "there is not enough memory");
    }
    return rc;
}

// 0 at the end of the input, or an error that was told of.
static int pump(struct importing *im) {
    struct bytes line;
    for (;;) {
        int got = stop_asked() ? ERR_GONE : line_reader_next(&im->reader, &line);
        if (got == ERR_TOO_LARGE) {
            refuse(im, "it is longer than 16 MiB");
        } else if (got <= 0) {
            return got ? explain_input(im, got) : 0;
        }
        int rc = got > 0 ? take_line(im, line) : 0;
        if (rc || (im->refused && !im->settings->keep_going)) {
            return rc ? rc : ERR_INVALID;
        }
        struct progress_state state = {.events = im->intake.stored + im->intake.repeated,
                                       .bytes = im->reader.bytes,
                                       .done = im->reader.bytes,
                                       .all = im->bytes};
        progress_show(&im->progress, &state);
    }
}

static void print_summary(const struct importing *im, int rc) {
    const char *program = im->options->program;
    const struct history_intake *intake = &im->intake;
    unsigned long long line = im->reader.number, refused = im->refused;
    if (refused > REFUSALS_SHOWN) {
        output_say(program, "and %llu more lines", refused - REFUSALS_SHOWN);
    }
    if (rc == ERR_GONE) {
        output_say(program, "interrupted at line %llu; import the same file again to go on", line);
    } else if (refused && !im->settings->keep_going) {
        output_say(program, "it ends here; with --keep-going it leaves such lines out");
    }
    // When the disk refuses, the last of them may still find room while it is closed.
    output_say(program, "%s%llu events stored", rc == ERR_SYSTEM ? "at least " : "",
               (unsigned long long)intake->stored);
    if (intake->repeated) {
        output_say(program, "%llu were there already", (unsigned long long)intake->repeated);
    }
    if (intake->moved) {
        output_say(program,
                   "%llu of them got new ids, because the history had newer events than they are",
                   (unsigned long long)intake->moved);
    }
}

static int import(struct importing *im) {
    int rc = pump(im);
    bool told = rc == ERR_SYSTEM;
    int closed = history_intake_close(&im->intake);
    rc = closed == ERR_SYSTEM ? closed : rc;
    progress_finish(&im->progress);
    if (closed && !told) {
        output_say(im->options->program, "%s", im->intake.problem);
    }
    print_summary(im, rc);
    return rc || closed || im->refused ? STATUS_FAILED : STATUS_OK;
}

static int open_input(struct importing *im, int *fd) {
    const struct texts *rest = &im->options->rest;
    const char *name = rest->count ? rest->items[0] : "-";
    struct stat stat_of;
    *fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) {
        output_say(im->options->program, "%s cannot be read: %s", name, strerror(errno));
        return STATUS_FAILED;
    }
    im->bytes =
        fstat(*fd, &stat_of) == 0 && S_ISREG(stat_of.st_mode) ? (uint64_t)stat_of.st_size : 0;
    return STATUS_OK;
}

static int open_history(struct importing *im) {
    const char *program = im->options->program, *path = im->settings->data;
    if (history_intake_open(&im->intake, path) == 0) {
        return STATUS_OK;
    }
    output_say(program, "%s", im->intake.problem);
    if (history_disk_in_use(path)) {
        output_say(program, "events go into a running server with freshet pub --ndjson, or POST "
                            "/events");
    }
    (void)history_intake_close(&im->intake);
    return STATUS_FAILED;
}

static int run(struct options *options) {
    struct importing im = {.options = options, .settings = options->settings};
    int fd;
    int status = history_begin(options, im.settings->data, 1);
    status = status ? status : open_input(&im, &fd);
    if (status) {
        return status;
    }
    status = open_history(&im);
    if (status == STATUS_OK) {
        line_reader_init(&im.reader, &mem_libc, fd, LINE_MAX_BYTES);
        buf_init(&im.text, &mem_libc, 0);
        progress_init(&im.progress, options->program, im.settings->progress);
        status = import(&im);
        buf_finish(&im.text);
        line_reader_finish(&im.reader);
    }
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return status;
}

const struct command command_history_import = {
    .name = "history import",
    .summary = "store events from lines of JSON in a history",
    .usage = "[FILE|-]",
    .about =
        "Reads one JSON object a line, from the file or from standard input, as freshet history "
        "export prints them and POST /events takes them, and stores the events. An event with at "
        "keeps that place, and so its ID, when the history has nothing newer; otherwise it gets a "
        "new one behind what is there. Without at it gets the present time. An event that is there "
        "already, in the same place, is not stored again, so an import that was interrupted can be "
        "repeated.\n"
        "Everything is kept, as far as the disk has room; the server that opens the directory "
        "drops "
        "what its own limits do not allow. A line that is no event ends the import with status 1, "
        "and what came before it is stored.",
    .examples = "freshet history import --data /srv/freshet events.ndjson\n"
                "freshet history export --data /var/lib/old | freshet history import --data "
                "/var/lib/new\n",
    .options = table,
    .settings_size = sizeof(struct import_settings),
    .run = run,
};
