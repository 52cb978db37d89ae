// /healthz: the process is alive. /readyz: it wants traffic. /: the console for browsers,
// else what this is, for people.
#include "http/negotiate.h"
#include "server/assets.h"
#include "server/routes.h"
#include "server/worker.h"

static int healthz(struct exchange *exchange, const struct http_request *req) {
    (void)req;
    exchange_answer(exchange, 200, "text/plain; charset=utf-8", bytes_of("ok\n"));
    return 0;
}

// A server that cannot store is ready all the same: sent away, its listeners would lose what they
// still can be served.
static const char *ready_text(const struct server *server) {
    switch (server->history->state(server->history)) {
    case HISTORY_FULL:
        return "ready, but there is no room to store events\n";
    case HISTORY_FAILING:
        return "ready, but events cannot be written to disk\n";
    default:
        return "ready\n";
    }
}

static int readyz(struct exchange *exchange, const struct http_request *req) {
    (void)req;
    if (server_is_draining(exchange->worker->server)) {
        exchange_answer(exchange, 503, "text/plain; charset=utf-8", bytes_of("draining\n"));
    } else {
        exchange_answer(exchange, 200, "text/plain; charset=utf-8",
                        bytes_of(ready_text(exchange->worker->server)));
    }
    return 0;
}

static const char front_text[] =
    "freshet " FRESHET_VERSION "\n"
    "\n"
    "Listen:   curl -N http://HOST/events/news\n"
    "Publish:  curl -d hello http://HOST/events/news\n"
    "In a page: new EventSource('/events/news').onmessage = e => console.log(e.data)\n"
    "\n"
    "/events, /events/<topic>   listen (GET) and publish (POST)\n"
    "/api/topics                which topics there are\n"
    "/api/connections           who listens to what, and how far behind\n"
    "/ /lab                     the console and the transport lab, in a browser\n"
    "/metrics /healthz /readyz  for machines\n";

static int answer_text(struct exchange *exchange, const struct http_request *req) {
    struct buf *body = &exchange->worker->body;
    struct bytes host = req->authority.at ? req->authority : bytes_of("127.0.0.1:8042");
    const char *at = front_text, *mark;
    int rc = 0;
    buf_clear(body);
    while (rc == 0 && (mark = strstr(at, "HOST"))) {
        rc = buf_append(body, at, (size_t)(mark - at));
        rc = rc ? rc : buf_append(body, host.at, host.len);
        at = mark + strlen("HOST");
    }
    rc = rc ? rc : buf_append_text(body, at);
    if (rc == 0) {
        struct reply reply = {
            .status = 200, .type = "text/plain; charset=utf-8", .body = buf_bytes(body)};
        reply_add(&reply, "Cache-Control", bytes_of("no-store"));
        reply_add(&reply, "Vary", bytes_of("Accept"));
        reply_add_for_browsers(&reply, exchange);
        exchange->ops->reply(exchange, &reply);
    }
    return rc;
}

// The console is of use only where administrators are heard.
static int front(struct exchange *exchange, const struct http_request *req) {
    const struct asset *page =
        exchange->entrance == ENTRANCE_PUBLIC ? NULL : assets_find(bytes_of("/"));
    if (page && http_accepts_html(http_request_header(req, "accept"))) {
        asset_answer(exchange, req, page);
        return 0;
    }
    return answer_text(exchange, req);
}

const struct handler route_healthz = {.begin = healthz};
const struct handler route_readyz = {.begin = readyz};
const struct handler route_front = {.begin = front};
