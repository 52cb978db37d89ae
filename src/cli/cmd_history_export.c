// freshet history export: the events of a history as lines of JSON, oldest first. It only reads, a
// batch at a time with a snapshot of its own each, so a running server is neither kept waiting nor
// made to keep pages for it; and it ends with what was there when it began.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/cmd_history.h"
#include "cli/history_line.h"
#include "cli/history_sink.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "history/disk_tools.h"
#include "http/time.h"

enum { BATCH_BYTES = 1 << 20, PROBLEM_MAX = 512 };

struct export_settings {
    char *data, *since, *last_event_id, *output;
    struct texts topics;
    uint64_t limit;
    bool progress;
};

#define AT(member) .offset = offsetof(struct export_settings, member)

static const struct option table[] = {
    {.name = "data",
     .letter = 'd',
     .type = OPTION_TEXT,
     AT(data),
     .value_name = "DIR",
     .help = "The directory of the history.",
     .group = "What to export"},
    {.name = "topic",
     .letter = 't',
     .type = OPTION_LINES,
     .flags = OPTION_ARGS_ONLY,
     AT(topics),
     .value_name = "TOPIC",
     .help = "Only events of this topic, or of topics that this pattern matches. Repeatable.",
     .group = "What to export"},
    {.name = "since",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(since),
     .value_name = "TIME",
     .help = "Only events since this time: 2026-01-31T12:00:00Z, or milliseconds since 1970.",
     .group = "What to export"},
    {.name = "last-event-id",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(last_event_id),
     .value_name = "ID",
     .help = "Only events after the one with this ID, freshet's or a publisher's own.",
     .group = "What to export"},
    {.name = "limit",
     .letter = 'n',
     .type = OPTION_COUNT,
     .flags = OPTION_ARGS_ONLY,
     AT(limit),
     .value_name = "N",
     .help = "At most so many events. 0 means all.",
     .group = "What to export"},
    {.name = "output",
     .letter = 'o',
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(output),
     .value_name = "FILE",
     .help = "Write to this file, which appears when it is whole, and not to standard output.",
     .group = "Output"},
    {.name = "progress",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(progress),
     .help = "Tell on standard error how far it is, also when that is no terminal.",
     .group = "Output"},
    {.name = NULL},
};

struct exporting {
    const struct options *options;
    const struct export_settings *settings;
    struct disk_reader *reader;
    struct disk_summary summary;
    struct history_sink sink;
    struct progress progress;
    struct bytes wait_for; // events up to the one with this id of its publisher are left out
    event_id after;
    uint64_t seen, written, damaged;
};

static bool is_wanted(const struct exporting *ex, const struct frame *frame) {
    const struct texts *topics = &ex->settings->topics;
    for (size_t i = 0; i < topics->count; i++) {
        for (size_t k = 0; k < frame->topic_count; k++) {
            if (topic_matches(bytes_of(topics->items[i]), frame_topic(frame, k).text)) {
                return true;
            }
        }
    }
    return topics->count == 0;
}

static bool is_full(const struct exporting *ex) {
    return ex->settings->limit && ex->written == ex->settings->limit;
}

static int take(struct exporting *ex, const struct frame *frame) {
    ex->seen++;
    if (ex->wait_for.len) {
        bool found = bytes_equal(frame_own_id(frame), ex->wait_for);
        ex->wait_for.len = found ? 0 : ex->wait_for.len;
        return 0;
    }
    if (is_full(ex) || !is_wanted(ex, frame)) {
        return 0;
    }
    int rc = history_line_append(&ex->sink.buf, frame);
    rc = rc ? rc : history_sink_flush(&ex->sink, false);
    ex->written += rc == 0;
    return rc;
}

static int take_batch(struct exporting *ex, struct past_batch *batch) {
    int rc = 0;
    for (size_t i = 0; i < batch->count && rc == 0; i++) {
        rc = batch->frames[i]->id <= ex->summary.newest ? take(ex, batch->frames[i]) : 0;
    }
    past_batch_release(batch);
    struct progress_state state = {.events = ex->written,
                                   .bytes = ex->sink.bytes + ex->sink.buf.len,
                                   .done = ex->seen,
                                   .all = ex->summary.events};
    progress_show(&ex->progress, &state);
    return rc;
}

// What is newer than the beginning of the export is left for the next one.
static int walk(struct exporting *ex) {
    struct past_batch batch;
    int rc = 0;
    while (rc == 0 && ex->after < ex->summary.newest && !is_full(ex)) {
        if (stop_asked()) {
            return ERR_GONE;
        }
        rc = disk_reader_next(ex->reader, ex->after, BATCH_BYTES, &batch, &ex->damaged);
        if (rc == 0 && batch.reached == ex->after) {
            break; // retention was faster
        }
        ex->after = rc ? ex->after : batch.reached;
        rc = rc ? rc : take_batch(ex, &batch);
    }
    return rc ? rc : history_sink_flush(&ex->sink, true);
}

static int explain(const struct exporting *ex, int rc) {
    const char *program = ex->options->program, *output = ex->settings->output;
    if (rc == ERR_GONE && !stop_asked()) {
        return STATUS_OK; // nobody reads on
    }
    if (rc == ERR_GONE) {
        output_say(program, "interrupted after %llu events%s", (unsigned long long)ex->written,
                   output ? "; there is no file" : "");
    } else if (rc == ERR_NOMEM) {
        output_say(program, "there is not enough memory");
    } else {
        output_say(program, "after %llu events: %s", (unsigned long long)ex->written,
                   errno ? strerror(errno)
                         : "the file cannot be read; freshet history check may "
                           "tell why");
    }
    return STATUS_FAILED;
}

static int judge(const struct exporting *ex) {
    const char *program = ex->options->program;
    if (ex->wait_for.len) {
        output_say(program, "no event has the id %s", ex->settings->last_event_id);
        return STATUS_FAILED;
    }
    if (ex->damaged) {
        output_say(program, "%llu damaged events were left out; freshet history check tells more",
                   (unsigned long long)ex->damaged);
        return STATUS_FAILED;
    }
    return STATUS_OK;
}

static int run_to_sink(struct exporting *ex) {
    int rc = history_sink_open(&ex->sink, ex->settings->output);
    if (rc) {
        output_say(ex->options->program, "%s cannot be written: %s", ex->settings->output,
                   strerror(errno));
        return STATUS_FAILED;
    }
    progress_init(&ex->progress, ex->options->program, ex->settings->progress);
    errno = 0;
    rc = walk(ex);
    int why = errno;
    progress_finish(&ex->progress);
    errno = why;
    int status = rc ? explain(ex, rc) : judge(ex);
    // What was left out because it is damaged does not make the rest worthless.
    if (history_sink_close(&ex->sink, rc == 0 && ex->wait_for.len == 0) != 0) {
        output_say(ex->options->program, "%s cannot be written: %s", ex->settings->output,
                   strerror(errno));
        return STATUS_FAILED;
    }
    return status;
}

static int check_topics(const struct options *options, const struct texts *topics) {
    for (size_t i = 0; i < topics->count; i++) {
        const char *problem = topic_problem(bytes_of(topics->items[i]));
        if (problem) {
            return commands_usage_error(options, "--topic: %s", problem);
        }
    }
    return STATUS_OK;
}

static int find_beginning(struct exporting *ex) {
    const struct export_settings *settings = ex->settings;
    struct bytes id = bytes_of(settings->last_event_id ? settings->last_event_id : "");
    int64_t since;
    if (settings->since && http_time_parse(bytes_of(settings->since), &since)) {
        return commands_usage_error(ex->options,
                                    "--since: \"%.60s\" is no time; write it as "
                                    "2026-01-31T12:00:00Z or as Unix milliseconds",
                                    settings->since);
    }
    event_id first = settings->since ? id_from_ms(since) : 0;
    ex->after = first ? first - 1 : 0;
    event_id last = 0;
    if (id.len && !id_parse(id, &last)) {
        ex->wait_for = id;
    }
    ex->after = ex->after < last ? last : ex->after;
    if (ex->wait_for.len && settings->since) {
        return commands_usage_error(ex->options, "--since and a publisher's own id as "
                                                 "--last-event-id do not go together");
    }
    return STATUS_OK;
}

static int run(struct options *options) {
    struct exporting ex = {.options = options, .settings = options->settings};
    char problem[PROBLEM_MAX];
    int status = history_begin(options, ex.settings->data, 0);
    status = status ? status : check_topics(options, &ex.settings->topics);
    status = status ? status : find_beginning(&ex);
    if (status) {
        return status;
    }
    history_expect_damage();
    if (disk_reader_open(&ex.reader, &mem_libc, ex.settings->data, problem, sizeof(problem))) {
        output_say(options->program, "%s", problem);
        return STATUS_FAILED;
    }
    if (disk_reader_summary(ex.reader, &ex.summary)) {
        output_say(options->program, "%s cannot be read; freshet history check may tell why",
                   ex.settings->data);
        status = STATUS_FAILED;
    }
    status = status ? status : run_to_sink(&ex);
    disk_reader_close(&ex.reader);
    return status;
}

const struct command command_history_export = {
    .name = "history export",
    .summary = "print the events of a history as lines of JSON",
    .usage = "",
    .about = "Prints the events that are there, oldest first, as one JSON object a line: at (its "
             "place, the ID that listeners see), topic or topics, event, id (its publisher's own), "
             "retry, data. freshet history import and POST /events take these lines.\n"
             "It works beside a running server and ends with the newest event that was there when "
             "it began. It ends with status 1 when an event was damaged and left out.",
    .examples = "freshet history export --data /var/lib/freshet -o events.ndjson\n"
                "freshet history export --data /var/lib/freshet --topic 'room/**' --since "
                "2026-01-31T00:00:00Z\n"
                "freshet history export --data /var/lib/freshet | freshet pub --ndjson --url "
                "http://other:8042\n",
    .options = table,
    .settings_size = sizeof(struct export_settings),
    .run = run,
};
