// The input of an HTTP/1 session: from bytes to requests and their bodies, and on to the routes. One
// request at a time: pipelining costs nothing and reorders nothing.
#include <stdlib.h>

#include "base/error.h"
#include "server/auth_hook.h"
#include "server/router.h"
#include "server/session.h"
#include "server/session_h1.h"
#include "server/trust.h"

enum { DISCARD_MAX = 64 * 1024 }; // of a body whose answer is out already

void h1_finish_exchange(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    struct exchange *exchange = &d->exchange;
    if (!d->under_way) {
        return;
    }
    d->under_way = false;
    exchange_finish(exchange);
}

// After the answer: the next request, or the close.
static void next_request(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    h1_finish_exchange(s);
    d->answers = true;
    if (d->last) {
        s->state = H1_FLUSHING;
        h1_set_timeout(s, h1_settings(s)->body_timeout_ms);
    } else {
        s->state = H1_HEAD;
        d->scanned = 0;
        h1_set_timeout(s, h1_settings(s)->keepalive_timeout_ms);
    }
}

static void begin_exchange(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    d->exchange = (struct exchange){
        .worker = s->worker,
        .ops = &h1_exchange_ops,
        .carrier = s,
        .secure = conn_is_secure(&s->conn),
        .entrance = (enum entrance)s->entrance,
        .crowded = s->crowded,
        .to_head = d->req.method == HTTP_HEAD,
    };
    d->under_way = true;
    d->body_complete = false;
    d->head_begun = false;
}

// A request that cannot be read: nothing behind it can be trusted, so the connection ends with it.
static void refuse_request(struct session_h1 *s, int error) {
    struct dialog *d = s->dialog;
    if (!d->under_way) {
        begin_exchange(s);
        d->exchange.to_head = false;
    }
    d->last = true;
    if (!d->exchange.answered) {
        exchange_refuse(&d->exchange, error);
    }
    next_request(s);
}

// What follows from a step of the route.
static void after_step(struct session_h1 *s, int rc) {
    struct dialog *d = s->dialog;
    if (s->state == H1_STREAM) {
        h1_finish_exchange(s);
        return;
    }
    if (rc && !d->exchange.answered) {
        exchange_refuse(&d->exchange, rc);
    }
    if (d->exchange.answered && (d->body_complete || d->last)) {
        next_request(s);
    } else {
        s->state = d->body_complete ? H1_ANSWERING : H1_BODY;
    }
}

static void complete_request(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    const struct handler *handler = d->exchange.handler;
    d->body_complete = true;
    after_step(s,
               handler && handler->end && !d->exchange.answered ? handler->end(&d->exchange) : 0);
}

static void await_body(struct session_h1 *s) {
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct dialog *d = s->dialog;
    bool endless = d->exchange.handler->endless_body;
    s->state = H1_BODY;
    h1_set_timeout(s,
                   endless ? h1_settings(s)->publish_timeout_ms : h1_settings(s)->body_timeout_ms);
    if (d->req.expect_continue && buf_append(&d->out, go_on, sizeof(go_on) - 1) == 0) {
        h1_flush(s);
    }
}

static int begin_route(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    return router_begin(&d->exchange, &d->req, !d->body_complete);
}

// What follows from the route's begin.
static void begun(struct session_h1 *s, int rc) {
    struct dialog *d = s->dialog;
    if (rc == 0 && d->exchange.undecided) {
        s->state = H1_DECIDING;
        return;
    }
    if (rc == 0 && !d->exchange.answered && s->state != H1_STREAM) {
        if (d->body_complete) {
            complete_request(s);
        } else {
            await_body(s);
        }
        return;
    }
    after_step(s, rc);
    if (s->state == H1_BODY) {
        h1_set_timeout(s, h1_settings(s)->body_timeout_ms);
    }
}

static void begin_request(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    begin_exchange(s);
    conn_clear_deadline(&s->conn);
    hub_count(&s->worker->counters.requests, 1);
    d->last = !d->req.keep_alive || s->crowded;
    d->body_complete =
        d->req.body == BODY_NONE || (d->req.body == BODY_LENGTH && d->req.content_length == 0);
    http_body_init(&d->body, &d->req);
    begun(s, begin_route(s));
}

bool h1_can_discard_body(const struct session_h1 *s) {
    const struct http_request *req = &s->dialog->req;
    return req->body == BODY_LENGTH && req->content_length <= DISCARD_MAX && !req->expect_continue;
}

// Who agreed on HTTP/2 during the handshake speaks nothing else, whatever comes.
static bool agreed_on_h2(const struct session_h1 *s) {
    return conn_is_secure(&s->conn) && bytes_is(conn_protocol(&s->conn), "h2");
}

// Each of the two takes from the input and returns false when it needs more.
static bool take_head(struct session_h1 *s, struct bytes *in) {
    struct dialog *d = s->dialog;
    if (agreed_on_h2(s)) {
        s->state = H1_UPGRADED;
        return false;
    }
    const struct settings *settings = h1_settings(s);
    struct http_limits limits = {.max_head = settings->max_head,
                                 .max_headers = settings->max_headers};
    int n = http_request_parse(&d->req, limits, in->at, in->len, &d->scanned);
    if (n == 0) {
        if (!d->head_begun) {
            d->head_begun = true;
            h1_set_timeout(s, settings->header_timeout_ms);
        }
        return false;
    }
    if (n == HTTP_ERR_VERSION_UNSUPPORTED && !d->answers && !d->only_h1 &&
        session_h2_preface(*in)) {
        s->state = H1_UPGRADED;
        return false;
    }
    if (n < 0) {
        in->len = 0;
        refuse_request(s, n);
        return true;
    }
    in->at += n;
    in->len -= (size_t)n;
    d->scanned = 0;
    begin_request(s);
    return true;
}

static bool take_body(struct session_h1 *s, struct bytes *in) {
    struct dialog *d = s->dialog;
    const struct handler *handler = d->exchange.handler;
    struct bytes piece;
    int rc = http_body_feed(&d->body, in, &piece);
    if (rc == HTTP_BODY_MORE) {
        return false;
    }
    if (rc < 0) {
        in->len = 0;
        refuse_request(s, rc);
    } else if (rc == HTTP_BODY_DONE) {
        conn_clear_deadline(&s->conn);
        complete_request(s);
    } else if (!d->exchange.answered) {
        if (handler->endless_body) {
            h1_set_timeout(s, h1_settings(s)->publish_timeout_ms);
        }
        after_step(s, handler->body(&d->exchange, piece));
    }
    return true;
}

// Uses the input as far as the state allows.
static void consume(struct session_h1 *s, struct bytes *in) {
    bool going = true;
    while (going && !s->failed && s->dialog->out.len <= H1_OUT_HIGH) {
        if (s->state == H1_HEAD && in->len) {
            going = take_head(s, in);
        } else if (s->state == H1_BODY) {
            going = take_body(s, in);
        } else {
            going = false;
        }
        if (s->dialog->out.len > H1_OUT_HIGH) {
            h1_flush(s);
        }
    }
}

void h1_end_of_input(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    // Who shuts its end after the request still gets the answer that is on its way.
    if (d->out.len && s->state == H1_HEAD) {
        s->state = H1_FLUSHING;
        h1_set_timeout(s, h1_settings(s)->body_timeout_ms);
        h1_update_interest(s);
    } else if ((s->state == H1_ANSWERING && d->exchange.handler->finishes) ||
               (s->state == H1_DECIDING && d->body_complete && d->req.method == HTTP_POST)) {
        d->ended = d->last = true;
        h1_update_interest(s);
    } else if (s->state != H1_FLUSHING) {
        h1_close(s);
    }
}

// Who talks may have begun to, right behind the request.
static void begin_stream(struct session_h1 *s) {
    struct talk *talk = s->stream->talk;
    struct buf in = s->dialog->in;
    buf_init(&s->dialog->in, in.mem, 0);
    h1_drop_dialog(s);
    h1_update_interest(s);
    if (talk && in.len) {
        talk->ops->input(s->stream, buf_bytes(&in));
    }
    buf_finish(&in);
}

// What is owed at the end of a round of input.
static void settle(struct session_h1 *s) {
    s->busy = false;
    if (s->failed) {
        h1_close(s);
    } else if (s->state == H1_UPGRADED) {
        session_h2_start(s, buf_bytes(&s->dialog->in));
        h1_drop_dialog(s);
    } else if (s->state == H1_STREAM) {
        begin_stream(s);
    } else {
        h1_flush(s);
    }
}

void h1_resume(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    s->busy = true;
    if (s->state == H1_ANSWERING && d->exchange.answered) {
        next_request(s);
    }
    struct bytes in = buf_bytes(&d->in);
    consume(s, &in);
    buf_consume(&d->in, d->in.len - in.len);
    settle(s);
}

void h1_proceed(struct exchange *exchange) {
    struct session_h1 *s = h1_of_exchange(exchange);
    s->busy = true;
    begun(s, auth_hook_begin_again(exchange));
    h1_resume(s);
}

void h1_use_input(struct session_h1 *s, struct bytes in) {
    struct dialog *d = s->dialog;
    if (d->in.len == 0 && s->state != H1_ANSWERING) {
        s->busy = true;
        consume(s, &in);
        bool talks = s->state == H1_STREAM && s->stream->talk;
        if ((s->state == H1_STREAM && !talks) || s->state == H1_FLUSHING) {
            in.len = 0;
        }
        s->failed |= buf_append(&d->in, in.at, in.len) != 0;
        settle(s);
        return;
    }
    if (buf_append(&d->in, in.at, in.len)) {
        h1_close(s);
    } else {
        h1_resume(s);
    }
}

void h1_time_out(struct session_h1 *s, enum limit limit) {
    worker_limit_hit(s->worker, limit);
    if (!s->dialog->under_way) {
        begin_exchange(s);
    }
    s->dialog->exchange.to_head = false;
    s->dialog->last = true;
    s->busy = true;
    exchange_problem(&s->dialog->exchange, 408,
                     "the request did not come in time; send it in one go, or raise the limit");
    next_request(s);
    settle(s);
}
