// Webhooks in a build without libcurl: there are none, and asking for them is refused.
#include <stdio.h>

#include "base/error.h"
#include "server/server.h"
#include "server/webhooks.h"

const char *webhooks_problem(const struct settings *settings) {
    return settings->webhook_url ? "--webhook-url: nobody can be told; this build has no libcurl"
                                 : NULL;
}

int webhooks_open(struct server *server) {
    const char *problem = webhooks_problem(server->settings);
    if (problem) {
        snprintf(server->problem, sizeof(server->problem), "%s", problem);
    }
    return problem ? ERR_SYSTEM : 0;
}

void webhooks_close(struct server *server) {
    (void)server;
}

void webhooks_held(struct server *server, const struct selection *selection, bool held) {
    (void)server;
    (void)selection;
    (void)held;
}

void webhooks_ended(struct stream *stream) {
    (void)stream;
}

void webhooks_put_metrics(const struct server *server, struct buf *out) {
    (void)server;
    (void)out;
}
