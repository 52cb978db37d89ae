// freshet serve: runs the server. main() for daemons as a fixed liturgy: settings, check, log, open,
// say where, run, close.
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/serve_options.h"
#include "cli/serve_reload.h"
#include "net/address.h"
#include "server/assets.h"
#include "server/server.h"

enum { URL_MAX = ADDRESS_TEXT_MAX + 16 };

// Where a browser finds the console.
struct front {
    char url[URL_MAX]; // empty: nowhere yet
    bool admin;        // it is an address of --admin-listen
};

// The contract with whoever started us: one line for each address, flushed, on standard output.
static void print_address(void *ctx, const char *url, bool admin) {
    struct front *front = ctx;
    if (strncmp(url, "http", 4) == 0 && (!front->url[0] || (admin && !front->admin))) {
        snprintf(front->url, sizeof(front->url), "%s", url);
        front->admin = admin;
    }
    printf("%s on %s\n", admin ? "administrators" : "listening", url);
    fflush(stdout);
}

static int check_data(struct options *options, const struct settings *settings) {
    if (settings->data && settings->data[0] == '\0') {
        return commands_usage_error(options, "--data needs the name of a directory");
    }
    if (!settings->data && options_source(options, "durability") > OPTION_DEFAULT) {
        return commands_usage_error(options, "--durability is about events on disk; say where with "
                                             "--data DIR, or leave it out");
    }
    if (settings->data && settings->id_file) {
        return commands_usage_error(options, "--data keeps the newest id as well; leave --id-file "
                                             "out");
    }
    return STATUS_OK;
}

static int explain(const struct options *options, const struct server *server, int rc) {
    fprintf(stderr, "%s: %s\n", options->program, server->problem);
    return rc == ERR_INVALID ? STATUS_USAGE : STATUS_FAILED;
}

static int check(struct options *options, const struct settings *settings) {
    static struct server server;
    int rc = server_check(&server, settings);
    if (rc) {
        return explain(options, &server, rc);
    }
    puts("the settings are fine");
    return STATUS_OK;
}

static int serve(struct options *options, const struct settings *settings) {
    static struct server server;
    log_setup((enum log_level)settings->log_level, (enum log_format)settings->log_format);
    mem_libc_steady();
    int rc = server_open(&server, settings);
    if (rc) {
        return explain(options, &server, rc);
    }
    struct settings_source source = serve_reload_source(options);
    server_reload_from(&server, &source);
    struct front front = {0};
    server_addresses(&server, print_address, &front);
    log_write(LOG_INFO, "freshet %s, %u worker%s", FRESHET_VERSION, server.worker_count,
              server.worker_count == 1 ? "" : "s");
    if (server.descriptors < settings->max_connections) {
        log_write(LOG_INFO,
                  "%llu file descriptors: fewer than --max-connections, so they are the limit",
                  (unsigned long long)server.descriptors);
    }
    if (settings->insecure && !server.access.on) {
        log_write(LOG_WARN, "--insecure: whoever can connect may listen and publish");
    }
    if (!server_hears_admins(&server)) {
        log_write(LOG_INFO, "nobody is heard as an administrator: /metrics and most of /api are "
                            "answered at --admin-listen 127.0.0.1:8043, for example");
    } else if (assets_count && front.url[0]) {
        log_write(LOG_INFO, "the console is at %s/", front.url);
    }
    rc = server_run(&server);
    if (rc) {
        (void)explain(options, &server, rc);
    }
    server_close(&server);
    log_write(LOG_INFO, "ended");
    return rc ? STATUS_FAILED : STATUS_OK;
}

static int run(struct options *options) {
    const struct settings *settings = options->settings;
    if (options->rest.count) {
        return commands_usage_error(options, "it takes no arguments, but got \"%.100s\"",
                                    options->rest.items[0]);
    }
    int status = check_data(options, settings);
    if (status) {
        return status;
    }
    return settings->check ? check(options, settings) : serve(options, settings);
}

const struct command command_serve = {
    .name = "serve",
    .summary = "run the server",
    .usage = "",
    .about = "Takes events from whoever posts them and hands them to everyone who listens.\n"
             "Ends on SIGTERM or SIGINT after its listeners have been sent away gently; a second "
             "signal ends it at once.",
    .examples = "freshet serve\n"
                "freshet serve --listen 127.0.0.1:9000 --history-age 10m\n"
                "freshet serve --data /var/lib/freshet\n"
                "FRESHET_LOG_FORMAT=json freshet serve --config /etc/freshet.conf\n",
    .options = serve_options,
    .sections = serve_sections,
    .settings_size = sizeof(struct settings),
    .run = run,
};
