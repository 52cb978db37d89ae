// The output of an HTTP/2 connection, on its way from nghttp2 to the socket. Frames of all streams
// are put together and leave with one call; a whole frame of the largest size goes from where it is.
// What waits is whole frames, and little.
#include "server/session_h2.h"

#include "base/error.h"

enum {
    FLUSH_AT = 32 * 1024,   // of output, in the middle of a turn
    DIRECT_MIN = 16 * 1024, // a whole frame: to the socket from where it is
    GOAWAY_SIZE = 17,
};

static void lose(struct session_h2 *s) {
    s->gone = true;
    buf_finish(&s->out);
}

// Hands as much as there is to the socket; says how much it took.
static size_t send_parts(struct session_h2 *s, const struct bytes *parts, int count) {
    ptrdiff_t taken = conn_send(&s->shell->conn, parts, count);
    if (taken < 0) {
        lose(s);
        return 0;
    }
    if (taken > 0) {
        s->moved = worker_now(s->worker);
    }
    return (size_t)taken;
}

void h2_send_out(struct session_h2 *s) {
    struct bytes all = buf_bytes(&s->out);
    if (all.len == 0 || s->gone) {
        return;
    }
    size_t taken = send_parts(s, &all, 1);
    s->full = taken < all.len;
    if (s->full) {
        buf_consume(&s->out, taken);
    } else {
        buf_finish(&s->out); // a connection that says nothing holds nothing
    }
}

static int keep(struct session_h2 *s, const struct bytes *parts, int count, size_t skip) {
    int rc = 0;
    for (int i = 0; i < count && rc == 0; i++) {
        size_t n = skip < parts[i].len ? skip : parts[i].len;
        skip -= n;
        rc = buf_append(&s->out, parts[i].at + n, parts[i].len - n);
    }
    return rc;
}

// A large frame, behind what waits already, with one call and without a copy; what the socket does
// not take of it has to be kept.
static int write_direct(struct session_h2 *s, const struct bytes *parts, int count, size_t total) {
    struct bytes all[4] = {buf_bytes(&s->out)};
    size_t waiting = s->out.len;
    for (int i = 0; i < count; i++) {
        all[i + 1] = parts[i];
    }
    bool first = waiting == 0;
    size_t taken = send_parts(s, all + first, count + !first);
    if (s->gone) {
        return 0;
    }
    s->full = taken < waiting + total;
    if (taken < waiting) {
        buf_consume(&s->out, taken);
        return keep(s, parts, count, 0);
    }
    buf_clear(&s->out);
    return keep(s, parts, count, taken - waiting);
}

int h2_write(struct session_h2 *s, const struct bytes *parts, int count) {
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        total += parts[i].len;
    }
    if (s->gone) {
        return 0;
    }
    if (total >= DIRECT_MIN && !s->full) {
        return write_direct(s, parts, count, total);
    }
    int rc = keep(s, parts, count, 0);
    if (s->out.len >= FLUSH_AT && !s->full) {
        h2_send_out(s);
    }
    return rc;
}

// nghttp2 cannot go on; nobody else can say why any more.
static void give_up(struct session_h2 *s, uint32_t code) {
    uint32_t last = (uint32_t)nghttp2_session_get_last_proc_stream_id(s->ng);
    uint8_t frame[GOAWAY_SIZE] = {0, 0, 8, NGHTTP2_GOAWAY};
    for (int i = 0; i < 4; i++) {
        frame[9 + i] = (uint8_t)(last >> (24 - 8 * i));
        frame[13 + i] = (uint8_t)(code >> (24 - 8 * i));
    }
    (void)buf_append(&s->out, frame, sizeof(frame));
    s->over = true;
}

void h2_fail(struct session_h2 *s, int rc) {
    bool memory = rc == NGHTTP2_ERR_NOMEM || rc == NGHTTP2_ERR_CALLBACK_FAILURE;
    bool flood = rc == NGHTTP2_ERR_FLOODED || h2_meter_within_head(&s->meter);
    if (memory || flood) {
        worker_limit_hit(s->worker, memory ? LIMIT_MEMORY : LIMIT_FLOOD);
    }
    give_up(s, memory  ? NGHTTP2_INTERNAL_ERROR
               : flood ? NGHTTP2_ENHANCE_YOUR_CALM
                       : NGHTTP2_PROTOCOL_ERROR);
}

void h2_pump(struct session_h2 *s) {
    while (!s->over && !s->gone && s->out.len <= H2_OUT_HIGH) {
        const uint8_t *at;
        ssize_t n = nghttp2_session_mem_send(s->ng, &at);
        struct bytes part = bytes_make((const char *)at, n > 0 ? (size_t)n : 0);
        if (n == 0) {
            return;
        }
        if (n < 0 || h2_write(s, &part, 1)) {
            h2_fail(s, n < 0 ? (int)n : NGHTTP2_ERR_NOMEM);
        }
    }
}

void h2_terminate(struct session_h2 *s, uint32_t code) {
    nghttp2_session_terminate_session(s->ng, code);
    s->ended = s->ended ? s->ended : worker_now(s->worker);
    h2_touch(s);
}

void h2_charge(struct session_h2 *s, int32_t by) {
    if (s->calmed || h2_credit_spend(&s->credit, worker_now(s->worker), by)) {
        return;
    }
    s->calmed = true;
    worker_limit_hit(s->worker, LIMIT_FLOOD);
    h2_terminate(s, NGHTTP2_ENHANCE_YOUR_CALM);
}
