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
    size_t count; // of the topics and patterns, in the order of the selection; 0: they do not count
    struct {
        struct quota_entry *entry; // NULL: not taken
        size_t kept_from;          // its place before the change plus one; 0: it is new
    } topics[];
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
                  &held->topics[i].entry);
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
        quota_give(&server->quotas.by_topic, &all->topics[i].entry);
    }
    free(all);
}

// Takes what is new, and notes what is kept. Both selections are sorted.
static int take_new(struct stream *stream, const struct selection *now,
                    const struct selection *next, struct held *held) {
    struct quota *quota = &stream->worker->server->quotas.by_topic;
    uint32_t at = 0;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < next->count; i++) {
        struct topic_name name = next->items[i].name;
        int order = -1;
        while (at < now->count &&
               (order = bytes_compare(now->items[at].name.text, name.text)) < 0) {
            at++;
        }
        if (at < now->count && order == 0) {
            held->topics[i].kept_from = at + 1;
        } else {
            rc = take(stream->worker, quota, name.hash, LIMIT_TOPIC_LISTENERS,
                      &held->topics[i].entry);
        }
    }
    return rc;
}

// Moves what is kept from one to the other, or back.
static void move_kept(struct held *held, struct held *before, bool back) {
    for (size_t i = 0; i < held->count; i++) {
        size_t from = held->topics[i].kept_from;
        if (from && back) {
            before->topics[from - 1].entry = held->topics[i].entry;
            held->topics[i].entry = NULL;
        } else if (from) {
            held->topics[i].entry = before->topics[from - 1].entry;
            before->topics[from - 1].entry = NULL;
        }
    }
}

static void move_rest(struct held *to, struct held *from) {
    to->address = from->address;
    to->subject = from->subject;
    from->address = from->subject = NULL;
}

int quotas_change(struct stream *stream, const struct selection *now, const struct selection *next,
                  struct held **before) {
    struct server *server = stream->worker->server;
    *before = NULL;
    if (!stream->held || stream->held->count == 0) {
        return 0;
    }
    struct held *held = calloc(1, sizeof(*held) + next->count * sizeof(held->topics[0]));
    if (!held) {
        return ERR_NOMEM;
    }
    held->count = next->count;
    int rc = take_new(stream, now, next, held);
    if (rc) {
        quotas_give_listener(server, &held);
        return rc;
    }
    *before = stream->held;
    stream->held = held;
    move_kept(held, *before, false);
    move_rest(held, *before);
    return 0;
}

void quotas_change_back(struct stream *stream, struct held **before) {
    struct held *held = stream->held;
    if (*before) {
        move_kept(held, *before, true);
        move_rest(*before, held);
        stream->held = *before;
        *before = NULL;
        quotas_give_listener(stream->worker->server, &held);
    }
}
