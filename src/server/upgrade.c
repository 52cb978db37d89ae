// A browser lets any page open a WebSocket to any server, and says whose page it is: the server has
// to refuse. So an origin that is neither the server's own nor allowed gets 403, where a plain GET
// would be answered and the page kept from reading it.
#include "server/upgrade.h"

#include "base/error.h"
#include "http/origin.h"
#include "server/auth_hook.h"
#include "server/session_ws.h"
#include "server/worker.h"

static void refuse_version(struct exchange *exchange, const struct http_problem *problem) {
    struct buf *body = &exchange->worker->body;
    buf_clear(body);
    hub_count(&exchange->worker->counters.refused, 1);
    // Without memory for the sentence the status and the header still tell.
    (void)http_problem_body(body, problem->status, bytes_of(problem->detail));
    struct reply reply = {
        .status = problem->status, .type = "application/problem+json", .body = buf_bytes(body)};
    reply_add(&reply, "Sec-WebSocket-Version", bytes_of("13"));
    reply_add(&reply, "Cache-Control", bytes_of("no-store"));
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

static bool may_connect(const struct exchange *exchange, const struct http_request *req) {
    return exchange->origin || http_origin_is_own(req);
}

bool upgrade_check(struct exchange *exchange, const struct http_request *req, struct wish *wish) {
    struct http_problem problem = websocket_check(req, !exchange->connects);
#ifndef HAVE_WSLAY
    problem = (struct http_problem){501, "This freshet was built without WebSocket; listen with an "
                                         "EventSource, at the same URL."};
#endif
    if (problem.status == 426) {
        refuse_version(exchange, &problem);
        return false;
    }
    if (problem.status) {
        exchange_problem(exchange, problem.status, "%s", problem.detail);
        return false;
    }
    if (!may_connect(exchange, req)) {
        exchange_problem(exchange, 403,
                         "pages of this origin may not connect; name it in --cors-origin");
        return false;
    }
    int rc = exchange->connects
                 ? 0
                 : websocket_accept(http_request_header(req, "sec-websocket-key"), wish->accept);
    rc = rc ? rc : auth_hook_keep(exchange, req, &wish->shown);
    if (rc) {
        exchange_refuse(exchange, rc);
    }
    return rc == 0;
}

void upgrade_compose_head(struct exchange *exchange, const struct wish *wish, struct bytes cursor,
                          struct reply *head) {
    const char *protocol = websocket_protocol_name(wish->protocol);
    *head = (struct reply){.status = exchange->connects ? 200 : 101, .unsized = true};
    if (!exchange->connects) {
        reply_add(head, "Upgrade", bytes_of("websocket"));
        reply_add(head, "Sec-WebSocket-Accept", bytes_make(wish->accept, WEBSOCKET_ACCEPT_LEN));
    }
    if (protocol) {
        reply_add(head, "Sec-WebSocket-Protocol", bytes_of(protocol));
    }
    reply_add(head, "Last-Event-ID", cursor);
    reply_add_for_browsers(head, exchange);
}

int upgrade_begin(struct stream *stream, struct identity *identity, const struct wish *wish) {
#ifdef HAVE_WSLAY
    return session_ws_begin(stream, identity, buf_bytes(&wish->shown));
#else
    return ERR_INVALID;
#endif
}
