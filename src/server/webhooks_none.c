// Webhooks in a build without libcurl: there are none, and asking for them is refused.
#include <stdio.h>

#include "base/error.h"
#include "server/server.h"
#include "server/webhooks.h"

int webhooks_check(struct server *server) {
    if (!server->settings->webhook_url) {
        return 0;
    }
    snprintf(server->problem, sizeof(server->problem),
             "--webhook-url: nobody can be told; this build has no libcurl");
    return ERR_INVALID;
}

int webhooks_open(struct server *server) {
    return webhooks_check(server);
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
