// POST /api/tickets: for a token, a ticket that may stand in a URL once, soon. It is the bearer of the
// token that it stands for, until that expires.
#include <stdio.h>

#include "base/error.h"
#include "server/access.h"
#include "server/routes.h"
#include "server/worker.h"

static int answer(struct exchange *exchange, const char *ticket) {
    char body[TICKET_TEXT + 64];
    int64_t lasts = exchange->worker->server->settings->ticket_ms;
    int len = snprintf(body, sizeof(body), "{\"ticket\":\"%.*s\",\"expires_in\":%lld}", TICKET_TEXT,
                       ticket, (long long)(lasts / 1000));
    exchange_answer(exchange, 200, "application/json", bytes_make(body, (size_t)len));
    return 0;
}

static int on_end(struct exchange *exchange) {
    char ticket[TICKET_TEXT];
    int rc = access_issue_ticket(exchange, ticket);
    if (rc == 0) {
        return answer(exchange, ticket);
    }
    if (rc == ERR_TOO_LARGE) {
        worker_limit_hit(exchange->worker, LIMIT_TICKETS);
        exchange_problem(exchange, 503,
                         "too many tickets wait to be used; try again in a moment, or raise "
                         "--max-tickets");
        return 0;
    }
    return rc;
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    (void)req;
    if (!exchange->worker->server->access.tokens) {
        exchange_problem(exchange, 404, "there are no keys, so nobody needs a ticket");
        return 0;
    }
    if (!exchange->identity) {
        access_challenge(exchange, "send the token that the ticket is to stand for");
        return 0;
    }
    return 0;
}

// A body says nothing, and is passed over.
static int on_body(struct exchange *exchange, struct bytes piece) {
    (void)exchange;
    (void)piece;
    return 0;
}

const struct handler route_tickets = {.begin = begin, .body = on_body, .end = on_end};
