// freshet pub: publishes one event, or what standard input brings. It prints the ids that the
// server gave, and ends with status 1 when anything was not accepted.
#include "cli/cmd_pub.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cmd_client.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/stop.h"
#include "client/url.h"

enum { BODY_MAX = 1 << 30 };

#define AT(member) .offset = offsetof(struct pub_settings, member)

static const struct option table[] = {
    {.name = "url",
     .letter = 'u',
     .type = OPTION_TEXT,
     AT(url),
     .initial = CLIENT_URL_DEFAULT,
     .value_name = "URL",
     .help = "The server to publish to.",
     .group = "Where to publish"},
    {.name = "header",
     .letter = 'H',
     .type = OPTION_LINES,
     AT(headers),
     .value_name = "LINE",
     .help = "A header of the request, 'Name: value'. Repeatable.",
     .group = "Where to publish"},
    {.name = "event",
     .letter = 'e',
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(event),
     .value_name = "TYPE",
     .help = "The type of the event.",
     .group = "The event"},
    {.name = "id",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(id),
     .value_name = "ID",
     .help = "The ID of the event, instead of one that the server gives.",
     .group = "The event"},
    {.name = "key",
     .letter = 'k',
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(key),
     .value_name = "KEY",
     .help =
         "What the event is a new value of: a subscription with latest=1 begins with the newest "
         "event of each key.",
     .group = "The event"},
    {.name = "retry",
     .type = OPTION_DURATION,
     .flags = OPTION_ARGS_ONLY,
     AT(retry),
     .min = 1,
     .max = 86400000,
     .value_name = "TIME",
     .help = "How long its subscribers shall wait before they connect again.",
     .group = "The event"},
    {.name = "private",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(private),
     .help = "Only listeners whose token grants the topic get it, and not those who hear the topic "
             "because everyone may.",
     .group = "The event"},
    {.name = "lines",
     .letter = 'l',
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(lines),
     .help = "Each line of standard input is an event.",
     .group = "Many events"},
    {.name = "ndjson",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(ndjson),
     .help = "Each line of standard input is a JSON object with topic (or topics), data and, if "
             "wanted, event, id, key, retry and private.",
     .group = "Many events"},
    {.name = "event-stream",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(event_stream),
     .help = "Standard input is an event stream; its events are published as they come.",
     .group = "Many events"},
    {.name = "attempts",
     .type = OPTION_COUNT,
     .flags = OPTION_ARGS_ONLY,
     AT(attempts),
     .initial = "4",
     .min = 1,
     .max = 100,
     .value_name = "N",
     .help = "How often to try when the server cannot be reached or asks for patience.",
     .group = "Delivery"},
    {.name = "timeout",
     .type = OPTION_DURATION,
     .flags = OPTION_ARGS_ONLY,
     AT(timeout),
     .initial = "30s",
     .min = 100,
     .max = 3600000,
     .value_name = "TIME",
     .help = "How long to wait for the answer, and how long to keep trying.",
     .group = "Delivery"},
    {.name = "quiet",
     .letter = 'q',
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(quiet),
     .help = "Print no IDs.",
     .group = "Delivery"},
    {.name = NULL},
};

enum mode { MODE_ONE, MODE_LINES, MODE_NDJSON, MODE_EVENT_STREAM };

static enum mode mode_of(const struct pub_settings *settings) {
    return settings->lines          ? MODE_LINES
           : settings->ndjson       ? MODE_NDJSON
           : settings->event_stream ? MODE_EVENT_STREAM
                                    : MODE_ONE;
}

// Whether the positional arguments from `from` on are nothing or the "-" that stands for the input.
static bool only_input_from(const struct texts *rest, size_t from) {
    return rest->count <= from || (rest->count == from + 1 && strcmp(rest->items[from], "-") == 0);
}

static const char *misuse_of_one(const struct texts *rest) {
    if (rest->count < 2) {
        return rest->count ? "give the data as an argument, or - to read it from standard input"
                           : "give a topic and the data";
    }
    return rest->count > 2 ? "there is more than one argument after the topic; put the data in "
                             "quotes"
                           : NULL;
}

static const char *misuse_of_many(const struct pub_settings *settings, const struct texts *rest) {
    bool has_fields = settings->event || settings->retry;
    if (settings->lines + settings->ndjson + settings->event_stream > 1) {
        return "--lines, --ndjson and --event-stream exclude each other";
    }
    if (settings->id) {
        return "--id is for a single event";
    }
    if (!settings->lines && has_fields) {
        return "the input has its own fields, so --event and --retry do not go with it";
    }
    if (settings->ndjson && settings->key) {
        return "each line of NDJSON has its own key, so --key does not go with it";
    }
    if (settings->ndjson) {
        return only_input_from(rest, 0) ? NULL : "each line of NDJSON names its own topic";
    }
    if (rest->count == 0) {
        return "give a topic";
    }
    return only_input_from(rest, 1) ? NULL
                                    : "the data comes from standard input, so give only a "
                                      "topic";
}

static bool check(const struct options *options) {
    const struct pub_settings *settings = options->settings;
    const struct texts *rest = &options->rest;
    const char *misuse =
        mode_of(settings) == MODE_ONE ? misuse_of_one(rest) : misuse_of_many(settings, rest);
    if (!misuse && mode_of(settings) != MODE_NDJSON && rest->items[0][0] == '\0') {
        misuse = "the topic is empty";
    }
    if (misuse) {
        commands_usage_error(options, "%s", misuse);
        return false;
    }
    return client_check_headers(options, &settings->headers);
}

static bool add_fields(const struct pub_settings *settings, struct buf *url) {
    char retry[32];
    int rc = settings->event ? url_add_parameter(url, "event", bytes_of(settings->event)) : 0;
    if (rc == 0 && settings->id) {
        rc = url_add_parameter(url, "id", bytes_of(settings->id));
    }
    if (rc == 0 && settings->key) {
        rc = url_add_parameter(url, "key", bytes_of(settings->key));
    }
    if (rc == 0 && settings->retry) {
        snprintf(retry, sizeof(retry), "%lld", (long long)settings->retry);
        rc = url_add_parameter(url, "retry", bytes_of(retry));
    }
    return rc == 0;
}

// Batches name the topic of each event; the other forms have it in the URL.
static bool build_url(const struct options *options, struct buf *url) {
    const struct pub_settings *settings = options->settings;
    enum mode mode = mode_of(settings);
    if (!client_url(options, settings->url, "/events", url)) {
        return false;
    }
    bool batches = mode == MODE_LINES || mode == MODE_NDJSON;
    bool fine = batches || (buf_append_text(url, "/") == 0 &&
                            url_encode(url, bytes_of(options->rest.items[0]), "/") == 0 &&
                            add_fields(settings, url));
    return fine && (!settings->private || url_add_parameter(url, "private", bytes_of("1")) == 0);
}

static int read_input(struct buf *body) {
    for (;;) {
        int rc = buf_reserve(body, 64 * 1024);
        if (rc) {
            return rc;
        }
        ssize_t got = read(STDIN_FILENO, body->at + body->len, body->cap - body->len);
        if (got == 0) {
            return 0;
        }
        if (got < 0) {
            return stop_asked() ? ERR_GONE : ERR_SYSTEM;
        }
        body->len += (size_t)got;
    }
}

static int say_input_error(const char *program, int rc) {
    if (rc == ERR_SYSTEM) {
        output_say(program, "cannot read the input: %s", strerror(errno));
    } else if (rc != ERR_GONE) {
        output_say(program, "the input does not fit into memory");
    }
    return STATUS_FAILED;
}

static int finish(struct post *post, struct pub_report *report, int rc) {
    pub_report_clear_line(report);
    if (rc) {
        output_say(report->program, "%s", post_reason(post));
        return STATUS_FAILED;
    }
    pub_report_answer(report, post_answer(post), 0);
    return report->failed ? STATUS_FAILED : STATUS_OK;
}

static int publish_one(struct post *post, struct pub_report *report, const char *data) {
    struct buf body;
    if (strcmp(data, "-") != 0) {
        return finish(post, report, post_send(post, bytes_of(data)));
    }
    buf_init(&body, &mem_libc, BODY_MAX);
    int rc = read_input(&body);
    int status = rc ? say_input_error(report->program, rc)
                    : finish(post, report, post_send(post, buf_bytes(&body)));
    buf_finish(&body);
    return status;
}

static int publish(struct post *post, struct pub_report *report, const struct options *options) {
    const struct pub_settings *settings = options->settings;
    switch (mode_of(settings)) {
    case MODE_LINES:
        return pub_lines(post, report, settings, options->rest.items[0]);
    case MODE_NDJSON:
        return pub_lines(post, report, settings, NULL);
    case MODE_EVENT_STREAM:
        return finish(post, report, post_upload(post, STDIN_FILENO));
    case MODE_ONE:
        break;
    }
    return publish_one(post, report, options->rest.items[1]);
}

static void on_note(void *user_data, const char *sentence) {
    struct pub_report *report = user_data;
    pub_report_clear_line(report);
    output_say(report->program, "%s", sentence);
}

static void on_upload(void *user_data, size_t len) {
    pub_report_progress(user_data, len);
}

static int publish_to(const struct options *options, const char *url) {
    static const char *const content_types[] = {
        [MODE_ONE] = "text/plain; charset=utf-8",
        [MODE_LINES] = "application/x-ndjson",
        [MODE_NDJSON] = "application/x-ndjson",
        [MODE_EVENT_STREAM] = "text/event-stream",
    };
    const struct pub_settings *settings = options->settings;
    const char *headers[CLIENT_HEADERS_MAX + 1];
    struct pub_report report;
    struct post_settings how;
    struct post *post;
    post_settings_default(&how);
    how.url = url;
    how.content_type = content_types[mode_of(settings)];
    how.headers = client_headers(&settings->headers, headers);
    how.attempts = (unsigned)settings->attempts;
    how.answer_timeout_ms = how.patience_ms = settings->timeout;
    how.stop_fd = stop_fd();
    how.on_note = on_note;
    how.on_upload = on_upload;
    how.user_data = &report;
    if (post_open(&post, &how) != 0) {
        output_say(options->program, "%s is not a URL that can be published to", url);
        return STATUS_USAGE;
    }
    pub_report_init(&report, options);
    int status = publish(post, &report, options);
    pub_report_finish(&report);
    post_close(&post);
    return status;
}

static int run(struct options *options) {
    struct buf url;
    int status = STATUS_USAGE;
    buf_init(&url, &mem_libc, 0);
    if (stop_init() != 0) {
        output_say(options->program, "cannot watch for signals: %s", strerror(errno));
        status = STATUS_FAILED;
    } else if (check(options) && build_url(options, &url)) {
        status = publish_to(options, url.at);
    }
    buf_finish(&url);
    return status;
}

const struct command command_pub = {
    .name = "pub",
    .summary = "publish events",
    .usage = "TOPIC [DATA|-]",
    .about =
        "Publishes one event: the data is the argument, or with - all of standard input, byte for "
        "byte. With --lines, --ndjson or --event-stream it publishes many, as they come. It prints "
        "the ID of each event that was accepted.\n"
        "When the server cannot be reached, or answers 408, 429 or 5xx, it tries again for a "
        "while. A repetition has the Idempotency-Key of the first try, so an event whose answer "
        "was "
        "lost is not published twice, as long as the server knows the key (freshet does for its "
        "--idempotency-window). An event stream is sent only once. It ends with status 1 when "
        "anything was not accepted.",
    .examples = "freshet pub news 'Hello, everyone'\n"
                "date | freshet pub clock - --event tick\n"
                "tail -f app.log | freshet pub logs --lines --quiet\n"
                "curl -sN https://example.com/stream | freshet pub mirror --event-stream\n",
    .options = table,
    .settings_size = sizeof(struct pub_settings),
    .run = run,
};
