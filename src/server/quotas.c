// Taking and giving back. A listener takes all that it needs or nothing. A pattern is counted as itself,
// not as the topics that it matches.
#include "server/quotas.h"

#include <stdlib.h>

#include "base/error.h"
#include "server/limit_keys.h"
#include "server/stream.h"
#include "server/trust.h"
#include "server/worker.h"

struct held {
    struct quota_entry *address, *subject;
    size_t count;
    struct quota_entry *topics[]; // NULL: not taken
};

void quotas_open(struct server *server) {
    const struct settings *settings = server->settings;
    struct quotas *quotas = &server->quotas;
    quota_init(&quotas->connections, &mem_libc, settings->max_connections_per_address);
    quota_init(&quotas->by_address, &mem_libc, settings->max_listeners_per_address);
    quota_init(&quotas->by_subject, &mem_libc, settings->max_listeners_per_subject);
    quota_init(&quotas->by_topic, &mem_libc, settings->max_listeners_per_topic);
    quotas_reload(server);
}

void quotas_reload(struct server *server) {
    const struct settings *settings = server->settings;
    struct quotas *quotas = &server->quotas;
    quota_limit(&quotas->connections, settings->max_connections_per_address);
    quota_limit(&quotas->by_address, settings->max_listeners_per_address);
    quota_limit(&quotas->by_subject, settings->max_listeners_per_subject);
    quota_limit(&quotas->by_topic, settings->max_listeners_per_topic);
    atomic_store(&quotas->of_listeners, settings->max_listeners_per_address ||
                                            settings->max_listeners_per_subject ||
                                            settings->max_listeners_per_topic);
}

void quotas_close(struct server *server) {
    struct quotas *quotas = &server->quotas;
    quota_finish(&quotas->connections);
    quota_finish(&quotas->by_address);
    quota_finish(&quotas->by_subject);
    quota_finish(&quotas->by_topic);
}

static int take(struct worker *worker, struct quota *quota, uint64_t key, enum limit limit,
                struct quota_entry **entry) {
    int rc = quota_take(quota, key, entry);
    if (rc) {
        worker_limit_hit(worker, rc == ERR_NOMEM ? LIMIT_MEMORY : limit);
    }
    return rc;
}

int quotas_take_connection(struct worker *worker, const struct peer *peer,
                           struct quota_entry **hold) {
    struct server *server = worker->server;
    struct quota *quota = &server->quotas.connections;
    uint64_t key;
    *hold = NULL;
    if (quota->most == 0 || trust_has(server, peer) || !limit_key_address(server, peer, &key)) {
        return 0;
    }
    return take(worker, quota, key, LIMIT_ADDRESS_CONNECTIONS, hold);
}

void quotas_give_connection(struct worker *worker, struct quota_entry **hold) {
    quota_give(&worker->server->quotas.connections, hold);
}

static int take_topics(struct exchange *exchange, const struct selection *selection,
                       struct held *held) {
    struct quota *quota = &exchange->worker->server->quotas.by_topic;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < held->count; i++) {
        rc = take(exchange->worker, quota, selection->items[i].name.hash, LIMIT_TOPIC_LISTENERS,
                  &held->topics[i]);
    }
    return rc;
}

static int take_all(struct exchange *exchange, const struct selection *selection,
                    struct held *held) {
    struct worker *worker = exchange->worker;
    struct quotas *quotas = &worker->server->quotas;
    uint64_t key;
    int rc = 0;
    if (limit_key_address(worker->server, &exchange->client, &key)) {
        rc = take(worker, &quotas->by_address, key, LIMIT_ADDRESS_LISTENERS, &held->address);
    }
    if (rc == 0 && limit_key_subject(exchange, &key)) {
        rc = take(worker, &quotas->by_subject, key, LIMIT_SUBJECT_LISTENERS, &held->subject);
    }
    return rc ? rc : take_topics(exchange, selection, held);
}

int quotas_take_listener(struct exchange *exchange, const struct selection *selection) {
    struct server *server = exchange->worker->server;
    if (!server->quotas.of_listeners) {
        return 0;
    }
    size_t count = server->quotas.by_topic.most ? selection->count : 0;
    struct held *held = calloc(1, sizeof(*held) + count * sizeof(held->topics[0]));
    if (!held) {
        return ERR_NOMEM;
    }
    held->count = count;
    int rc = take_all(exchange, selection, held);
    if (rc) {
        quotas_give_listener(server, &held);
    }
    exchange->held = held;
    return rc;
}

void quotas_move(struct exchange *exchange, struct stream *stream) {
    stream->held = exchange->held;
    exchange->held = NULL;
}

void quotas_give_listener(struct server *server, struct held **held) {
    struct held *all = *held;
    *held = NULL;
    if (!all) {
        return;
    }
    quota_give(&server->quotas.by_address, &all->address);
    quota_give(&server->quotas.by_subject, &all->subject);
    for (size_t i = 0; i < all->count; i++) {
        quota_give(&server->quotas.by_topic, &all->topics[i]);
    }
    free(all);
}
