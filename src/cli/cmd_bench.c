// freshet bench: a load with a timetable, and what came of it. It ends with status 1 when anything
// was lost, late, doubled or refused.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/stop.h"
#include "load/stamp.h"

struct urls {
    struct buf subscribe, publish;
};

// The URL templates: as given, or those of a freshet at --url.
static int fill_urls(const struct bench_settings *bench, struct urls *urls,
                     struct load_settings *load) {
    size_t len = strlen(bench->url);
    len -= len && bench->url[len - 1] == '/';
    int rc = buf_printf(&urls->subscribe, "%.*s/events/{topic}", (int)len, bench->url);
    rc = rc ? rc : buf_printf(&urls->publish, "%.*s/events/{topic}", (int)len, bench->url);
    load->subscribe_url = bench->subscribe_url ? bench->subscribe_url : urls->subscribe.at;
    load->publish_url = bench->publish_url ? bench->publish_url : urls->publish.at;
    return rc;
}

static void fill_counts(const struct bench_settings *bench, struct load_settings *load) {
    unsigned most = (unsigned)(bench->threads ? bench->threads : bench->processes);
    load->subscribers = (unsigned)bench->subscribers;
    load->topics = (unsigned)bench->topics;
    load->topics_per_listener = (unsigned)bench->topics_per_connection;
    load->publishers = (unsigned)bench->publishers;
    load->pipeline = (unsigned)bench->pipeline;
    load->processes = (unsigned)bench->processes;
    // A thread belongs to one process, and each process needs one.
    load->threads = most > load->processes ? most : load->processes;
    load->connecting = (unsigned)bench->connecting;
    load->herd = bench->herd;
    load->connect_rate = (unsigned)bench->connect_rate;
    load->catch_up = (unsigned)bench->catch_up;
    load->rate = (double)bench->rate;
    load->size = (unsigned)bench->size;
    load->duration_ms = bench->duration_ms;
    load->warmup_ms = bench->warmup_ms;
    load->patience_ms = bench->patience_ms;
}

static int fill_pids(const struct options *options, const struct texts *pids,
                     struct load_settings *load) {
    if (pids->count > LOAD_PIDS_MAX) {
        return commands_usage_error(options, "--pid: at most %d processes", LOAD_PIDS_MAX);
    }
    for (size_t i = 0; i < pids->count; i++) {
        uint64_t pid;
        if (!bytes_to_u64(bytes_of(pids->items[i]), INT32_MAX, &pid) || pid == 0) {
            return commands_usage_error(options, "--pid: \"%.40s\" is no process id",
                                        pids->items[i]);
        }
        load->pids[load->pid_count++] = (pid_t)pid;
    }
    return STATUS_OK;
}

static int check(const struct options *options, const struct bench_settings *bench) {
    if (options->rest.count) {
        return commands_usage_error(options, "it takes no arguments, but got \"%.100s\"",
                                    options->rest.items[0]);
    }
    if (bench->topics_per_connection > bench->topics) {
        return commands_usage_error(
            options, "--topics-per-connection %llu is more than --topics %llu",
            (unsigned long long)bench->topics_per_connection, (unsigned long long)bench->topics);
    }
    if (bench->topics_per_connection > 1 && bench->subscribe_url) {
        return commands_usage_error(options, "--topics-per-connection works with --url only, "
                                             "because a template has place for one topic");
    }
    if (bench->gzip && bench->transport >= LOAD_WEBSOCKET) {
        return commands_usage_error(options, "--gzip is for answers of HTTP, not for WebSocket");
    }
    if (bench->herd && bench->pid.count == 0) {
        return commands_usage_error(options, "--herd needs --pid, to know whom to hold");
    }
    return STATUS_OK;
}

static int report(const struct options *options, const struct load_settings *load,
                  const struct load_result *result) {
    const struct bench_settings *bench = options->settings;
    (bench->json ? bench_json : bench_table)(load, result);
    fflush(stdout);
    if (result->listening < load->subscribers && !result->interrupted) {
        output_say(options->program,
                   "only %u of %u listeners got their stream, so nothing was "
                   "published; is it the right --url?",
                   result->listening, load->subscribers);
    }
    return bench_flawless(load, result) && !result->interrupted ? STATUS_OK : STATUS_FAILED;
}

static int run_load(const struct options *options, const struct load_settings *load) {
    static struct load_result result; // a few histograms are too much for a stack
    struct bench_line *line = load->ctx;
    int rc = load_run(load, &result);
    bench_line_clear(line);
    if (rc) {
        output_say(options->program, "%s", result.problem);
        return rc == ERR_INVALID || rc == ERR_TOO_LARGE ? STATUS_USAGE : STATUS_FAILED;
    }
    return report(options, load, &result);
}

static int run(struct options *options) {
    const struct bench_settings *bench = options->settings;
    struct bench_line line = {.terminal = isatty(STDERR_FILENO)};
    struct load_settings load;
    struct urls urls;
    load_settings_default(&load);
    buf_init(&urls.subscribe, &mem_libc, 0);
    buf_init(&urls.publish, &mem_libc, 0);
    load.publish_body = bench->publish_body;
    load.publish_type = bench->publish_type;
    load.topic_prefix = bench->topic_prefix;
    load.pattern = bench->pattern;
    load.transport = (enum load_transport)bench->transport;
    load.gzip = bench->gzip;
    load.json_data = bench->json_data;
    load.progress = bench_progress;
    load.ctx = &line;
    fill_counts(bench, &load);
    int status = check(options, bench);
    status = status ? status : fill_pids(options, &bench->pid, &load);
    if (status == STATUS_OK && (fill_urls(bench, &urls, &load) != 0 || stop_init() != 0)) {
        output_say(options->program, "cannot start: %s", strerror(errno));
        status = STATUS_FAILED;
    }
    status = status ? status : run_load(options, &load);
    buf_finish(&urls.subscribe);
    buf_finish(&urls.publish);
    return status;
}

const struct command command_bench = {
    .name = "bench",
    .summary = "put a load on a server and check every delivery",
    .usage = "",
    .about =
        "Connects listeners, publishes events to a timetable, and checks that each event reaches "
        "each of its listeners, once and in order. Latency counts from the moment at which an "
        "event was due, so that a server that keeps its publisher waiting does not look fast.\n"
        "It works with any server of event streams: give --subscribe-url and --publish-url with "
        "{topic} in them; the other transports are as freshet has them. With --pid it tells what "
        "processor time and memory the server takes; "
        "for figures that mean anything, keep the two on different processors (taskset).\n"
        "It ends with status 1 when an event was missing, late, doubled or refused.",
    .examples =
        "freshet bench\n"
        "freshet bench --subscribers 10000 --rate 5 --pid $(pidof freshet)\n"
        "freshet bench --rate 0 --duration 10s --json\n"
        "freshet bench --transport poll\n"
        "freshet bench --subscribers 10000 --catch-up 100\n"
        "freshet bench --subscribe-url 'http://127.0.0.1:8080/sub?id={topic}' --publish-url "
        "'http://127.0.0.1:8080/pub?id={topic}'\n",
    .options = bench_options,
    .settings_size = sizeof(struct bench_settings),
    .run = run,
};
