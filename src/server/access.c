// The token or API key of a request, from the Authorization header or from a cookie, to an identity. A
// cookie goes along with whatever page makes the browser ask, so it only counts for pages that may ask.
#include "server/access.h"

#include <stdio.h>

#include "auth/token.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/cookie.h"
#include "http/origin.h"
#include "http/url.h"
#include "server/auth_hook.h"
#include "server/key_source.h"
#include "server/worker.h"

struct rules *access_borrow(struct access *access) {
    pthread_mutex_lock(&access->lock);
    struct rules *rules = access->rules;
    atomic_fetch_add_explicit(&rules->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&access->lock);
    return rules;
}

// A problem with the header that tells how to do better.
static void answer(struct exchange *exchange, int status, const char *error, const char *detail) {
    struct buf *body = &exchange->worker->body;
    char challenge[REPLY_VALUE_MAX];
    buf_clear(body);
    hub_count(&exchange->worker->counters.refused, 1);
    // Without memory for the sentence the status still tells.
    (void)http_problem_body(body, status, bytes_of(detail));
    struct reply reply = {
        .status = status, .type = "application/problem+json", .body = buf_bytes(body)};
    if (error) {
        snprintf(challenge, sizeof(challenge),
                 "Bearer realm=\"freshet\", error=\"%s\", error_description=\"%s\"", error, detail);
    } else {
        snprintf(challenge, sizeof(challenge), "Bearer realm=\"freshet\"");
    }
    if (status == 401) {
        reply_add(&reply, "WWW-Authenticate", bytes_of(challenge));
    }
    reply_add(&reply, "Cache-Control", bytes_of("no-store"));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

void access_challenge(struct exchange *exchange, const char *detail) {
    answer(exchange, 401, NULL, detail);
}

static bool refuse_token(struct exchange *exchange, const char *why) {
    if (why) {
        answer(exchange, 401, "invalid_token", why);
    } else {
        exchange_refuse(exchange, ERR_NOMEM);
    }
    return false;
}

// From here on nothing of the token is kept but what it says.
static bool take_claims(struct exchange *exchange, const struct rules *rules, struct bytes object) {
    struct claims claims;
    const char *why;
    if (!claims_read(&claims, object, &rules->policy, clock_wall_ms(), &why)) {
        claims_finish(&claims);
        return refuse_token(exchange, why);
    }
    exchange->identity = identity_create(&claims);
    return exchange->identity || refuse_token(exchange, NULL);
}

static bool take_key(struct exchange *exchange, struct bytes text) {
    struct server *server = exchange->worker->server;
    unsigned char hash[API_KEY_HASH];
    exchange->identity = api_key_hash(text, hash) ? access_key_now(server, hash) : NULL;
    if (!exchange->identity) {
        return refuse_token(exchange, "the API key is not one of those that are known here");
    }
    return access_lasts_ms(server, exchange->identity) > 0 ||
           refuse_token(exchange, "the API key has expired; get a new one");
}

static bool take_token(struct exchange *exchange, struct bytes token) {
    struct access *access = &exchange->worker->server->access;
    struct rules *rules = access_borrow(access);
    struct bytes claims;
    struct buf room;
    buf_init(&room, &mem_libc, 0);
    enum token_fault fault = token_open(&rules->keys, token, &room, &claims);
    if (fault == TOKEN_UNKNOWN_KEY && access->source) {
        key_source_nudge(access->source);
    }
    bool fine = fault == TOKEN_FINE
                    ? take_claims(exchange, rules, claims)
                    : refuse_token(exchange, fault == TOKEN_NOMEM ? NULL : token_fault_text(fault));
    buf_finish(&room);
    rules_unref(rules);
    return fine;
}

// Of another scheme it is somebody else's: a proxy's, for instance.
static struct bytes bearer(const struct http_request *req) {
    static const char scheme[] = "bearer ";
    struct bytes value = http_request_header(req, "authorization");
    size_t len = sizeof(scheme) - 1;
    if (value.len < len || !bytes_equal_nocase(bytes_make(value.at, len), bytes_of(scheme))) {
        return bytes_make(NULL, 0);
    }
    return bytes_trim(bytes_make(value.at + len, value.len - len));
}

// An origin is only ever allowed by its name: "*" allows everybody's pages to read what is public.
bool access_may_use_cookie(const struct exchange *exchange, const struct http_request *req) {
    bool named = exchange->origin && http_origin_has_owner(exchange->origin);
    return named || http_origin_is_own(req);
}

// The value of ?ticket=, decoded into `room`; at NULL: there is none.
static struct bytes ticket_in(const struct http_request *req, struct buf *room) {
    struct http_query_iter iter;
    struct bytes name, value, found = {0};
    bool subscribes = req->method == HTTP_GET && bytes_starts_with(req->path, "/events");
    if (subscribes && req->query.len && http_query_init(&iter, req->query, room) == 0) {
        while (!found.at && http_query_next(&iter, &name, &value) == 1) {
            found = bytes_is(name, "ticket") ? value : found;
        }
    }
    return found;
}

// True when the request brings a ticket; then either the identity is set or the exchange answered.
static bool take_ticket(struct exchange *exchange, const struct http_request *req) {
    struct tickets *tickets = &exchange->worker->server->access.tickets;
    struct buf room;
    buf_init(&room, &mem_libc, 0);
    struct bytes ticket = ticket_in(req, &room);
    bool brought = ticket.at != NULL;
    if (brought) {
        exchange->identity = tickets_redeem(tickets, ticket, worker_now(exchange->worker));
    }
    if (exchange->identity && exchange->identity->by_key && !access_still(exchange)) {
        identity_unref(exchange->identity);
        exchange->identity = NULL;
    }
    buf_finish(&room);
    if (brought && !exchange->identity) {
        refuse_token(exchange, "the ticket is used up or too old; ask for another one with POST "
                               "/api/tickets");
    }
    return brought;
}

int access_issue_ticket(struct exchange *exchange, char text[TICKET_TEXT]) {
    struct server *server = exchange->worker->server;
    return tickets_issue(&server->access.tickets, exchange->identity, worker_now(exchange->worker),
                         server->settings->ticket_ms, text);
}

bool access_take(struct exchange *exchange, struct bytes text) {
    return api_key_claims_to_be(text) ? take_key(exchange, text) : take_token(exchange, text);
}

bool access_identify(struct exchange *exchange, const struct http_request *req) {
    const struct server *server = exchange->worker->server;
    const char *name = server->settings->token_cookie;
    const struct snapshot *live = server->live;
    struct bytes token = bearer(req);
    if (token.at && admin_token_is(&live->admin, token)) {
        exchange->administers = true;
        return true;
    }
    if (!server->access.tokens) {
        return true;
    }
    if (token.at) {
        return access_take(exchange, token);
    }
    if (take_ticket(exchange, req)) {
        return exchange->identity;
    }
    token = http_cookie(req, bytes_of(name));
    if (!token.len) {
        return true;
    }
    if (!access_may_use_cookie(exchange, req)) {
        answer(exchange, 403, NULL,
               "a page of another origin may not use this cookie; --cors-origin names the origins "
               "whose pages may");
        return false;
    }
    return take_token(exchange, token);
}

bool access_allows(const struct exchange *exchange, struct bytes name, enum right right) {
    return access_covers(exchange->worker->server, exchange->identity, name, right) ||
           (exchange->vouched && grants_cover(&exchange->vouched->claims.grants, name, right));
}

bool access_covers(struct server *server, const struct identity *identity, struct bytes name,
                   enum right right) {
    struct access *access = &server->access;
    if (!access->on || (identity && grants_cover(&identity->claims.grants, name, right))) {
        return true;
    }
    struct rules *rules = access_borrow(access);
    bool public = grants_cover(&rules->everyone, name, right);
    rules_unref(rules);
    return public;
}

bool access_demand(struct exchange *exchange, struct bytes name, enum right right) {
    char detail[TOPIC_NAME_MAX + 200];
    const char *what = right == RIGHT_PUBLISH ? "publish to" : "listen to";
    if (access_allows(exchange, name, right)) {
        return true;
    }
    if (exchange->identity) {
        snprintf(detail, sizeof(detail), "the %s does not let you %s `%.*s`",
                 exchange->vouched ? "backend of this server" : identity_kind(exchange->identity),
                 what, (int)name.len, name.at);
        exchange_problem(exchange, 403, "%s", detail);
    } else {
        snprintf(detail, sizeof(detail),
                 "to %s `%.*s` send a token, in the header Authorization: Bearer or in the cookie",
                 what, (int)name.len, name.at);
        access_challenge(exchange, detail);
    }
    return false;
}

bool access_want(struct exchange *exchange, struct bytes name, enum right right) {
    return access_allows(exchange, name, right) || auth_hook_note(exchange, name, right) ||
           access_demand(exchange, name, right);
}

bool access_want_all(struct exchange *exchange, const struct selection *selection,
                     enum right right) {
    for (uint32_t i = 0; i < selection->count; i++) {
        if (!access_want(exchange, selection->items[i].name.text, right)) {
            return false;
        }
    }
    return true;
}

// Through a trusted proxy others can ask where only this machine can connect.
static bool is_on_this_machine(const struct exchange *exchange) {
    const struct peer *client = &exchange->client;
    static const uint8_t loopback[16] = {[15] = 1};
    return peer_is_unix(client) || memcmp(client->ip, loopback, sizeof(loopback)) == 0 ||
           (peer_is_v4(client) && client->ip[12] == 127);
}

bool access_demand_admin(struct exchange *exchange) {
    const struct server *server = exchange->worker->server;
    const struct snapshot *live = server->live;
    bool open = !server->access.on && !live->admin.on;
    if (open && exchange->entrance == ENTRANCE_LOCAL && !is_on_this_machine(exchange)) {
        exchange_problem(exchange, 403,
                         "without a token, who is on this machine is an administrator, and a "
                         "proxy says that you are not; see --admin-token-file");
        return false;
    }
    if (open || exchange->administers || (exchange->identity && exchange->identity->claims.admin)) {
        return true;
    }
    if (exchange->identity) {
        exchange_problem(exchange, 403,
                         exchange->identity->by_key
                             ? "this needs an API key whose line says admin"
                             : "this needs a token that says \"admin\": true");
    } else {
        access_challenge(exchange, "this needs the token of an administrator");
    }
    return false;
}

int64_t access_lasts_ms(const struct server *server, const struct identity *identity) {
    if (!identity || !identity->claims.expires_ms) {
        return INT64_MAX;
    }
    // Of a key it is this machine's own clock that says when.
    int64_t leeway = identity->by_key ? 0 : server->settings->jwt_leeway_ms;
    int64_t left = identity->claims.expires_ms + leeway - clock_wall_ms();
    return left > 0 ? left : 0;
}

int64_t access_granted_ms(const struct exchange *exchange) {
    const struct server *server = exchange->worker->server;
    int64_t own = access_lasts_ms(server, exchange->identity);
    int64_t vouched = access_lasts_ms(server, exchange->vouched);
    return own < vouched ? own : vouched;
}
