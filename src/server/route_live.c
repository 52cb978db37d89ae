// GET /api/live: the figures of the server every second, as an event stream. Its listener is one like any other, but
// asks for no topic: what it hears is said to it alone.
#include "base/error.h"
#include "server/access.h"
#include "server/live.h"
#include "server/routes.h"
#include "server/stream.h"
#include "server/worker.h"

static void compose_head(const struct exchange *exchange, struct reply *head) {
    *head = (struct reply){.status = 200, .type = "text/event-stream", .unsized = true};
    reply_add(head, "Cache-Control", bytes_of("no-cache, no-store, no-transform"));
    reply_add(head, "X-Accel-Buffering", bytes_of("no"));
    reply_add_for_browsers(head, exchange);
}

static int compose_preamble(const struct worker *worker, struct live *live, struct buf *out) {
    int64_t retry = worker->server->settings->retry_ms;
    int rc = buf_printf(out, ":\nretry: %lld\n", (long long)retry);
    return rc ? rc : live_append(live, out);
}

// Takes the selection over.
static int open_stream(struct exchange *exchange, struct selection *selection) {
    struct worker *worker = exchange->worker;
    struct hub_start start = {.after = worker->hub.heard};
    struct live *live = NULL;
    struct stream *stream = NULL;
    struct reply head;
    struct buf preamble;
    compose_head(exchange, &head);
    buf_init(&preamble, &mem_libc, 0);
    int rc = live_create(&live, worker->server, worker_now(worker));
    rc = rc ? rc : compose_preamble(worker, live, &preamble);
    if (rc == 0) {
        stream = exchange->ops->open_stream(exchange, &head, buf_bytes(&preamble), &start.first);
    }
    buf_finish(&preamble);
    if (!stream) {
        live_destroy(&live);
        selection_destroy(&selection);
        return ERR_NOMEM;
    }
    stream->live = live;
    quotas_move(exchange, stream);
    if (hub_join(&worker->hub, selection, ENCODING_EVENT_STREAM, &stream->subscriber, &start)) {
        worker_limit_hit(worker, LIMIT_MEMORY);
        stream->ops->end(stream, bytes_make(NULL, 0));
        return 0;
    }
    stream_started(stream);
    stream_expire_in(stream, access_lasts_ms(worker->server, exchange->identity));
    return 0;
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    struct worker *worker = exchange->worker;
    struct selection *selection = NULL;
    struct reply head;
    (void)req;
    if (exchange->to_head) {
        compose_head(exchange, &head);
        exchange->ops->reply(exchange, &head);
        return 0;
    }
    int rc = selection_create(&selection, &mem_libc, &worker->server->hash_key, NULL, 0);
    rc = rc ? rc : quotas_take_listener(exchange, selection);
    bool full = rc == ERR_TOO_LARGE || exchange->crowded || server_is_draining(worker->server);
    if (rc == 0 && !full) {
        return open_stream(exchange, selection);
    }
    selection_destroy(&selection);
    if (full) {
        exchange_problem(exchange, 503, "there are too many listeners, or the server is ending");
        return 0;
    }
    return rc;
}

const struct handler route_live = {.begin = begin};
