// freshet doctor: what will hurt, before it does. Without a URL it judges this machine by the
// settings of a server, with a URL the way to one. Findings go to standard output as they are made;
// what is being done goes to standard error, on a terminal.
//
// Its statuses are its own: 1 says that something hurts, 2 that there was nothing to judge, so that
// a script can tell a sick patient from one that did not come.
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/random.h"
#include "cli/cmd_client.h"
#include "cli/commands.h"
#include "cli/doctor_examine.h"
#include "cli/doctor_machine.h"
#include "cli/doctor_target.h"
#include "cli/output.h"
#include "cli/serve_options.h"
#include "cli/stop.h"
#include "http/origin.h"
#include "server/settings.h"

extern char **environ;

struct doctor_settings {
    char *publish_url, *topic, *origin, *cacert, *config;
    struct texts headers, publish_headers;
    int64_t timeout, idle;
    uint64_t max_connections;
    bool publish, machine, json;
};

#define AT(member) .offset = offsetof(struct doctor_settings, member)

static const struct option table[] = {
    {.name = "publish-url",
     .letter = 'p',
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(publish_url),
     .value_name = "URL",
     .help = "The server to publish to, when that is not where the listeners are.",
     .group = "The way to a server"},
    {.name = "publish",
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(publish),
     .initial = "true",
     .help = "Publish events to see them come. Without them only heartbeats are watched.",
     .group = "The way to a server"},
    {.name = "topic",
     .letter = 't',
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(topic),
     .value_name = "TOPIC",
     .help = "The topic to publish to, when the URL is that of a stream that has it. Otherwise a "
             "new one is made, doctor/ and a number.",
     .group = "The way to a server"},
    {.name = "header",
     .letter = 'H',
     .type = OPTION_LINES,
     .flags = OPTION_ARGS_ONLY,
     AT(headers),
     .value_name = "LINE",
     .help = "A header of what listens, 'Name: value'. Repeatable.",
     .group = "The way to a server"},
    {.name = "publish-header",
     .type = OPTION_LINES,
     .flags = OPTION_ARGS_ONLY,
     AT(publish_headers),
     .value_name = "LINE",
     .help = "A header of what publishes. Repeatable.",
     .group = "The way to a server"},
    {.name = "origin",
     .letter = 'o',
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(origin),
     .value_name = "ORIGIN",
     .help = "Whether pages of this origin may listen, such as https://example.com.",
     .group = "The way to a server"},
    {.name = "cacert",
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY,
     AT(cacert),
     .value_name = "FILE",
     .help = "Trust the certificates of these authorities, in PEM, instead of the system's; a "
             "certificate that signed itself is its own.",
     .group = "The way to a server"},
    {.name = "idle",
     .letter = 'i',
     .type = OPTION_DURATION,
     .flags = OPTION_ARGS_ONLY,
     AT(idle),
     .initial = "20s",
     .max = 86400000,
     .value_name = "DURATION",
     .help = "How long to leave a stream alone, to see who cuts it. 0 means not at all.",
     .group = "The way to a server"},
    {.name = "timeout",
     .type = OPTION_DURATION,
     .flags = OPTION_ARGS_ONLY,
     AT(timeout),
     .initial = "5s",
     .min = 100,
     .max = 600000,
     .value_name = "DURATION",
     .help = "How long to wait for what should come at once.",
     .group = "The way to a server"},
    {.name = "machine",
     .letter = 'm',
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(machine),
     .help = "Judge this machine although there is a URL.",
     .group = "This machine"},
    {.name = "config",
     .letter = 'c',
     .type = OPTION_TEXT,
     .flags = OPTION_ARGS_ONLY | OPTION_NOT_OWN_FILE,
     AT(config),
     .value_name = "FILE",
     .help = "The config file of the server. Its environment variables are read as well.",
     .group = "This machine"},
    {.name = "max-connections",
     .type = OPTION_COUNT,
     .flags = OPTION_ARGS_ONLY,
     AT(max_connections),
     .min = 1,
     .value_name = "N",
     .help = "Judge the machine by so many connections, whatever the server's settings say.",
     .group = "This machine"},
    {.name = "json",
     .letter = 'j',
     .type = OPTION_FLAG,
     .flags = OPTION_ARGS_ONLY,
     AT(json),
     .help = "Print one JSON object: result and findings, each with level, check, text and advice.",
     .group = "What to print"},
    {.name = NULL},
};

enum { STATUS_SICK = 1, STATUS_UNTESTED = 2 };

// Nobody's page, so a server that lists origins refuses it.
static const char ANY_ORIGIN[] = "https://doctor.invalid";

struct doctor {
    const struct options *options;
    const struct doctor_settings *settings;
    struct findings findings;
    size_t printed;
    bool terminal, line_shown;
};

static void clear_line(struct doctor *doctor) {
    if (doctor->line_shown) {
        output_write(STDERR_FILENO, bytes_of("\r\x1b[K"));
        doctor->line_shown = false;
    }
}

static void on_progress(void *user_data, const char *doing) {
    struct doctor *doctor = user_data;
    char line[128];
    if (doctor->terminal) {
        snprintf(line, sizeof(line), "%s%s ...", doctor->line_shown ? "\r\x1b[K" : "", doing);
        output_write(STDERR_FILENO, bytes_of(line));
        doctor->line_shown = true;
    }
}

// What was found since the last time; for JSON all of it, at the end.
static int print(struct doctor *doctor, bool last) {
    struct buf out;
    int rc = 0;
    buf_init(&out, &mem_libc, 0);
    clear_line(doctor);
    if (!doctor->settings->json) {
        rc = findings_text(&doctor->findings, doctor->printed, &out);
        doctor->printed = doctor->findings.count;
    } else if (last) {
        rc = findings_json(&doctor->findings, &out);
    }
    rc = rc ? rc : output_write(STDOUT_FILENO, buf_bytes(&out));
    buf_finish(&out);
    return rc == ERR_GONE ? 0 : rc; // nobody reads it: the status still tells
}

// The server's own settings: its file, its environment.
static int load_server(const struct doctor *doctor, struct options *server) {
    const char *path = doctor->settings->config;
    const struct settings *settings = server->settings;
    int rc = options_defaults(server);
    rc = rc ? rc : options_from_env(server, (const char *const *)environ);
    path = path ? path : settings->config;
    return rc || !path || !*path ? rc : options_from_file(server, path);
}

static int examine_machine(struct doctor *doctor) {
    struct settings settings = {0};
    struct options server;
    struct doctor_machine machine = {0};
    options_init(&server, &mem_libc, serve_options, &settings, doctor->options->program);
    server.sections = serve_sections;
    if (load_server(doctor, &server) != 0) {
        output_say(doctor->options->program, "%s", server.error);
        options_finish(&server);
        return STATUS_UNTESTED;
    }
    uint64_t workers =
        settings.workers ? settings.workers : (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    machine.chosen = options_source(&server, "max-connections") > OPTION_DEFAULT ||
                     doctor->settings->max_connections;
    machine.max_connections = doctor->settings->max_connections ? doctor->settings->max_connections
                                                                : settings.max_connections;
    machine.backlog = settings.backlog;
    machine.socket_buffer = settings.socket_buffer;
    machine.fixed_bytes = settings.history_bytes + settings.pinned_bytes +
                          workers * (settings.window_bytes + settings.inbox_bytes);
    options_finish(&server);
    doctor_machine_read(&machine);
    doctor_machine_judge(&machine, &doctor->findings);
    return STATUS_OK;
}

static int run_plan(struct doctor *doctor, const struct doctor_plan *plan) {
    struct probe *probe;
    struct doctor_path path;
    int status = STATUS_OK;
    if (probe_create(&probe, &mem_libc, stop_fd()) != 0) {
        output_say(doctor->options->program, "there is not enough memory");
        return STATUS_UNTESTED;
    }
    probe_trust(probe, doctor->settings->cacert);
    doctor_path_init(&path, &mem_libc);
    int rc = doctor_examine(probe, plan, &path);
    clear_line(doctor);
    if (rc) {
        output_say(doctor->options->program,
                   rc == ERR_GONE ? "stopped before it was done" : "there is not enough memory");
        status = STATUS_UNTESTED;
    } else {
        doctor_path_judge(&path, &doctor->findings);
        status = doctor_path_tested(&path) ? STATUS_OK : STATUS_UNTESTED;
    }
    doctor_path_finish(&path);
    probe_destroy(probe);
    return status;
}

static int examine_target(struct doctor *doctor, const struct doctor_target *target,
                          uint64_t seed) {
    const struct doctor_settings *settings = doctor->settings;
    const char *headers[CLIENT_HEADERS_MAX + 1], *publish_headers[CLIENT_HEADERS_MAX + 1];
    struct doctor_plan plan = {
        .listen_url = target->listen.at,
        .asks_past = doctor_target_asks_past(target->listen.at),
        .publish_url = settings->publish && target->publish.len ? target->publish.at : NULL,
        .headers = client_headers(&settings->headers, headers),
        .publish_headers = client_headers(&settings->publish_headers, publish_headers),
        .origin = settings->origin ? settings->origin : ANY_ORIGIN,
        .origin_chosen = settings->origin != NULL,
        .timeout_ms = settings->timeout,
        .idle_ms = settings->idle,
        .seed = seed,
        .on_progress = on_progress,
        .user_data = doctor,
    };
    return run_plan(doctor, &plan);
}

static int examine_path(struct doctor *doctor, const char *url) {
    const struct doctor_settings *settings = doctor->settings;
    struct doctor_target target;
    char topic[64];
    uint64_t seed = 0;
    random_seed(&seed, sizeof(seed));
    snprintf(topic, sizeof(topic), "doctor/%016llx", (unsigned long long)seed);
    doctor_target_init(&target, &mem_libc);
    int rc = doctor_target_make(&target, url, settings->publish_url,
                                settings->topic ? settings->topic : topic, settings->topic);
    int status = rc == ERR_INVALID
                     ? commands_usage_error(doctor->options,
                                            "the URL and --publish-url must begin with http:// or "
                                            "https://, and --publish-url have no query")
                 : rc ? STATUS_UNTESTED
                      : examine_target(doctor, &target, seed);
    doctor_target_finish(&target);
    return status;
}

static int verdict(const struct doctor *doctor, int status) {
    if (status == STATUS_OK && doctor->findings.incomplete) {
        output_say(doctor->options->program, "there is not enough memory for all findings");
        return STATUS_UNTESTED;
    }
    return status                                              ? status
           : findings_worst(&doctor->findings) == FINDING_FAIL ? STATUS_SICK
                                                               : STATUS_OK;
}

static int examine(struct doctor *doctor) {
    const struct texts *rest = &doctor->options->rest;
    int status = STATUS_OK;
    if (rest->count == 0 || doctor->settings->machine) {
        status = examine_machine(doctor);
        status = print(doctor, rest->count == 0) ? STATUS_UNTESTED : status;
    }
    if (status == STATUS_OK && rest->count) {
        status = examine_path(doctor, rest->items[0]);
        bool said = status == STATUS_OK || doctor->findings.count;
        status = said && print(doctor, true) ? STATUS_UNTESTED : status;
    }
    return verdict(doctor, status);
}

static int check(const struct options *options) {
    const struct doctor_settings *settings = options->settings;
    if (options->rest.count > 1) {
        return commands_usage_error(options, "it takes one URL, but got \"%.100s\" as well",
                                    options->rest.items[1]);
    }
    if (settings->origin &&
        (!http_origin_valid(bytes_of(settings->origin)) || strcmp(settings->origin, "*") == 0 ||
         strlen(settings->origin) >= DOCTOR_REASON_MAX)) {
        return commands_usage_error(options, "--origin: write it as a browser does, "
                                             "https://example.com without a path");
    }
    if (settings->cacert && access(settings->cacert, R_OK) != 0) {
        return commands_usage_error(options, "--cacert: cannot read %.200s: %s", settings->cacert,
                                    strerror(errno));
    }
    return client_check_headers(options, &settings->headers) &&
                   client_check_headers(options, &settings->publish_headers)
               ? STATUS_OK
               : STATUS_USAGE;
}

static int run(struct options *options) {
    struct doctor doctor = {
        .options = options, .settings = options->settings, .terminal = isatty(STDERR_FILENO) == 1};
    int status = check(options);
    if (status) {
        return status;
    }
    if (stop_init() != 0) {
        output_say(options->program, "cannot watch for signals: %s", strerror(errno));
        return STATUS_UNTESTED;
    }
    findings_init(&doctor.findings, &mem_libc);
    status = examine(&doctor);
    findings_finish(&doctor.findings);
    return status;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "find what will hurt, on this machine or on the way to a server",
    .usage = "[URL]",
    .about =
        "Without a URL it judges this machine by the settings of a server: descriptors, backlog, "
        "ports, memory, firewall, clock.\n"
        "With the URL of a server, or of a stream, it goes the way that listeners go, publishes "
        "events to a topic of its own, and tells whether somebody on the way holds back events, "
        "compresses, caches, cuts quiet streams, strips Last-Event-ID or keeps other origins out, "
        "and which setting of which proxy mends that.\n"
        "A finding is OK; SKIP: it was not tested; WARN: it may hurt; FAIL: it hurts. It ends with "
        "status 0 when nothing is FAIL, with 1 when something is, and with 2 when it could not "
        "test, because it was asked wrongly, stopped, or nobody answered.",
    .examples = "freshet doctor\n"
                "freshet doctor --config /etc/freshet.conf\n"
                "freshet doctor https://example.com --origin https://www.example.com\n"
                "freshet doctor https://localhost:8042 --cacert self-signed.pem\n"
                "freshet doctor https://example.com/events --publish-url http://10.0.0.5:8042\n"
                "freshet doctor https://example.com --idle 90s --json | jq .result\n",
    .options = table,
    .settings_size = sizeof(struct doctor_settings),
    .run = run,
};
