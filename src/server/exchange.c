// The answers that every route gives in the same way: problems, plain bodies, CORS.
#include "server/exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/identity.h"
#include "base/error.h"
#include "http/origin.h"
#include "server/audit.h"
#include "server/auth_hook.h"
#include "server/worker.h"

enum { DETAIL_MAX = 1024 };

void reply_add(struct reply *reply, const char *name, struct bytes value) {
    if (reply->header_count < REPLY_HEADERS_MAX) {
        reply->headers[reply->header_count++] =
            (struct http_header){.name = bytes_of(name), .value = value};
    }
}

void reply_add_for_browsers(struct reply *reply, const struct exchange *exchange) {
    const char *hsts = exchange->worker->server->secure.hsts;
    if (exchange->secure && *hsts) {
        reply_add(reply, "Strict-Transport-Security", bytes_of(hsts));
    }
    if (exchange->worker->server->settings->cors_origin.count) {
        reply_add(reply, "Vary", bytes_of("Origin"));
    }
    // What a page puts into itself without asking whether it may read it: images, scripts.
    bool others = exchange->origin || exchange->worker->server->live->any_origin;
    reply_add(reply, "Cross-Origin-Resource-Policy",
              bytes_of(others ? "cross-origin" : "same-origin"));
    if (exchange->origin) {
        reply_add(reply, "Access-Control-Allow-Origin", bytes_of(exchange->origin));
        reply_add(reply, "Timing-Allow-Origin", bytes_of(exchange->origin));
        if (exchange->worker->server->access.on && http_origin_has_owner(exchange->origin)) {
            reply_add(reply, "Access-Control-Allow-Credentials", bytes_of("true"));
        }
        reply_add(reply, "Access-Control-Expose-Headers",
                  bytes_of("Last-Event-ID, Link, Retry-After"));
    }
}

int exchange_note_origin(struct exchange *exchange, const struct http_request *req) {
    const struct snapshot *live = exchange->worker->server->live;
    struct bytes origin = http_request_header(req, "origin");
    enum http_origin_match match = http_origin_match(origin, live->origins, live->origin_count);
    if (match == HTTP_ORIGIN_UNKNOWN) {
        return 0;
    }
    // "*" says the same to everyone, so that caches can share it; with it no cookie counts.
    struct bytes value = match == HTTP_ORIGIN_ANY ? bytes_of("*") : origin;
    exchange->origin = strndup(value.at, value.len);
    return exchange->origin ? 0 : ERR_NOMEM;
}

void exchange_finish(struct exchange *exchange) {
    if (exchange->handler && exchange->handler->drop) {
        exchange->handler->drop(exchange);
    }
    auth_hook_drop(exchange);
    audit_end(exchange);
    free(exchange->origin);
    exchange->origin = NULL;
    quotas_give_listener(exchange->worker->server, &exchange->held);
    identity_unref(exchange->identity);
    exchange->identity = NULL;
}

void exchange_answer(struct exchange *exchange, int status, const char *type, struct bytes body) {
    struct reply reply = {.status = status, .type = type, .body = body};
    reply_add(&reply, "Cache-Control", bytes_of("no-store"));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

static void answer_problem(struct exchange *exchange, int status, struct bytes detail) {
    struct buf body;
    buf_init(&body, &mem_libc, 0);
    hub_count(&exchange->worker->counters.refused, 1);
    // Without memory for the sentence the status still tells.
    (void)http_problem_body(&body, status, detail);
    exchange_answer(exchange, status, "application/problem+json", buf_bytes(&body));
    buf_finish(&body);
}

// The longest start of the text that is valid UTF-8: what peers sent may be quoted in it.
static struct bytes valid_start(const char *text) {
    struct freshet_text all = {.at = text, .len = strlen(text)};
    return bytes_make(text, freshet_utf8_check(all));
}

void exchange_problem(struct exchange *exchange, int status, const char *format, ...) {
    char detail[DETAIL_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    answer_problem(exchange, status, valid_start(detail));
}

static void count_limit(struct exchange *exchange, int error) {
    struct worker *worker = exchange->worker;
    switch (error) {
    case HTTP_ERR_HEAD_TOO_LARGE:
    case HTTP_ERR_TARGET_TOO_LONG:
        worker_limit_hit(worker, LIMIT_HEAD);
        break;
    case HTTP_ERR_TOO_MANY_FIELDS:
        worker_limit_hit(worker, LIMIT_HEADERS);
        break;
    case ERR_NOMEM:
        worker_limit_hit(worker, LIMIT_MEMORY);
        break;
    default:
        break;
    }
}

void exchange_refuse(struct exchange *exchange, int error) {
    struct http_problem problem = http_error_problem(error);
    count_limit(exchange, error);
    answer_problem(exchange, problem.status, bytes_of(problem.detail));
}
