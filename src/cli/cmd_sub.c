// freshet sub: prints events as they come, one connection, for as long as it takes. Events go to
// standard output and everything else to standard error. It ends with status 0 when it was asked to
// (a signal, --count, 204, a reader that went away), and with 1 when the server refuses it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/random.h"
#include "cli/cmd_client.h"
#include "cli/cmd_sub_print.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/stop.h"
#include "client/policy.h"
#include "client/source.h"
#include "client/url.h"

struct sub_settings {
    char *url, *last_event_id, *since;
    struct texts topics, headers, events;
    uint64_t last, count, max_event;
    int64_t read_timeout, retry;
    bool json, raw, quiet, reconnect, retry_refused;
};

#define AT(member) .offset = offsetof(struct sub_settings, member)

static const struct option table[] = {
    {.name = "url",
     .letter = 'u',
     .type = OPTION_TEXT,
     AT(url),
     .initial = CLIENT_URL_DEFAULT,
     .value_name = "URL",
     .help = "The server that has the topics.",
     .group = "Where to listen"},
    {.name = "topic",
     .letter = 't',
     .type = OPTION_LINES,
     .flags = OPTION_ARGS_ONLY,
     AT(topics),
     .value_name = "TOPIC",
     .help = "A topic, as the argument; for topics that look like a URL or begin with a hyphen. "
             "Repeatable.",
     .group = "Where to listen"},
    {.name = "header",
     .letter = 'H',
     .type = OPTION_LINES,
     AT(headers),
     .value_name = "LINE",
     .help = "A header of the request, 'Name: value'. Repeatable. Not sent to another origin.",
     .group = "Where to listen"},
    {.name = "last-event-id",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(last_event_id),
     .value_name = "ID",
     .help = "Begin after the event with this ID.",
     .group = "Where to begin"},
    {.name = "since",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(since),
     .value_name = "TIME",
     .help = "Begin with the events since then: a date as in 2026-01-31T12:00:00Z, or milliseconds "
             "since 1970.",
     .group = "Where to begin"},
    {.name = "last",
     .type = OPTION_COUNT,
     .flags = OPTION_ARGS_ONLY,
     AT(last),
     .value_name = "N",
     .help = "Begin with the last N events.",
     .group = "Where to begin"},
    {.name = "event",
     .letter = 'e',
     .type = OPTION_LIST,
     .flags = OPTION_ARGS_ONLY,
     AT(events),
     .value_name = "TYPE",
     .help = "Print only events of this type (message, if they have none). Repeatable, or with "
             "commas.",
     .group = "What to print"},
    {.name = "json",
     .letter = 'j',
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(json),
     .help = "Print a JSON object a line, with id, event and data.",
     .group = "What to print"},
    {.name = "raw",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(raw),
     .help = "Print the stream as it comes, comments and all.",
     .group = "What to print"},
    {.name = "count",
     .letter = 'n',
     .type = OPTION_COUNT,
     .flags = OPTION_ARGS_ONLY,
     AT(count),
     .value_name = "N",
     .help = "End after N events.",
     .group = "What to print"},
    {.name = "quiet",
     .letter = 'q',
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(quiet),
     .help = "Do not report lost connections.",
     .group = "What to print"},
    {.name = "reconnect",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(reconnect),
     .initial = "true",
     .help = "Connect again when the stream ends.",
     .group = "Connection"},
    {.name = "retry-refused",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(retry_refused),
     .help = "Connect again after 4xx, too; 408, 429 and 5xx are always retried.",
     .group = "Connection"},
    {.name = "retry",
     .type = OPTION_DURATION,
     .flags = OPTION_ARGS_ONLY,
     AT(retry),
     .initial = "3s",
     .min = 100,
     .max = 3600000,
     .value_name = "TIME",
     .help = "How long to wait before connecting again, until the server says otherwise.",
     .group = "Connection"},
    {.name = "read-timeout",
     .type = OPTION_DURATION,
     .flags = OPTION_ARGS_ONLY,
     AT(read_timeout),
     .initial = "45s",
     .max = 86400000,
     .value_name = "TIME",
     .help = "Take a connection for lost when nothing came for so long; 0 for never.",
     .group = "Connection"},
    {.name = "max-event",
     .type = OPTION_SIZE,
     .flags = OPTION_ARGS_ONLY,
     AT(max_event),
     .initial = "16m",
     .min = 1024,
     .max = UINT64_C(1) << 30,
     .value_name = "SIZE",
     .help = "Give up on a stream with a larger event.",
     .group = "Connection"},
    {.name = NULL},
};

struct sub {
    const struct options *options;
    const struct sub_settings *settings;
    struct sub_style style;
    struct buf out;
    uint64_t printed;
    int failure; // of printing, errno kept in failure_errno
    int failure_errno;
};

// True to go on.
static bool emit(struct sub *sub) {
    sub->failure = output_write(STDOUT_FILENO, buf_bytes(&sub->out));
    sub->failure_errno = errno;
    buf_clear(&sub->out);
    return sub->failure == 0;
}

static bool is_wanted(const struct sub *sub, const struct freshet_event *event) {
    const struct texts *types = &sub->settings->events;
    for (size_t i = 0; i < types->count; i++) {
        if (bytes_is(sub_event_type(event), types->items[i])) {
            return true;
        }
    }
    return types->count == 0;
}

// Events of the server about the stream itself are news for the user but no data for a pipe.
static bool is_aside(const struct sub *sub, const struct freshet_event *event) {
    return sub->settings->events.count == 0 && !sub->settings->json && !sub->settings->raw &&
           bytes_starts_with(sub_event_type(event), "freshet.");
}

static void say_aside(const struct sub *sub, const struct freshet_event *event) {
    if (!sub->settings->quiet) {
        output_say(sub->options->program, "%.*s: %.*s", (int)event->type.len, event->type.at,
                   (int)(event->data.len < 400 ? event->data.len : 400), event->data.at);
    }
}

static int on_event(void *user_data, const struct freshet_event *event) {
    struct sub *sub = user_data;
    if (is_aside(sub, event)) {
        say_aside(sub, event);
        return 0;
    }
    if (!is_wanted(sub, event)) {
        return 0;
    }
    if (!sub->settings->raw) {
        sub->failure = sub_print(&sub->out, &sub->style, event);
        if (sub->failure || !emit(sub)) {
            return -1;
        }
    }
    return ++sub->printed == sub->settings->count;
}

static int on_bytes(void *user_data, struct bytes bytes) {
    struct sub *sub = user_data;
    if (!sub->settings->raw) {
        return 0;
    }
    sub->failure = sub->style.terminal ? output_escape(&sub->out, bytes, true)
                                       : buf_append(&sub->out, bytes.at, bytes.len);
    return sub->failure || !emit(sub);
}

static void on_note(void *user_data, enum source_note note, const char *sentence) {
    struct sub *sub = user_data;
    if (note != SOURCE_OPENED && !sub->settings->quiet) {
        output_say(sub->options->program, "%s", sentence);
    }
}

static bool is_url(const char *text) {
    return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

static bool add_topics(const struct texts *topics, struct buf *url) {
    for (size_t i = 0; i < topics->count; i++) {
        if (url_add_parameter(url, "topic", bytes_of(topics->items[i])) != 0) {
            return false;
        }
    }
    return true;
}

// The URL of the arguments, or of the topics that they are.
static bool build_url(const struct options *options, struct buf *url) {
    const struct sub_settings *settings = options->settings;
    const struct texts *rest = &options->rest;
    if (rest->count == 0 && settings->topics.count == 0) {
        commands_usage_error(options, "say what to listen to: a URL or a topic");
        return false;
    }
    for (size_t i = 0; i < rest->count; i++) {
        if (is_url(rest->items[i]) && (rest->count > 1 || settings->topics.count)) {
            commands_usage_error(options, "a URL stands alone; give topics as --topic TOPIC");
            return false;
        }
    }
    if (rest->count && is_url(rest->items[0])) {
        return buf_append(url, rest->items[0], strlen(rest->items[0]) + 1) == 0;
    }
    return client_url(options, settings->url, "/events", url) && add_topics(rest, url) &&
           add_topics(&settings->topics, url);
}

static bool build_query(const struct sub_settings *settings, struct buf *query) {
    char last[32];
    int rc = 0;
    if (settings->since) {
        rc = url_add_parameter(query, "since", bytes_of(settings->since));
    }
    if (rc == 0 && settings->last) {
        snprintf(last, sizeof(last), "%llu", (unsigned long long)settings->last);
        rc = url_add_parameter(query, "last", bytes_of(last));
    }
    return rc == 0;
}

static int finish(struct sub *sub, int end, struct source *source) {
    const char *program = sub->options->program;
    if (end < 0) {
        output_say(program, "%s", source_reason(source));
        return STATUS_FAILED;
    }
    if (sub->failure == ERR_SYSTEM) {
        output_say(program, "cannot write: %s", strerror(sub->failure_errno));
        return STATUS_FAILED;
    }
    if (sub->failure && sub->failure != ERR_GONE) {
        output_say(program, "there is not enough memory for an event");
        return STATUS_FAILED;
    }
    return STATUS_OK;
}

static int listen_to(struct sub *sub, const char *url, const char *query) {
    const struct sub_settings *settings = sub->settings;
    const char *headers[CLIENT_HEADERS_MAX + 1];
    struct source_settings how;
    struct source *source;
    source_settings_default(&how);
    how.url = url;
    how.first_query = query;
    how.headers = client_headers(&settings->headers, headers);
    how.last_id = settings->last_event_id ? bytes_of(settings->last_event_id) : how.last_id;
    how.reconnect = settings->reconnect;
    how.retry_refused = settings->retry_refused;
    how.retry_ms = settings->retry;
    how.read_timeout_ms = settings->read_timeout;
    how.max_event = settings->max_event;
    how.stop_fd = stop_fd();
    how.on_event = on_event;
    how.on_bytes = on_bytes;
    how.on_note = on_note;
    how.user_data = sub;
    random_seed(&how.seed, sizeof(how.seed));
    if (source_open(&source, &how) != 0) {
        output_say(sub->options->program, "%s is not a URL that can be listened to", url);
        return STATUS_USAGE;
    }
    int status = finish(sub, source_run(source), source);
    source_close(&source);
    return status;
}

static bool check(const struct options *options) {
    const struct sub_settings *settings = options->settings;
    const char *id = settings->last_event_id;
    if (settings->raw && (settings->json || settings->events.count)) {
        commands_usage_error(options, "--raw prints the stream as it is, so --json and --event do "
                                      "not go with it");
        return false;
    }
    if (id && !policy_id_fits_header(bytes_of(id))) {
        commands_usage_error(options, "--last-event-id must have no control characters, no blanks "
                                      "around it and at most 4096 bytes");
        return false;
    }
    return client_check_headers(options, &settings->headers);
}

static struct sub_style style_of(const struct sub_settings *settings) {
    bool terminal = isatty(STDOUT_FILENO) == 1;
    const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");
    return (struct sub_style){
        .form = settings->json ? SUB_JSON
                : terminal     ? SUB_SCREEN
                               : SUB_PLAIN,
        .terminal = terminal,
        .colours = terminal && !(plain && *plain) && !(term && strcmp(term, "dumb") == 0),
    };
}

static int run(struct options *options) {
    struct sub sub = {.options = options, .settings = options->settings};
    struct buf url, query;
    int status = STATUS_USAGE;
    buf_init(&url, &mem_libc, 0);
    buf_init(&query, &mem_libc, 0);
    buf_init(&sub.out, &mem_libc, 0);
    sub.style = style_of(sub.settings);
    if (stop_init() != 0) {
        output_say(options->program, "cannot watch for signals: %s", strerror(errno));
        status = STATUS_FAILED;
    } else if (check(options) && build_url(options, &url) && build_query(sub.settings, &query)) {
        // The source puts its own ? or & before the query.
        status = listen_to(&sub, url.at, query.len ? query.at + 1 : NULL);
    }
    buf_finish(&sub.out);
    buf_finish(&query);
    buf_finish(&url);
    return status;
}

const struct command command_sub = {
    .name = "sub",
    .summary = "print events as they come",
    .usage = "URL|TOPIC...",
    .about =
        "Listens to a URL, or to topics of the server that --url names. When the stream ends it "
        "connects again and goes on after the last event.\n"
        "Into a pipe or a file it writes the data of each event and a line feed, nothing else. On "
        "a terminal the event's ID and type stand before it, and control characters are escaped. "
        "Events of the server about the stream itself (freshet.gap) go to standard error unless "
        "--json or --event asks for them.\n"
        "It ends with status 0 on SIGINT, SIGTERM, --count or the answer 204, and with 1 when the "
        "server refuses.",
    .examples = "freshet sub news\n"
                "freshet sub 'prices/*' alerts --json | jq .data\n"
                "freshet sub news --last 10 --count 10 --no-reconnect\n"
                "freshet sub https://example.com/stream -H 'Authorization: Bearer TOKEN'\n",
    .options = table,
    .settings_size = sizeof(struct sub_settings),
    .run = run,
};
