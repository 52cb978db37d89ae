// DELETE /api/connections/<id>: ends one stream, as an age does: its listener is told when to come back, if it is one
// that does. `id` is the number that GET /api/connections shows. Who did it is in the log.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "server/gather.h"
#include "server/routes.h"
#include "server/stream.h"
#include "server/worker.h"

static const char PREFIX[] = "/api/connections/";

struct close_gather {
    struct gather gather;
    uint64_t number;
    bool found;
};

static bool ask(struct gather *gather, struct worker *worker) {
    struct close_gather *g = container_of(gather, struct close_gather, gather);
    for (struct list *at = worker->streams.next; !g->found && at != &worker->streams;
         at = at->next) {
        struct stream *stream = container_of(at, struct stream, link);
        if (stream->number == g->number && stream->subscriber.feed) {
            g->found = true;
            stream_end(stream);
            break;
        }
    }
    return true;
}

static void answer(struct gather *gather, struct exchange *exchange) {
    const struct close_gather *g = container_of(gather, struct close_gather, gather);
    char by[ADDRESS_TEXT_MAX];
    if (!g->found) {
        exchange_problem(exchange, 404, "there is no connection of this id; GET /api/connections");
        return;
    }
    peer_format(&exchange->client, by);
    log_write(LOG_INFO, "connection %llu was closed by %s", (unsigned long long)g->number, by);
    struct reply reply = {.status = 204};
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

static void destroy(struct gather *gather) {
    free(container_of(gather, struct close_gather, gather));
}

static const struct gather_ops close_ops = {.ask = ask, .answer = answer, .destroy = destroy};

static int begin(struct exchange *exchange, const struct http_request *req) {
    struct bytes text = bytes_make(req->path.at + strlen(PREFIX), req->path.len - strlen(PREFIX));
    uint64_t number;
    if (!bytes_to_u64(text, UINT64_MAX, &number)) {
        exchange_problem(exchange, 404, "there is no connection of this id; GET /api/connections");
        return 0;
    }
    struct close_gather *g = calloc(1, sizeof(*g));
    if (!g) {
        return ERR_NOMEM;
    }
    g->number = number;
    gather_start(&g->gather, exchange, &close_ops);
    return 0;
}

const struct handler route_close = {.begin = begin, .drop = gather_drop};
