// Belief. One header is read, which the operator names; a proxy that does not write it itself may
// pass on what a client invented, so no other counts. What is malformed is not believed at all.
#include "server/trust.h"

#include "http/forwarded.h"
#include "net/network.h"
#include "server/exchange.h"
#include "server/worker.h"

bool trust_has(const struct server *server, const struct peer *peer) {
    const struct snapshot *live = server->live;
    return networks_have(live->trusted, live->trusted_count, peer);
}

static struct peer peer_of_node(const struct http_node *node) {
    struct peer peer = {.port = node->port};
    memcpy(peer.ip, node->ip, sizeof(peer.ip));
    return peer;
}

static bool believes(void *ctx, const struct http_node *node) {
    struct peer peer = peer_of_node(node);
    return trust_has(ctx, &peer);
}

void trust_note_client(struct exchange *exchange, const struct http_request *req) {
    struct worker *worker = exchange->worker;
    struct server *server = worker->server;
    int choice = server->settings->forwarded_header;
    exchange->client = exchange->ops->peer(exchange);
    // Nearly always nobody is to be believed, and nothing has to be looked at.
    if (choice == FORWARDED_BY_NONE || !trust_has(server, &exchange->client)) {
        return;
    }
    struct http_node node = {.port = exchange->client.port};
    memcpy(node.ip, exchange->client.ip, sizeof(node.ip));
    enum http_forwarded_kind kind =
        choice == FORWARDED_BY_RFC ? HTTP_FORWARDED : HTTP_X_FORWARDED_FOR;
    if (http_forwarded_client(req, kind, believes, server, &node)) {
        hub_count(&worker->counters.forwarded_ignored, 1);
    }
    exchange->client = peer_of_node(&node);
}
