// Names first: a page of somebody's whose name was made to resolve to this machine (DNS rebinding) is of
// the server's own origin for its browser, and only the name gives it away. A server with keys gives it
// nothing; one without, that nobody but this machine reaches, relies on that, and so it looks.
#include "server/guard.h"

#include "http/host.h"
#include "http/origin.h"
#include "server/listening.h"
#include "server/worker.h"

static bool all_local(const struct server *server) {
    for (size_t i = 0; i < server->listening_count; i++) {
        if (!address_is_local(&server->listening[i].address)) {
            return false;
        }
    }
    return true;
}

void guard_open(struct server *server) {
    server->for_itself = !server->access.on && all_local(server);
}

static bool looks_at_names(const struct server *server) {
    const struct snapshot *live = server->live;
    return live->settings->host.count ? !live->any_host : server->for_itself;
}

static bool is_listed(const struct texts *names, struct bytes name) {
    for (size_t i = 0; i < names->count; i++) {
        if (http_host_matches(name, bytes_of(names->items[i]))) {
            return true;
        }
    }
    return false;
}

// Without a list, only browsers of this machine are meant: who comes by a Unix socket, or by a proxy
// that told whose connection it is, is none; and TLS lets nobody take one name for another.
static bool may_be_fooled(const struct exchange *exchange) {
    static const uint8_t v6[16] = {[15] = 1};
    struct peer peer = exchange->ops->peer(exchange);
    bool loopback = (peer_is_v4(&peer) && peer.ip[12] == 127) || memcmp(peer.ip, v6, 16) == 0;
    return exchange->worker->server->settings->host.count || (loopback && !exchange->secure);
}

bool guard_knows_host(struct exchange *exchange, const struct http_request *req) {
    const struct server *server = exchange->worker->server;
    if (!looks_at_names(server) || !req->authority.len) {
        return true; // every browser says one
    }
    struct bytes name = http_host_name(req->authority);
    if (http_host_is_address(name) || http_host_is_localhost(name) ||
        is_listed(&server->settings->host, name) || !may_be_fooled(exchange)) {
        return true;
    }
    int len = name.len < 100 ? (int)name.len : 100;
    exchange_problem(exchange, 403,
                     "this server does not know the name %.*s as its own; if it is, start it with "
                     "--host %.*s",
                     len, name.at, len, name.at);
    return false;
}

// A form of any page can be sent to any server, and the browser asks nobody: whose page it is has to be
// looked at here.
static bool may_write(const struct http_request *req) {
    bool writes = req->method == HTTP_POST || req->method == HTTP_DELETE;
    return !writes || http_origin_is_own(req);
}

// The browser keeps the answer from such a page, but the stream would be there. Who follows a link is
// let in: that is no page that asks.
static bool may_listen(const struct http_request *req) {
    bool listens = req->method == HTTP_GET && bytes_starts_with(req->path, "/events");
    bool page = listens && http_request_header(req, "sec-fetch-site").at &&
                !bytes_is(http_request_header(req, "sec-fetch-mode"), "navigate");
    return !page || http_origin_is_own(req);
}

bool guard_admits_page(struct exchange *exchange, const struct http_request *req) {
    if (exchange->origin || (may_write(req) && may_listen(req))) {
        return true;
    }
    exchange_problem(exchange, 403,
                     "a page of another origin may not do this; --cors-origin names the origins "
                     "whose pages may");
    return false;
}
