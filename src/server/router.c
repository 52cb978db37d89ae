// The table of routes. A path that ends in a slash stands for everything below it.
#include "server/router.h"

#include <stdio.h>

#include "server/access.h"
#include "server/audit.h"
#include "server/guard.h"
#include "server/routes.h"
#include "server/trust.h"
#include "server/worker.h"

struct route {
    const char *path;
    const char *suffix; // what the path ends with, too; NULL: with anything
    const char *allow;  // for 405 and OPTIONS
    const struct handler *get, *post, *del;
    bool admin;         // for administrators only, and only where they are heard
    const char *action; // what the audit log calls it
};

static const struct route routes[] = {
    {"/events", NULL, "GET, HEAD, POST, OPTIONS", &route_subscribe, &route_publish},
    {"/events/", NULL, "GET, HEAD, POST, OPTIONS", &route_subscribe, &route_publish},
    {"/healthz", NULL, "GET, HEAD, OPTIONS", &route_healthz, NULL},
    {"/readyz", NULL, "GET, HEAD, OPTIONS", &route_readyz, NULL},
    {"/metrics", NULL, "GET, HEAD, OPTIONS", &route_metrics, .admin = true},
    {"/api/topics", NULL, "GET, HEAD, OPTIONS", &route_topics, .admin = true},
    {"/api/topics/", NULL, "DELETE, OPTIONS", .del = &route_purge, .admin = true,
     .action = "purge"},
    {"/api/connections", NULL, "GET, HEAD, OPTIONS", &route_connections, .admin = true},
    {"/api/connections/", "/topics", "POST, OPTIONS", .post = &route_change},
    {"/api/connections/", "/token", "POST, OPTIONS", .post = &route_renew},
    {"/api/connections/", NULL, "DELETE, OPTIONS", .del = &route_close, .admin = true,
     .action = "close"},
    {"/api/live", NULL, "GET, HEAD, OPTIONS", &route_live, .admin = true},
    {"/api/reload", NULL, "POST, OPTIONS", .post = &route_reload, .admin = true,
     .action = "reload"},
    {"/api/tickets", NULL, "POST, OPTIONS", .post = &route_tickets},
    {"/console/", NULL, "GET, HEAD, OPTIONS", &route_asset, NULL},
    {"/lab", NULL, "GET, HEAD, OPTIONS", &route_asset, NULL},
    {"/", NULL, "GET, HEAD, OPTIONS", &route_front, NULL},
};

static bool fits(const struct route *route, struct bytes path) {
    size_t len = strlen(route->path);
    bool below = len > 1 && route->path[len - 1] == '/';
    if (route->suffix && !bytes_ends_with(path, route->suffix)) {
        return false;
    }
    return below ? bytes_starts_with(path, route->path) : bytes_is(path, route->path);
}

static const struct route *find(struct bytes path) {
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (fits(&routes[i], path)) {
            return &routes[i];
        }
    }
    return NULL;
}

static bool is_elsewhere(const struct exchange *exchange, const struct route *route) {
    return route->admin && exchange->entrance == ENTRANCE_PUBLIC;
}

static const struct route *find_here(const struct exchange *exchange, struct bytes path) {
    const struct route *route = find(path);
    return route && is_elsewhere(exchange, route) ? NULL : route;
}

static void answer_nothing_here(struct exchange *exchange, struct bytes path) {
    exchange_problem(exchange, 404,
                     find(path) ? "this is for administrators, who are heard at the addresses of "
                                  "--admin-listen, or on the machine itself"
                                : "there is nothing here; events are at /events and "
                                  "/events/<topic>");
}

static void answer_options(struct exchange *exchange, const char *allow) {
    struct reply reply = {.status = 204};
    char max_age[24];
    reply_add(&reply, "Allow", bytes_of(allow));
    reply_add_for_browsers(&reply, exchange);
    snprintf(max_age, sizeof(max_age), "%lld",
             (long long)exchange->worker->server->settings->cors_max_age_ms / 1000);
    if (exchange->origin) {
        reply_add(&reply, "Access-Control-Allow-Methods", bytes_of(allow));
        reply_add(&reply, "Access-Control-Allow-Headers",
                  bytes_of("Accept, Authorization, Cache-Control, Content-Type, "
                           "Idempotency-Key, Last-Event-ID"));
        reply_add(&reply, "Access-Control-Max-Age", bytes_of(max_age));
    }
    exchange->ops->reply(exchange, &reply);
}

static void answer_not_allowed(struct exchange *exchange, const char *allow) {
    struct buf body;
    buf_init(&body, &mem_libc, 0);
    hub_count(&exchange->worker->counters.refused, 1);
    (void)http_problem_body(&body, 405,
                            bytes_of("this path does not have that method; the Allow "
                                     "header lists those that it has"));
    struct reply reply = {
        .status = 405, .type = "application/problem+json", .body = buf_bytes(&body)};
    reply_add(&reply, "Allow", bytes_of(allow));
    reply_add(&reply, "Cache-Control", bytes_of("no-store"));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
    buf_finish(&body);
}

static int compose_location(struct buf *out, const struct http_request *req, unsigned port) {
    const char *colon = memrchr(req->authority.at, ':', req->authority.len);
    const char *bracket = memrchr(req->authority.at, ']', req->authority.len);
    size_t host =
        colon && colon > bracket ? (size_t)(colon - req->authority.at) : req->authority.len;
    int rc = buf_append_text(out, "https://");
    rc = rc ? rc : buf_append(out, req->authority.at, host);
    if (port != 443) {
        rc = rc ? rc : buf_printf(out, ":%u", port);
    }
    rc = rc ? rc : buf_append(out, req->path.at, req->path.len);
    if (req->query.at) {
        rc = rc ? rc : buf_append(out, "?", 1);
        rc = rc ? rc : buf_append(out, req->query.at, req->query.len);
    }
    return rc;
}

// To the same place, encrypted: 308, so that a POST stays one.
static void redirect(struct exchange *exchange, const struct http_request *req) {
    struct buf *location = &exchange->worker->body;
    buf_clear(location);
    if (!req->authority.len || !bytes_starts_with(req->path, "/") ||
        compose_location(location, req, exchange->worker->server->secure.redirect_port)) {
        exchange_problem(exchange, 400, "this is answered over https only");
        return;
    }
    struct reply reply = {.status = 308};
    reply_add(&reply, "Location", buf_bytes(location));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

static const struct handler *by_method(const struct route *route, enum http_method method) {
    switch (method) {
    case HTTP_GET:
    case HTTP_HEAD:
        return route->get;
    case HTTP_POST:
        return route->post;
    case HTTP_DELETE:
        return route->del;
    default:
        return NULL;
    }
}

const struct handler *router_find(struct exchange *exchange, const struct http_request *req) {
    bool apart = exchange->entrance == ENTRANCE_ADMIN;
    if (!exchange->secure && !apart && exchange->worker->server->secure.redirect_port) {
        redirect(exchange, req);
        return NULL;
    }
    const struct route *route = find_here(exchange, req->path);
    bool everything = req->method == HTTP_OPTIONS && bytes_is(req->path, "*");
    if (!route && !everything) {
        answer_nothing_here(exchange, req->path);
        return NULL;
    }
    if (req->method == HTTP_OPTIONS) {
        answer_options(exchange, everything ? "GET, HEAD, POST, DELETE, OPTIONS" : route->allow);
        return NULL;
    }
    const struct handler *handler = by_method(route, req->method);
    if (!handler) {
        answer_not_allowed(exchange, route->allow);
    } else if (exchange->connects && !handler->upgrades) {
        exchange_problem(exchange, 501,
                         "WebSocket is spoken at /events and /events/<topic>, not here");
        return NULL;
    }
    return handler && (!route->admin || access_demand_admin(exchange)) ? handler : NULL;
}

// What an administrator does, or somebody who is none, is to be found in the audit log.
static int watch(struct exchange *exchange, const struct http_request *req) {
    const struct route *route = find_here(exchange, req->path);
    bool asks = req->method != HTTP_OPTIONS;
    return route && route->admin && asks
               ? audit_watch(exchange, req, route->action ? route->action : "read")
               : 0;
}

int router_begin(struct exchange *exchange, const struct http_request *req, bool has_body) {
    trust_note_client(exchange, req);
    if (!guard_knows_host(exchange, req)) {
        return 0;
    }
    int rc = watch(exchange, req);
    rc = rc ? rc : exchange_note_origin(exchange, req);
    if (rc || !guard_admits_page(exchange, req) || !access_identify(exchange, req)) {
        return rc;
    }
    exchange->handler = router_find(exchange, req);
    if (!exchange->handler) {
        return 0; // answered
    }
    if (has_body && !exchange->handler->body) {
        exchange_problem(exchange, 400, "this takes no request body; send none");
        return 0;
    }
    return exchange->handler->begin(exchange, req);
}
