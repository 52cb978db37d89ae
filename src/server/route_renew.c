// POST /api/connections/<name>/token: the right to listen of an open stream lasts as long as the token
// that this request brings, which must grant all that the stream hears. From then on it counts alone:
// what the one before let its bearer hear or say beyond that is over.
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "hub/change.h"
#include "server/access.h"
#include "server/gather.h"
#include "server/routes.h"
#include "server/stream.h"
#include "server/stream_name.h"
#include "server/worker.h"

static const char PREFIX[] = "/api/connections/", SUFFIX[] = "/token";

enum renewal { GONE, REFUSED, TAKEN_BACK, NO_MEMORY, RENEWED };

struct renew {
    struct gather gather;
    struct identity *identity;
    char name[STREAM_NAME_LEN];
    enum renewal renewal;
    int64_t lasts_ms;
    char refused[TOPIC_NAME_MAX];
    size_t refused_len;
};

static struct renew *renew_of(struct gather *gather) {
    return container_of(gather, struct renew, gather);
}

static bool covers_all(struct renew *renew, struct server *server,
                       const struct selection *selection) {
    for (uint32_t i = 0; i < selection->count; i++) {
        struct bytes name = selection->items[i].name.text;
        if (!access_covers(server, renew->identity, name, RIGHT_SUBSCRIBE)) {
            memcpy(renew->refused, name.at, name.len);
            renew->refused_len = name.len;
            return false;
        }
    }
    return true;
}

// The stream hears the same as before, and what is private of it by the new token.
static int make_privy_anew(const struct renew *renew, struct stream *stream) {
    struct server *server = stream->worker->server;
    const struct selection *now = stream->subscriber.feed->selection;
    struct selection *next;
    struct bytes *names = calloc(now->count, sizeof(*names));
    for (uint32_t i = 0; names && i < now->count; i++) {
        names[i] = now->items[i].name.text;
    }
    int rc =
        names ? selection_create_like(&next, &mem_libc, &server->hash_key, names, now->count, now)
              : ERR_NOMEM;
    free(names);
    if (rc) {
        return rc;
    }
    access_make_privy(server, renew->identity, next);
    return hub_change(&stream->subscriber, next);
}

static void put_into_force(struct renew *renew, struct stream *stream) {
    renew->lasts_ms = access_lasts_ms(stream->worker->server, renew->identity);
    renew->renewal = RENEWED;
    stream_live_by(stream, renew->identity);
    if (stream->talk) {
        stream->talk->ops->renewed(stream, renew->identity);
    }
    stream_expire_in(stream, renew->lasts_ms);
}

// A key may have been taken back on the way here, and who ends its streams have been here before.
static bool is_there_still(struct renew *renew, struct server *server) {
    struct identity *before = renew->identity;
    if (before->by_key) {
        renew->identity = access_key_now(server, before->key);
        identity_unref(before);
    }
    return renew->identity != NULL;
}

static bool ask(struct gather *gather, struct worker *worker) {
    struct renew *renew = renew_of(gather);
    struct bytes name = bytes_make(renew->name, STREAM_NAME_LEN);
    struct stream *stream = stream_name_find(worker, name);
    if (!stream || !stream->subscriber.feed) {
        return true;
    }
    if (!is_there_still(renew, worker->server)) {
        renew->renewal = TAKEN_BACK;
        return true;
    }
    if (!covers_all(renew, worker->server, stream->subscriber.feed->selection)) {
        renew->renewal = REFUSED;
        return true;
    }
    if (make_privy_anew(renew, stream)) {
        renew->renewal = NO_MEMORY;
        return true;
    }
    stream = stream_name_find(worker, name); // that may have been its end
    if (stream) {
        put_into_force(renew, stream);
    }
    return true;
}

static void answer_renewed(struct exchange *exchange, int64_t lasts_ms) {
    char body[64];
    int len = lasts_ms == INT64_MAX ? snprintf(body, sizeof(body), "{\"expires_in\":null}")
                                    : snprintf(body, sizeof(body), "{\"expires_in\":%lld}",
                                               (long long)(lasts_ms / 1000));
    exchange_answer(exchange, 200, "application/json", bytes_make(body, (size_t)len));
}

static void answer_gone(struct exchange *exchange) {
    exchange_problem(exchange, 404,
                     "there is no such connection, or no more; its name is told by the event "
                     "freshet.connection, to who asks with control=1");
}

static void answer(struct gather *gather, struct exchange *exchange) {
    const struct renew *renew = renew_of(gather);
    if (renew->renewal == RENEWED) {
        answer_renewed(exchange, renew->lasts_ms);
    } else if (renew->renewal == TAKEN_BACK) {
        access_challenge(exchange, "the API key has just been taken back; get a new one");
    } else if (renew->renewal == NO_MEMORY) {
        exchange_refuse(exchange, ERR_NOMEM);
    } else if (renew->renewal == REFUSED) {
        exchange_problem(exchange, 403,
                         "the %s does not let you listen to `%.*s`, which this connection hears",
                         identity_kind(renew->identity), (int)renew->refused_len, renew->refused);
    } else {
        answer_gone(exchange);
    }
}

static void destroy(struct gather *gather) {
    struct renew *renew = renew_of(gather);
    identity_unref(renew->identity);
    free(renew);
}

static const struct gather_ops renew_ops = {.ask = ask, .answer = answer, .destroy = destroy};

static int start(struct exchange *exchange, struct bytes name, const struct worker *worker) {
    struct renew *renew = calloc(1, sizeof(*renew));
    if (!renew) {
        return ERR_NOMEM;
    }
    memcpy(renew->name, name.at, STREAM_NAME_LEN);
    renew->identity = identity_ref(exchange->identity);
    gather_from(&renew->gather, exchange, &renew_ops, worker);
    return 0;
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    size_t prefix = strlen(PREFIX), around = prefix + strlen(SUFFIX);
    struct bytes name = bytes_make(req->path.at + prefix, req->path.len - around);
    const struct worker *worker = stream_name_worker(exchange->worker->server, name);
    if (!exchange->worker->server->access.tokens) {
        exchange_problem(
            exchange, 404,
            "there are no keys, so no connection needs a token; one that the backend of "
            "--auth-url has let in for a time is opened anew");
        return 0;
    }
    if (!exchange->identity) {
        access_challenge(exchange, "send the token that the connection is to go on with");
        return 0;
    }
    if (!worker) {
        answer_gone(exchange);
        return 0;
    }
    return start(exchange, name, worker);
}

// A body says nothing, and is passed over.
static int on_body(struct exchange *exchange, struct bytes piece) {
    (void)exchange;
    (void)piece;
    return 0;
}

const struct handler route_renew = {
    .begin = begin, .body = on_body, .drop = gather_drop, .finishes = true};
