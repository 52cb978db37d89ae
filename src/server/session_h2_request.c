// A request of HTTP/2 and its way through a route: from the head in hand, piece by piece of the body,
// to the end of the exchange. What it may take of memory and time is limited here.
#include <stdlib.h>

#include "base/error.h"
#include "server/auth_hook.h"
#include "server/router.h"
#include "server/session_h2.h"
#include "server/trust.h"

void h2_finish_exchange(struct h2_request *request) {
    struct exchange *exchange = &request->exchange;
    if (!request->under_way) {
        return;
    }
    request->under_way = false;
    exchange_finish(exchange);
}

// Notes how much of a body its route keeps.
static void weigh_body(struct session_h2 *s, struct h2_request *request, uint64_t bytes) {
    s->gathered += bytes - request->received;
    request->received = bytes;
}

void h2_drop_request(struct h2_stream *st) {
    struct h2_request *request = st->request;
    if (request) {
        st->request = NULL;
        weigh_body(st->session, request, 0);
        st->session->held -= request->held;
        h2_finish_exchange(request);
        buf_finish(&request->answer);
        buf_finish(&request->early);
        free(request);
    }
}

void h2_drop_stream(struct h2_stream *st) {
    struct session_h2 *s = st->session;
    if (s->sending == st) {
        s->sending = NULL;
    }
    h2_drop_subscription(st);
    h2_drop_request(st);
    wheel_disarm(&st->timer);
    list_remove(&st->link);
    s->stream_count--;
    free(st);
    if (list_empty(&s->streams)) {
        s->idle_since = worker_now(s->worker);
    }
    h2_touch(s);
}

void h2_stream_wait(struct h2_stream *st, int64_t ms) {
    struct worker *worker = st->session->worker;
    wheel_arm(&worker->stream_wheel, &st->timer, worker_now(worker) + ms);
}

// What follows from a step of the route.
static void after_step(struct h2_stream *st, int rc) {
    struct h2_request *request = st->request;
    request->in_step = false;
    if (!st->subscription && rc && !request->exchange.answered) {
        exchange_refuse(&request->exchange, rc);
    }
    if (request->exchange.answered) {
        weigh_body(st->session, request, 0);
        h2_finish_exchange(request);
    }
    if (st->subscription) {
        h2_drop_request(st);
    }
}

void h2_complete_request(struct h2_stream *st) {
    struct h2_request *request = st->request;
    const struct handler *handler = request->exchange.handler;
    if (request->exchange.undecided) {
        return; // h2_proceed comes back to it
    }
    request->body_complete = true;
    if (!request->exchange.answered && handler && handler->end) {
        wheel_disarm(&st->timer);
        request->in_step = true;
        after_step(st, handler->end(&request->exchange));
    }
}

static int begin_route(struct exchange *exchange, const struct http_request *req) {
    return router_begin(exchange, req, req->body == BODY_LENGTH && req->content_length);
}

static void await_body(struct h2_stream *st) {
    static uint8_t status[] = ":status", go_on[] = "100";
    struct session_h2 *s = st->session;
    const struct handler *handler = st->request->exchange.handler;
    const struct settings *settings = h2_settings(s);
    h2_stream_wait(st, handler->endless_body ? settings->publish_timeout_ms
                                             : settings->body_timeout_ms);
    if (st->request->awaits_go_on) {
        nghttp2_nv field = {status, go_on, sizeof(status) - 1, sizeof(go_on) - 1,
                            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
        nghttp2_submit_headers(s->ng, NGHTTP2_FLAG_NONE, st->id, NULL, &field, 1, NULL);
    }
}

static void begin_exchange(struct h2_stream *st) {
    struct session_h2 *s = st->session;
    st->request->exchange = (struct exchange){
        .worker = s->worker,
        .ops = &h2_exchange_ops,
        .carrier = st,
        .crowded = s->crowded,
        .secure = conn_is_secure(&s->shell->conn),
        .entrance = (enum entrance)s->shell->entrance,
    };
    st->request->under_way = true;
    hub_count(&s->worker->counters.requests, 1);
}

// A connection that is to end says which request was its last.
static void say_last(struct session_h2 *s) {
    if ((s->crowded || s->draining) && !s->said_last) {
        s->said_last = true;
        nghttp2_submit_goaway(s->ng, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(s->ng), NGHTTP2_NO_ERROR,
                              NULL, 0);
    }
}

// What follows from the route's begin.
static void begun(struct h2_stream *st, int rc) {
    struct h2_request *request = st->request;
    struct exchange *exchange = &request->exchange;
    bool wants_body = exchange->handler && exchange->handler->body;
    if (rc == 0 && exchange->undecided) {
        request->in_step = false;
    } else if (rc == 0 && !exchange->answered && !request->body_complete && wants_body) {
        request->in_step = false;
        await_body(st);
    } else {
        after_step(st, rc);
        if (st->request && !exchange->answered) {
            h2_complete_request(st);
        }
    }
}

void h2_begin_request(struct h2_stream *st) {
    struct session_h2 *s = st->session;
    struct h2_request *request = st->request;
    struct http_request req;
    begin_exchange(st);
    int rc = h2_head_end(s, !st->ended_by_peer, &req);
    request->in_step = true;
    if (rc) {
        request->body_complete = st->ended_by_peer;
        after_step(st, rc);
    } else {
        request->exchange.to_head = req.method == HTTP_HEAD;
        request->exchange.connects = s->head.protocol != NULL;
        request->discards = req.body != BODY_LENGTH || req.content_length <= H2_DISCARD_MAX;
        request->body_complete = st->ended_by_peer;
        request->awaits_go_on = req.expect_continue;
        begun(st, begin_route(&request->exchange, &req));
    }
    h2_head_drop(s);
    say_last(s);
}

// More than a few bodies at a time would be a way to fill the memory with one connection.
static bool has_room(struct h2_stream *st, size_t len) {
    struct session_h2 *s = st->session;
    weigh_body(s, st->request, st->request->received + len);
    return s->gathered <= H2_BODIES_MAX * h2_settings(s)->max_body ||
           s->gathered == st->request->received;
}

// HTTP/2 cannot be told to wait but by its windows, which are open: what comes is kept as a body is.
static void keep_early(struct h2_stream *st, struct bytes piece) {
    struct h2_request *request = st->request;
    int rc = buf_append(&request->early, piece.at, piece.len);
    if (rc) {
        request->in_step = true;
        worker_limit_hit(st->session->worker, rc == ERR_TOO_LARGE ? LIMIT_BODY : LIMIT_MEMORY);
        exchange_problem(
            &request->exchange, rc == ERR_TOO_LARGE ? 413 : 503,
            "more of the body came than is kept until it is known whether you may send "
            "it; send less at first");
        after_step(st, 0);
    }
}

void h2_take_body(struct h2_stream *st, struct bytes piece) {
    struct exchange *exchange = &st->request->exchange;
    if (!has_room(st, piece.len)) {
        worker_limit_hit(st->session->worker, LIMIT_BODY);
        st->request->in_step = true;
        exchange_problem(exchange, 429,
                         "there are too many bodies under way on this connection; "
                         "send fewer at a time");
        after_step(st, 0);
        return;
    }
    if (exchange->undecided) {
        keep_early(st, piece);
        return;
    }
    bool endless = exchange->handler->endless_body;
    if (endless) {
        h2_stream_wait(st, h2_settings(st->session)->publish_timeout_ms);
    }
    st->request->in_step = true;
    after_step(st, exchange->handler->body(exchange, piece));
    if (endless && !exchange->answered) {
        weigh_body(st->session, st->request, exchange->kept);
    }
}

// The body as far as it came before anybody was there to take it.
static void take_early(struct h2_stream *st) {
    struct h2_request *request = st->request;
    struct buf early = request->early;
    buf_init(&request->early, &mem_libc, 0);
    weigh_body(st->session, request, 0);
    if (early.len && !request->body_complete && !request->exchange.answered) {
        h2_take_body(st, buf_bytes(&early));
    }
    buf_finish(&early);
    if (st->ended_by_peer && !request->body_complete) {
        h2_complete_request(st);
    }
}

void h2_proceed(struct exchange *exchange) {
    struct h2_stream *st = h2_of_exchange(exchange);
    st->request->in_step = true;
    begun(st, auth_hook_begin_again(exchange));
    if (st->request) {
        take_early(st);
    }
    h2_touch(st->session);
}

static void time_out_body(struct h2_stream *st) {
    struct exchange *exchange = &st->request->exchange;
    worker_limit_hit(st->session->worker,
                     exchange->handler->endless_body ? LIMIT_PUBLISH_TIMEOUT : LIMIT_BODY_TIMEOUT);
    st->request->in_step = true;
    exchange_problem(exchange, 408,
                     "the request did not come in time; send it in one go, or raise the limit");
    after_step(st, 0);
}

void h2_stream_expired(struct h2_stream *st) {
    struct session_h2 *s = st->session;
    struct h2_request *request = st->request;
    h2_touch(s);
    if (st->subscription) {
        stream_tick(&st->subscription->stream);
    } else if (!request || request->exchange.answered) {
        // The answer was not read in time, or what came with it does not end.
        h2_reset(st, NGHTTP2_CANCEL);
    } else if (!request->body_complete) {
        time_out_body(st);
    } else if (request->exchange.handler && request->exchange.handler->expired) {
        request->exchange.handler->expired(&request->exchange);
    }
}
