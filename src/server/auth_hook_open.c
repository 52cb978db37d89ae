// The backend of --auth-url in the settings, at the start of the server, and in its metrics.
#include <stdio.h>

#include "base/error.h"
#include "http/url.h"
#include "server/auth_desk.h"
#include "server/auth_hook.h"
#include "server/auth_question.h"
#include "server/worker.h"

bool auth_hook_wanted(const struct settings *settings) {
    return settings->auth_url != NULL;
}

const char *auth_hook_problem(const struct settings *settings) {
    const char *url = settings->auth_url;
    if (!url) {
        return NULL;
    }
    if (!http_url_is_address(bytes_of(url))) {
        return "--auth-url takes an address as http://127.0.0.1:3000/freshet";
    }
    if (!auth_desk_possible()) {
        return "--auth-url: nobody can be asked; this build has no libcurl";
    }
    for (size_t i = 0; i < settings->auth_forward.count; i++) {
        if (!auth_question_may_forward(bytes_of(settings->auth_forward.items[i]))) {
            return "--auth-forward takes names of headers, and none that says something of the "
                   "connection or the body";
        }
    }
    return NULL;
}

int auth_hook_open(struct server *server) {
    const struct settings *settings = server->settings;
    struct auth_desk_settings how = {.url = settings->auth_url,
                                     .timeout_ms = settings->auth_timeout_ms,
                                     .under_way = settings->auth_requests,
                                     .waiting = settings->auth_waiting,
                                     .kept = settings->auth_cache,
                                     .leeway_ms = settings->jwt_leeway_ms};
    const char *problem = auth_hook_problem(settings);
    if (!problem && !auth_hook_wanted(settings)) {
        return 0;
    }
    int rc = problem ? ERR_INVALID : auth_desk_open(&server->access.desk, &how);
    if (rc == ERR_SYSTEM) {
        problem = "--auth-url: nobody can be asked; the operating system gives no thread";
    }
    if (problem) {
        snprintf(server->problem, sizeof(server->problem), "%s", problem);
    }
    return rc;
}

void auth_hook_put_metrics(const struct server *server, struct buf *out) {
    struct auth_desk_counters counters;
    if (!server->access.desk) {
        return;
    }
    auth_desk_count(server->access.desk, &counters);
    // A page that is cut short for want of memory is noticed by whoever parses it.
    (void)buf_printf(
        out,
        "# HELP freshet_auth_requests_total Requests to the backend of --auth-url.\n"
        "# TYPE freshet_auth_requests_total counter\n"
        "freshet_auth_requests_total %llu\n"
        "# HELP freshet_auth_failures_total Of them, those without an answer that says something.\n"
        "# TYPE freshet_auth_failures_total counter\n"
        "freshet_auth_failures_total %llu\n"
        "# HELP freshet_auth_shared_total Who got the answer to the same question of another.\n"
        "# TYPE freshet_auth_shared_total counter\n"
        "freshet_auth_shared_total{from=\"under-way\"} %llu\n"
        "freshet_auth_shared_total{from=\"kept\"} %llu\n"
        "# HELP freshet_auth_waiting Requests that wait for the backend of --auth-url.\n"
        "# TYPE freshet_auth_waiting gauge\n"
        "freshet_auth_waiting %zu\n",
        counters.asked, counters.failed, counters.shared, counters.kept, counters.waiting);
}
