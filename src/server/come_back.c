// A browser's EventSource gives up for ever on any status but 200; so a listener that cannot be served
// now is told with a 200 when to come back. Others understand a 503.
#include "server/come_back.h"

#include <stdio.h>

#include "base/random.h"
#include "server/compression.h"
#include "server/worker.h"

void come_back_answer(struct exchange *exchange, enum http_representation representation,
                      const char *detail) {
    struct worker *worker = exchange->worker;
    int64_t retry = worker->server->settings->retry_ms;
    long long ms = (long long)random_between(&worker->random, retry, 3 * retry);
    bool browser = representation == HTTP_EVENT_STREAM;
    struct buf *body = &worker->body;
    char seconds[24];
    buf_clear(body);
    // Without memory for the words the status and the header still tell.
    (void)(browser ? buf_printf(body, ":\nretry: %lld\n", ms)
                   : http_problem_body(body, 503, bytes_of(detail)));
    struct reply reply = {.status = browser ? 200 : 503,
                          .type = browser ? "text/event-stream" : "application/problem+json",
                          .unsized = browser,
                          .body = buf_bytes(body)};
    snprintf(seconds, sizeof(seconds), "%lld", (ms + 999) / 1000);
    reply_add(&reply, "Retry-After", bytes_of(seconds));
    reply_add(&reply, "Cache-Control", bytes_of("no-cache, no-store, no-transform"));
    compression_add_vary(worker->server->settings, &reply);
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}
