// DELETE /api/connections/<id>: ends one listener's stream, by the `id` that /api/connections lists, in
// the way that the drain does: an EventSource comes back after its retry. Who must not come back has
// to lose its token.
#include <stdlib.h>

#include "base/error.h"
#include "server/gather.h"
#include "server/routes.h"
#include "server/stream.h"
#include "server/worker.h"

static const char PREFIX[] = "/api/connections/";

struct closing {
    struct gather gather;
    uint64_t number;
    bool done;
};

static struct closing *closing_of(struct gather *gather) {
    return container_of(gather, struct closing, gather);
}

static struct stream *find(const struct worker *worker, uint64_t number) {
    for (struct list *at = worker->streams.next; at != &worker->streams; at = at->next) {
        struct stream *stream = container_of(at, struct stream, link);
        if (stream->number == number) {
            return stream;
        }
    }
    return NULL;
}

static bool ask(struct gather *gather, struct worker *worker) {
    struct closing *closing = closing_of(gather);
    struct stream *stream = closing->done ? NULL : find(worker, closing->number);
    if (stream) {
        closing->done = true;
        stream_end(stream);
    }
    return true;
}

static void answer(struct gather *gather, struct exchange *exchange) {
    struct reply reply = {.status = 204};
    if (!closing_of(gather)->done) {
        exchange_problem(exchange, 404,
                         "there is no such connection, or no more; /api/connections lists them");
        return;
    }
    reply_add(&reply, "Cache-Control", bytes_of("no-store"));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

static void destroy(struct gather *gather) {
    free(closing_of(gather));
}

static const struct gather_ops closing_ops = {.ask = ask, .answer = answer, .destroy = destroy};

static int begin(struct exchange *exchange, const struct http_request *req) {
    size_t skip = strlen(PREFIX);
    struct bytes id = bytes_make(req->path.at + skip, req->path.len - skip);
    uint64_t number;
    if (!bytes_to_u64(id, UINT64_MAX, &number)) {
        exchange_problem(exchange, 404,
                         "a connection is closed by its `id`, which /api/connections lists");
        return 0;
    }
    struct closing *closing = calloc(1, sizeof(*closing));
    if (!closing) {
        return ERR_NOMEM;
    }
    closing->number = number;
    gather_start(&closing->gather, exchange, &closing_ops);
    return 0;
}

const struct handler route_close = {.begin = begin, .drop = gather_drop, .finishes = true};
