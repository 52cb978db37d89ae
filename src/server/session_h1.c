// HTTP/1 on one connection: the life of the session and the way of its input. Requests are answered
// one after the other, so pipelining costs nothing and reorders nothing; a request that subscribes
// turns the connection into a stream, which ends with it.
#include "server/session_h1.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "server/router.h"
#include "server/session.h"

enum {
    LINGER_MS = 2000,
    LINGER_BYTES = 256 * 1024,    // read and dropped of what is still coming
    STREAM_INPUT_MAX = 64 * 1024, // of a listener that talks
    DISCARD_MAX = 64 * 1024,      // of a body whose answer is out already
    CROWD_MAX = 256,              // connections beyond the limit that still get an answer
};

static const struct conn_ops h1_conn_ops;

static const struct settings *settings_of(const struct session_h1 *s) {
    return s->worker->server->settings;
}

static void set_timeout(struct session_h1 *s, int64_t ms) {
    if (ms) {
        conn_set_deadline(&s->conn, worker_now(s->worker) + ms);
    } else {
        conn_clear_deadline(&s->conn);
    }
}

static struct dialog *dialog_create(const struct settings *settings) {
    struct dialog *d = calloc(1, sizeof(*d));
    if (d) {
        buf_init(&d->in, &mem_libc, settings->max_head + 2 * WORKER_SCRATCH);
        buf_init(&d->out, &mem_libc, 0);
    }
    return d;
}

static void dialog_destroy(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    if (d) {
        h1_finish_exchange(s);
        buf_finish(&d->in);
        buf_finish(&d->out);
        free(d);
        s->dialog = NULL;
    }
}

// Some are let in beyond the limit, to be told when to come back.
static bool admit(struct worker *worker, bool *crowded) {
    struct server *server = worker->server;
    uint64_t most = server->settings->max_connections;
    size_t open = atomic_fetch_add_explicit(&server->connections, 1, memory_order_relaxed);
    *crowded = open >= most;
    if (!*crowded) {
        return true;
    }
    worker_limit_hit(worker, LIMIT_CONNECTIONS);
    if (open < most + CROWD_MAX) {
        return true;
    }
    atomic_fetch_sub_explicit(&server->connections, 1, memory_order_relaxed);
    return false;
}

static void refuse_connection(struct worker *worker, struct session_h1 *s, int fd) {
    atomic_fetch_sub_explicit(&worker->server->connections, 1, memory_order_relaxed);
    worker_limit_hit(worker, LIMIT_MEMORY);
    if (s) {
        dialog_destroy(s);
    }
    free(s);
    close(fd);
}

void session_accept(struct worker *worker, int fd, const struct peer *peer) {
    bool crowded;
    if (!admit(worker, &crowded)) {
        // No status would do: a browser's EventSource gives up on any, but tries again after this.
        close(fd);
        return;
    }
    struct session_h1 *s = calloc(1, sizeof(*s));
    if (s) {
        s->worker = worker;
        s->crowded = crowded;
        s->dialog = dialog_create(settings_of(s));
    }
    if (!s || !s->dialog || conn_open(&s->conn, &worker->net, fd, peer, &h1_conn_ops)) {
        refuse_connection(worker, s, fd);
        return;
    }
    list_push_back(&worker->sessions, &s->link);
    hub_count(&worker->counters.accepted, 1);
    set_timeout(s, settings_of(s)->header_timeout_ms);
    // The request is often there already.
    h1_conn_ops.readable(&s->conn);
}

void h1_close(struct session_h1 *s) {
    if (s->busy) {
        s->failed = true;
        return;
    }
    if (s->state == H1_CLOSED) {
        return;
    }
    s->state = H1_CLOSED;
    h1_drop_stream(s);
    dialog_destroy(s);
    list_remove(&s->link);
    hub_count(&s->worker->counters.closed, 1);
    atomic_fetch_sub_explicit(&s->worker->server->connections, 1, memory_order_relaxed);
    conn_close(&s->conn);
}

static void on_closed(struct conn *conn) {
    free(container_of(conn, struct session_h1, conn));
}

void h1_linger(struct session_h1 *s) {
    s->state = H1_LINGERING;
    s->dropped = 0;
    conn_shutdown(&s->conn);
    set_timeout(s, LINGER_MS);
    h1_update_interest(s);
}

void h1_update_interest(struct session_h1 *s) {
    unsigned events = 0;
    const struct dialog *d = s->dialog;
    if (s->state == H1_STREAM || s->state == H1_LINGERING) {
        events = CONN_READ;
    } else if (s->state != H1_CLOSED && s->state != H1_FLUSHING) {
        // A peer that does not read its answers is not read either; nor is one that talks on while
        // its answer is being made.
        bool talks_on = s->state == H1_ANSWERING && d->in.len;
        events = d->out.len > H1_OUT_HIGH || talks_on ? 0 : CONN_READ;
    }
    if (d && d->out.len) {
        events |= CONN_WRITE;
    }
    conn_wait_for(&s->conn, events);
}

void h1_finish_exchange(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    struct exchange *exchange = &d->exchange;
    if (!d->under_way) {
        return;
    }
    d->under_way = false;
    if (exchange->handler && exchange->handler->drop) {
        exchange->handler->drop(exchange);
    }
    free(exchange->origin);
    exchange->origin = NULL;
}

// After the answer: the next request, or the close.
static void next_request(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    h1_finish_exchange(s);
    if (d->last) {
        s->state = H1_FLUSHING;
        set_timeout(s, settings_of(s)->body_timeout_ms);
    } else {
        s->state = H1_HEAD;
        d->scanned = 0;
        set_timeout(s, settings_of(s)->keepalive_timeout_ms);
    }
}

static void begin_exchange(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    d->exchange = (struct exchange){
        .worker = s->worker,
        .ops = &h1_exchange_ops,
        .carrier = s,
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
    set_timeout(s, endless ? settings_of(s)->publish_timeout_ms : settings_of(s)->body_timeout_ms);
    if (d->req.expect_continue && buf_append(&d->out, go_on, sizeof(go_on) - 1) == 0) {
        h1_flush(s);
    }
}

static int begin_route(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    struct exchange *exchange = &d->exchange;
    int rc = exchange_note_origin(exchange, &d->req);
    if (rc) {
        return rc;
    }
    exchange->handler = router_find(exchange, &d->req);
    if (!exchange->handler) {
        return 0; // answered
    }
    if (!d->body_complete && !exchange->handler->body) {
        exchange_problem(exchange, 400, "this takes no request body; send none");
        return 0;
    }
    return exchange->handler->begin(exchange, &d->req);
}

static void begin_request(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    begin_exchange(s);
    conn_clear_deadline(&s->conn);
    hub_count(&s->worker->counters.requests, 1);
    d->last = !d->req.keep_alive || s->crowded || s->worker->draining;
    d->body_complete =
        d->req.body == BODY_NONE || (d->req.body == BODY_LENGTH && d->req.content_length == 0);
    http_body_init(&d->body, &d->req);
    int rc = begin_route(s);
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
        set_timeout(s, settings_of(s)->body_timeout_ms);
    }
}

bool h1_can_discard_body(const struct session_h1 *s) {
    const struct http_request *req = &s->dialog->req;
    return req->body == BODY_LENGTH && req->content_length <= DISCARD_MAX && !req->expect_continue;
}

// Each of the two takes from the input and returns false when it needs more.
static bool take_head(struct session_h1 *s, struct bytes *in) {
    struct dialog *d = s->dialog;
    const struct settings *settings = settings_of(s);
    struct http_limits limits = {.max_head = settings->max_head,
                                 .max_headers = settings->max_headers};
    int n = http_request_parse(&d->req, limits, in->at, in->len, &d->scanned);
    if (n == 0) {
        if (!d->head_begun) {
            d->head_begun = true;
            set_timeout(s, settings->header_timeout_ms);
        }
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
            set_timeout(s, settings_of(s)->publish_timeout_ms);
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

static void end_of_input(struct session_h1 *s) {
    struct dialog *d = s->dialog;
    // Who shuts its end after the request still gets the answer that is on its way.
    if (d->out.len && s->state == H1_HEAD) {
        s->state = H1_FLUSHING;
        set_timeout(s, settings_of(s)->body_timeout_ms);
        h1_update_interest(s);
    } else if (s->state != H1_FLUSHING) {
        h1_close(s);
    }
}

// What is owed at the end of a round of input.
static void settle(struct session_h1 *s) {
    s->busy = false;
    if (s->failed) {
        h1_close(s);
    } else if (s->state == H1_STREAM) {
        dialog_destroy(s);
        h1_update_interest(s);
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

static void use_input(struct session_h1 *s, struct bytes in) {
    struct dialog *d = s->dialog;
    if (d->in.len == 0 && s->state != H1_ANSWERING) {
        s->busy = true;
        consume(s, &in);
        if (s->state == H1_STREAM || s->state == H1_FLUSHING) {
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

static void drop_input(struct session_h1 *s, size_t n) {
    s->dropped += (uint32_t)n;
    if (s->state == H1_STREAM && s->dropped > STREAM_INPUT_MAX) {
        h1_close(s);
    } else if (s->state == H1_LINGERING && s->dropped > LINGER_BYTES) {
        // Who cannot send any more looks up and finds the answer; closing now would destroy it.
        conn_wait_for(&s->conn, 0);
    }
}

static void on_readable(struct conn *conn) {
    struct session_h1 *s = container_of(conn, struct session_h1, conn);
    ptrdiff_t n = conn_recv(conn, s->worker->scratch, WORKER_SCRATCH);
    if (n == 0) {
        return;
    }
    if (s->state == H1_STREAM || s->state == H1_LINGERING) {
        if (n < 0) {
            h1_close(s);
        } else {
            drop_input(s, (size_t)n);
        }
    } else if (n < 0) {
        end_of_input(s);
    } else {
        use_input(s, bytes_make(s->worker->scratch, (size_t)n));
    }
}

static void on_writable(struct conn *conn) {
    struct session_h1 *s = container_of(conn, struct session_h1, conn);
    if (s->state == H1_STREAM) {
        h1_update_interest(s);
        hub_writable(&s->stream->subscriber);
    } else if (s->dialog) {
        h1_flush(s);
        if (s->state == H1_HEAD || s->state == H1_BODY) {
            h1_resume(s);
        }
    }
}

static void time_out(struct session_h1 *s, enum limit limit) {
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

static void on_expired(struct conn *conn) {
    struct session_h1 *s = container_of(conn, struct session_h1, conn);
    const struct handler *handler = s->dialog ? s->dialog->exchange.handler : NULL;
    if (s->state == H1_STREAM) {
        stream_tick(s->stream);
    } else if (s->state == H1_ANSWERING && handler->expired) {
        handler->expired(&s->dialog->exchange);
    } else if (s->state == H1_BODY && s->dialog->exchange.answered) {
        h1_close(s);
    } else if (s->state == H1_BODY) {
        time_out(s, handler->endless_body ? LIMIT_PUBLISH_TIMEOUT : LIMIT_BODY_TIMEOUT);
    } else if (s->state == H1_HEAD && s->dialog->head_begun) {
        time_out(s, LIMIT_HEADER_TIMEOUT);
    } else {
        worker_limit_hit(s->worker, LIMIT_KEEPALIVE_TIMEOUT);
        h1_close(s);
    }
}

static const struct conn_ops h1_conn_ops = {
    .readable = on_readable,
    .writable = on_writable,
    .expired = on_expired,
    .closed = on_closed,
};

static struct session_h1 *session_at(struct list *link) {
    return container_of(link, struct session_h1, link);
}

void session_drain_all(struct worker *worker) {
    struct list *at = worker->sessions.next;
    while (at != &worker->sessions) {
        struct session_h1 *s = session_at(at);
        at = at->next;
        if (s->state == H1_HEAD && !s->dialog->head_begun && s->dialog->out.len == 0) {
            h1_close(s);
        } else if (s->dialog) {
            s->dialog->last = true;
        }
    }
}

void session_close_all(struct worker *worker) {
    while (!list_empty(&worker->sessions)) {
        h1_close(session_at(worker->sessions.next));
    }
}
