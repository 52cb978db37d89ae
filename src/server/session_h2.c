// HTTP/2 on one connection: the life of the session, from the preface to the close, and its way to
// the socket. nghttp2 writes the frames; here is when they leave, and when it is over.
#include "server/session_h2.h"

#include <stdlib.h>

#include "server/session.h"

enum {
    TABLE_SIZE = 1024,    // of compressed fields that are sent
    WINDOW = 1024 * 1024, // of the whole connection; each stream has what the protocol gives it
    ACKS_MAX = 4 * CREDIT_MAX, // so that the credit is spent before
};

static const struct conn_ops h2_conn_ops;

// --- the end ---

static void destroy(struct session_h2 *s) {
    while (!list_empty(&s->streams)) {
        h2_drop_stream(container_of(s->streams.next, struct h2_stream, link));
    }
    h2_head_drop(s);
    nghttp2_session_del(s->ng);
    buf_finish(&s->out);
    list_remove(&s->dirty);
    free(s);
}

void session_h2_close(struct session_h2 *s) {
    struct session_h1 *shell = s->shell;
    destroy(s);
    h1_take_back(shell);
    h1_close(shell);
}

// What was said last must arrive, although the peer may still be talking.
static void linger(struct session_h2 *s) {
    struct session_h1 *shell = s->shell;
    destroy(s);
    h1_take_back(shell);
    h1_linger(shell);
}

void session_h2_drain(struct session_h2 *s) {
    s->draining = true;
    if (!list_empty(&s->streams)) {
        nghttp2_submit_shutdown_notice(s->ng);
    }
    h2_touch(s);
}

// --- settling ---

static void update_interest(struct session_h2 *s) {
    // Who does not read is not read either.
    unsigned events = s->out.len > H2_OUT_HIGH || s->over ? 0 : CONN_READ;
    conn_wait_for(&s->shell->conn, events | (s->out.len ? CONN_WRITE : 0));
}

// Nobody listens, and what was answered is not read.
static bool is_stuck(const struct session_h2 *s) {
    return s->full && s->listener_count == 0;
}

static int64_t deadline_of(const struct session_h2 *s) {
    const struct settings *settings = h2_settings(s);
    if (s->ended) {
        return s->ended + settings->body_timeout_ms;
    }
    if (is_stuck(s)) {
        return s->moved + settings->body_timeout_ms;
    }
    if (h2_meter_within_head(&s->meter)) {
        return s->head_began + settings->header_timeout_ms;
    }
    if (list_empty(&s->streams)) {
        return s->idle_since +
               (s->answered ? settings->keepalive_timeout_ms : settings->header_timeout_ms);
    }
    return 0;
}

static void update_deadline(struct session_h2 *s) {
    int64_t at = deadline_of(s);
    if (at == s->deadline) {
        return;
    }
    s->deadline = at;
    if (at) {
        conn_set_deadline(&s->shell->conn, at);
    } else {
        conn_clear_deadline(&s->shell->conn);
    }
}

static bool is_over(const struct session_h2 *s) {
    return s->over || (!nghttp2_session_want_read(s->ng) && !nghttp2_session_want_write(s->ng));
}

// A socket that has become free is news only here when nobody has waited for it yet.
static void send_and_wake(struct session_h2 *s) {
    bool was_full = s->full;
    h2_send_out(s);
    if (was_full && !s->full) {
        h2_wake_all(s);
    }
}

static void settle(struct session_h2 *s) {
    if ((s->draining || s->said_last) && list_empty(&s->streams) && !s->ended) {
        h2_terminate(s, NGHTTP2_NO_ERROR);
    }
    h2_pump(s);
    send_and_wake(s);
    if (s->gone) {
        session_h2_close(s);
        return;
    }
    if (is_over(s)) {
        if (s->out.len == 0) {
            linger(s);
            return;
        }
        s->ended = s->ended ? s->ended : worker_now(s->worker);
    }
    update_interest(s);
    update_deadline(s);
}

void session_flush_all(struct worker *worker) {
    struct list *link;
    while ((link = list_pop_front(&worker->dirty_sessions))) {
        settle(container_of(link, struct session_h2, dirty));
    }
}

// --- the connection's callbacks ---

static void use_input(struct session_h2 *s, struct bytes in) {
    h2_touch(s);
    while (in.len && !s->over) {
        bool found;
        size_t n = h2_meter_next(&s->meter, in, &found);
        ssize_t rc = nghttp2_session_mem_recv(s->ng, (const uint8_t *)in.at, n);
        in = bytes_make(in.at + n, in.len - n);
        if (rc < 0) {
            h2_fail(s, (int)rc);
        } else if (found) {
            h2_frame_begins(s, &s->meter.head);
        }
    }
}

static struct session_h2 *session_of(struct conn *conn) {
    return container_of(conn, struct session_h1, conn)->h2;
}

static void on_readable(struct conn *conn) {
    struct session_h2 *s = session_of(conn);
    ptrdiff_t n = conn_recv(conn, s->worker->scratch, WORKER_SCRATCH);
    if (n < 0) {
        session_h2_close(s);
    } else if (n > 0) {
        use_input(s, bytes_make(s->worker->scratch, (size_t)n));
    }
}

static void on_writable(struct conn *conn) {
    struct session_h2 *s = session_of(conn);
    send_and_wake(s);
    h2_touch(s);
}

static void on_expired(struct conn *conn) {
    struct session_h2 *s = session_of(conn);
    s->deadline = 0;
    if (s->ended) {
        session_h2_close(s);
    } else if (is_stuck(s)) {
        worker_limit_hit(s->worker, LIMIT_BODY_TIMEOUT);
        session_h2_close(s);
    } else if (h2_meter_within_head(&s->meter)) {
        worker_limit_hit(s->worker, LIMIT_HEADER_TIMEOUT);
        h2_terminate(s, NGHTTP2_ENHANCE_YOUR_CALM);
    } else {
        worker_limit_hit(s->worker, s->answered ? LIMIT_KEEPALIVE_TIMEOUT : LIMIT_HEADER_TIMEOUT);
        h2_terminate(s, NGHTTP2_NO_ERROR);
    }
}

static const struct conn_ops h2_conn_ops = {
    .readable = on_readable,
    .writable = on_writable,
    .expired = on_expired,
};

static void on_stream_expired(void *ctx, struct wheel_node *node) {
    h2_stream_expired(container_of(node, struct h2_stream, timer));
}

void session_tick_all(struct worker *worker) {
    wheel_advance(&worker->stream_wheel, worker_now(worker), on_stream_expired, NULL);
}

// --- the start ---

static void set_options(nghttp2_option *option, const struct settings *settings) {
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_server_fallback_rfc7540_priorities(option, 1);
    nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, TABLE_SIZE);
    // Its own limits answer with an error that names no cause; the credit comes first.
#ifdef HAVE_NGHTTP2_RESET_LIMIT
    nghttp2_option_set_stream_reset_rate_limit(option, ACKS_MAX, ACKS_MAX);
#endif
#ifdef HAVE_NGHTTP2_CONTINUATION_LIMIT
    nghttp2_option_set_max_continuations(option, 8 + settings->max_head / 4096);
#endif
}

static int open_session(struct session_h2 *s) {
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int rc = nghttp2_session_callbacks_new(&callbacks);
    rc = rc ? rc : nghttp2_option_new(&option);
    if (rc == 0) {
        h2_set_input_callbacks(callbacks);
        h2_set_output_callbacks(callbacks);
        set_options(option, h2_settings(s));
        rc = nghttp2_session_server_new2(&s->ng, callbacks, s, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return rc;
}

static int say_settings(struct session_h2 *s) {
    const struct settings *settings = h2_settings(s);
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)settings->max_streams},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)settings->max_head},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
#ifdef HAVE_WSLAY
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
#endif
    };
    int rc = nghttp2_submit_settings(s->ng, NGHTTP2_FLAG_NONE, entries,
                                     sizeof(entries) / sizeof(entries[0]));
    return rc ? rc : nghttp2_session_set_local_window_size(s->ng, NGHTTP2_FLAG_NONE, 0, WINDOW);
}

bool session_h2_preface(struct bytes in) {
    size_t len = in.len < NGHTTP2_CLIENT_MAGIC_LEN ? in.len : NGHTTP2_CLIENT_MAGIC_LEN;
    return memcmp(in.at, NGHTTP2_CLIENT_MAGIC, len) == 0;
}

void session_h2_start(struct session_h1 *shell, struct bytes in) {
    struct session_h2 *s = calloc(1, sizeof(*s));
    if (!s) {
        worker_limit_hit(shell->worker, LIMIT_MEMORY);
        h1_take_back(shell);
        h1_close(shell);
        return;
    }
    s->shell = shell;
    s->worker = shell->worker;
    s->crowded = shell->crowded;
    s->draining = server_is_draining(s->worker->server);
    s->idle_since = s->moved = worker_now(s->worker);
    list_init(&s->dirty);
    list_init(&s->streams);
    list_init(&s->stalled);
    buf_init(&s->out, &mem_libc, 0);
    h2_meter_init(&s->meter, NGHTTP2_CLIENT_MAGIC_LEN);
    h2_credit_init(&s->credit, worker_now(s->worker));
    shell->h2 = s;
    shell->conn.ops = &h2_conn_ops;
    conn_clear_deadline(&shell->conn);
    if (open_session(s) || say_settings(s)) {
        worker_limit_hit(s->worker, LIMIT_MEMORY);
        session_h2_close(s);
        return;
    }
    use_input(s, in);
}
