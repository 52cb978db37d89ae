// HTTP/1 on one connection: the life of the session, from accept to close. It begins as a dialog of
// requests and answers; a request that subscribes turns it into a stream, which ends with it.
#include "server/session_h1.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "server/listening.h"
#include "server/session.h"

enum {
    LINGER_MS = 2000,
    LINGER_BYTES = 256 * 1024,    // read and dropped of what is still coming
    STREAM_INPUT_MAX = 64 * 1024, // of a listener that talks
};

static const struct conn_ops h1_conn_ops;

static struct dialog *dialog_create(const struct settings *settings) {
    struct dialog *d = calloc(1, sizeof(*d));
    if (d) {
        buf_init(&d->in, &mem_libc, settings->max_head + 2 * WORKER_SCRATCH);
        buf_init(&d->out, &mem_libc, 0);
    }
    return d;
}

void h1_drop_dialog(struct session_h1 *s) {
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
    if (open < most + SESSIONS_BEYOND) {
        return true;
    }
    atomic_fetch_sub_explicit(&server->connections, 1, memory_order_relaxed);
    return false;
}

static void refuse_connection(struct worker *worker, struct session_h1 *s, int fd) {
    atomic_fetch_sub_explicit(&worker->server->connections, 1, memory_order_relaxed);
    worker_limit_hit(worker, LIMIT_MEMORY);
    if (s) {
        quotas_give_connection(worker, &s->hold);
        h1_drop_dialog(s);
    }
    free(s);
    close(fd);
}

static struct session_h1 *session_create(struct worker *worker, bool crowded) {
    struct session_h1 *s = calloc(1, sizeof(*s));
    if (s) {
        s->worker = worker;
        s->crowded = crowded;
        s->dialog = dialog_create(h1_settings(s));
    }
    return s;
}

static void take_input(struct session_h1 *s, ptrdiff_t n);

const char session_protocols[] = "\x02h2\x08http/1.1\x08http/1.0";
const char session_protocols_h1[] = "\x08http/1.1\x08http/1.0";

void session_accept(struct worker *worker, int fd, const struct peer *peer,
                    const struct listening *at) {
    bool crowded;
    struct quota_entry *hold;
    if (quotas_take_connection(worker, peer, &hold)) {
        close(fd);
        return;
    }
    if (!admit(worker, &crowded)) {
        quotas_give_connection(worker, &hold);
        // No status would do: a browser's EventSource gives up on any, but tries again after this.
        close(fd);
        return;
    }
    struct session_h1 *s = session_create(worker, crowded);
    if (!s || !s->dialog) {
        quotas_give_connection(worker, &hold);
        refuse_connection(worker, s, fd);
        return;
    }
    s->dialog->only_h1 = !at->http2;
    s->entrance = (uint8_t)at->entrance;
    s->hold = hold;
    conn_attach(&s->conn, &worker->net, fd, peer, &h1_conn_ops);
    if (at->source && conn_secure(&s->conn, at->source)) {
        refuse_connection(worker, s, fd);
        return;
    }
    // The request is often there already: watched from after that on, the connection is not told of
    // what it has read.
    ptrdiff_t n = conn_recv(&s->conn, worker->scratch, WORKER_SCRATCH);
    if (conn_start(&s->conn)) {
        refuse_connection(worker, s, fd);
        return;
    }
    list_push_back(&worker->sessions, &s->link);
    hub_count(&worker->counters.accepted, 1);
    h1_set_timeout(s, h1_settings(s)->header_timeout_ms);
    take_input(s, n);
}

void h1_close(struct session_h1 *s) {
    if (s->busy) {
        s->failed = true;
        return;
    }
    if (s->state == H1_UPGRADED && s->h2) {
        session_h2_close(s->h2);
        return;
    }
    if (s->state == H1_CLOSED) {
        return;
    }
    s->state = H1_CLOSED;
    h1_drop_stream(s);
    h1_drop_dialog(s);
    list_remove(&s->link);
    quotas_give_connection(s->worker, &s->hold);
    hub_count(&s->worker->counters.closed, 1);
    atomic_fetch_sub_explicit(&s->worker->server->connections, 1, memory_order_relaxed);
    conn_close(&s->conn);
}

static void on_closed(struct conn *conn) {
    free(container_of(conn, struct session_h1, conn));
}

void h1_take_back(struct session_h1 *s) {
    s->h2 = NULL;
    s->state = H1_FLUSHING;
    s->conn.ops = &h1_conn_ops;
}

void h1_linger(struct session_h1 *s) {
    s->state = H1_LINGERING;
    s->dropped = 0;
    conn_shutdown(&s->conn);
    h1_set_timeout(s, LINGER_MS);
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
        bool waits = s->state == H1_ANSWERING || s->state == H1_DECIDING;
        bool talks_on = waits && d->in.len;
        events = d->out.len > H1_OUT_HIGH || talks_on || d->ended ? 0 : CONN_READ;
    }
    if (d && d->out.len) {
        events |= CONN_WRITE;
    }
    conn_wait_for(&s->conn, events);
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

// What a read brought: bytes in the worker's scratch, nothing, or the end.
static void take_input(struct session_h1 *s, ptrdiff_t n) {
    if (n == 0) {
        return;
    }
    if (s->state == H1_STREAM || s->state == H1_LINGERING) {
        if (n < 0) {
            h1_close(s);
        } else if (s->stream && s->stream->talk) {
            s->stream->talk->ops->input(s->stream, bytes_make(s->worker->scratch, (size_t)n));
        } else {
            drop_input(s, (size_t)n);
        }
    } else if (n < 0) {
        h1_end_of_input(s);
    } else {
        h1_use_input(s, bytes_make(s->worker->scratch, (size_t)n));
    }
}

static void on_readable(struct conn *conn) {
    struct session_h1 *s = container_of(conn, struct session_h1, conn);
    take_input(s, conn_recv(conn, s->worker->scratch, WORKER_SCRATCH));
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

static void dialog_expired(struct session_h1 *s, struct dialog *d) {
    const struct handler *handler = d->exchange.handler;
    if (s->state == H1_ANSWERING && handler && handler->expired) {
        handler->expired(&d->exchange);
    } else if (s->state == H1_BODY && handler && !d->exchange.answered) {
        h1_time_out(s, handler->endless_body ? LIMIT_PUBLISH_TIMEOUT : LIMIT_BODY_TIMEOUT);
    } else if (s->state == H1_HEAD && d->head_begun) {
        h1_time_out(s, LIMIT_HEADER_TIMEOUT);
    } else {
        if (s->state == H1_HEAD) {
            worker_limit_hit(s->worker,
                             d->answers ? LIMIT_KEEPALIVE_TIMEOUT : LIMIT_HEADER_TIMEOUT);
        }
        h1_close(s);
    }
}

static void on_expired(struct conn *conn) {
    struct session_h1 *s = container_of(conn, struct session_h1, conn);
    if (s->stream) {
        stream_tick(s->stream);
    } else if (s->dialog) {
        dialog_expired(s, s->dialog);
    } else {
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
        if (s->state == H1_UPGRADED) {
            session_h2_drain(s->h2);
        } else if (s->state == H1_HEAD && !s->dialog->head_begun && s->dialog->out.len == 0) {
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
