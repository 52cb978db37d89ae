// The records. What the real session does around a route, begin to drop, is done here in the same
// order.
#include "server/fake.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "server/router.h"

void fake_server_init(struct fake_server *fake) {
    static char listen[] = "127.0.0.1:0";
    static char *listens[] = {listen};
    *fake = (struct fake_server){
        .settings = {.listen = {.items = listens, .count = 1},
                     .workers = 1,
                     .heartbeat_ms = 15000,
                     .retry_ms = 3000,
                     .max_wait_ms = 60000,
                     .cache_age_ms = 10000,
                     .history_count = 1000,
                     .history_bytes = 64 << 20,
                     .max_connections = 100,
                     .max_streams = 256,
                     .max_topics = 10,
                     .max_head = 16384,
                     .max_headers = 64,
                     .max_body = 1 << 20,
                     .max_answer = 256 << 10,
                     .window_bytes = 1 << 20,
                     .pinned_bytes = 1 << 20,
                     .inbox_bytes = 16 << 20,
                     .send_bytes = 128 << 10,
                     .backlog = 16,
                     .max_handshakes = 16},
    };
}

void fake_server_open(struct fake_server *fake) {
    assert_int_equal(server_open(&fake->server, &fake->settings), 0);
    fake->worker = fake->server.workers[0];
}

void fake_server_finish(struct fake_server *fake) {
    assert_true(list_empty(&fake->worker->streams));
    assert_int_equal(fake->worker->hub.subscribers, 0);
    server_close(&fake->server);
}

void fake_turn(struct fake_server *fake) {
    worker_catch_up(fake->worker);
    while (hub_flush(&fake->worker->hub, 256)) {
    }
}

void fake_later(struct fake_server *fake, int64_t ms) {
    fake->worker->loop.time += (uint64_t)ms;
}

unsigned long long fake_limit_hits(const struct fake_server *fake, enum limit limit) {
    return atomic_load(&fake->worker->counters.limit_hits[limit]);
}

// --- streams ---

static struct fake_stream *fake_of(struct stream *stream) {
    return container_of(stream, struct fake_stream, stream);
}

static ptrdiff_t stream_send(struct stream *stream, const struct bytes *pieces, int count) {
    struct fake_stream *fake = fake_of(stream);
    ptrdiff_t taken = 0;
    if (fake->gone) {
        hub_leave(&stream->subscriber);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        size_t n = pieces[i].len < fake->room ? pieces[i].len : fake->room;
        assert_int_equal(buf_append(&fake->got, pieces[i].at, n), 0);
        fake->room -= n;
        taken += (ptrdiff_t)n;
    }
    return taken;
}

static void stream_over(struct stream *stream, struct bytes last) {
    struct fake_stream *fake = fake_of(stream);
    assert_false(fake->ended);
    assert_true(last.len < sizeof(fake->last));
    fake->ended = true;
    snprintf(fake->last, sizeof(fake->last), "%.*s", (int)last.len, last.len ? last.at : "");
    hub_leave(&stream->subscriber);
}

static void stream_deadline(struct stream *stream, int64_t at) {
    fake_of(stream)->deadline = at;
}

static struct peer nobody(void) {
    return (struct peer){.port = 7};
}

static struct peer stream_peer(const struct stream *stream) {
    (void)stream;
    return nobody();
}

static const char *stream_protocol(const struct stream *stream) {
    (void)stream;
    return "fake";
}

static const struct stream_ops fake_stream_ops = {
    .send = stream_send,
    .end = stream_over,
    .set_deadline = stream_deadline,
    .peer = stream_peer,
    .protocol = stream_protocol,
};

// --- exchanges ---

static struct fake_exchange *exchange_of(struct exchange *exchange) {
    return exchange->carrier;
}

static void drop(struct fake_exchange *x) {
    const struct handler *handler = x->exchange.handler;
    x->exchange.handler = NULL;
    if (handler && handler->drop) {
        handler->drop(&x->exchange);
    }
    free(x->exchange.origin);
    x->exchange.origin = NULL;
}

static void note_head(struct fake_exchange *x, const struct reply *reply) {
    x->status = reply->status;
    if (reply->type) {
        assert_int_equal(buf_printf(&x->headers, "Content-Type: %s\n", reply->type), 0);
    }
    for (size_t i = 0; i < reply->header_count; i++) {
        const struct http_header *h = &reply->headers[i];
        assert_int_equal(buf_printf(&x->headers, "%.*s: %.*s\n", (int)h->name.len, h->name.at,
                                    (int)h->value.len, h->value.at),
                         0);
    }
}

static void on_reply(struct exchange *exchange, const struct reply *reply) {
    struct fake_exchange *x = exchange_of(exchange);
    x->replies++;
    exchange->answered = true;
    exchange->status = reply->status;
    note_head(x, reply);
    assert_int_equal(buf_append(&x->body, reply->body.at, reply->body.len), 0);
    if (!x->busy) {
        drop(x);
    }
}

// The head is recorded; in its place the first frame has a mark.
static struct stream *on_open_stream(struct exchange *exchange, const struct reply *head,
                                     struct bytes preamble, struct frame **first) {
    struct fake_exchange *x = exchange_of(exchange);
    struct fake_stream *fake = calloc(1, sizeof(*fake));
    assert_non_null(fake);
    buf_init(&fake->got, &mem_libc, 0);
    assert_int_equal(buf_append_text(&fake->got, "HEAD|"), 0);
    assert_int_equal(buf_append(&fake->got, preamble.at, preamble.len), 0);
    assert_int_equal(frame_create_raw(first, &mem_libc, buf_bytes(&fake->got)), 0);
    buf_clear(&fake->got);
    fake->room = SIZE_MAX;
    stream_init(&fake->stream, exchange->worker, &fake_stream_ops);
    note_head(x, head);
    exchange->answered = true;
    x->stream = fake;
    return &fake->stream;
}

static void on_wait(struct exchange *exchange, int64_t ms) {
    exchange_of(exchange)->waits++;
    exchange_of(exchange)->wait_ms = ms;
}

static struct peer on_peer(const struct exchange *exchange) {
    (void)exchange;
    return nobody();
}

static const struct exchange_ops fake_exchange_ops = {
    .reply = on_reply,
    .open_stream = on_open_stream,
    .wait = on_wait,
    .peer = on_peer,
    .protocol = "fake",
};

static void parse_head(struct fake_exchange *x, const char *method, const char *target,
                       const char *headers) {
    struct http_limits limits = {.max_head = 1 << 20};
    struct buf head;
    size_t scanned = 0;
    buf_init(&head, &mem_libc, 0);
    assert_int_equal(
        buf_printf(&head, "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method, target, headers), 0);
    x->head = head.at;
    int n = http_request_parse(&x->req, limits, head.at, head.len, &scanned);
    assert_int_equal(n, head.len);
}

static void after_step(struct fake_exchange *x, int rc) {
    if (rc && !x->exchange.answered) {
        exchange_refuse(&x->exchange, rc);
    }
    x->busy = false;
    if (x->exchange.answered) {
        drop(x);
    }
}

void fake_prepare(struct fake_exchange *x, struct fake_server *fake, const char *method,
                  const char *target, const char *headers) {
    *x = (struct fake_exchange){.fake = fake, .busy = true};
    buf_init(&x->headers, &mem_libc, 0);
    buf_init(&x->body, &mem_libc, 0);
    parse_head(x, method, target, headers);
    x->exchange = (struct exchange){
        .worker = fake->worker,
        .ops = &fake_exchange_ops,
        .carrier = x,
        .entrance = ENTRANCE_LOCAL,
        .to_head = x->req.method == HTTP_HEAD,
    };
    assert_int_equal(exchange_note_origin(&x->exchange, &x->req), 0);
}

void fake_begin(struct fake_exchange *x, struct fake_server *fake, const char *method,
                const char *target, const char *headers) {
    int rc = 0;
    fake_prepare(x, fake, method, target, headers);
    x->exchange.handler = router_find(&x->exchange, &x->req);
    if (x->exchange.handler) {
        rc = x->exchange.handler->begin(&x->exchange, &x->req);
    }
    after_step(x, rc);
}

void fake_body(struct fake_exchange *x, struct bytes piece) {
    if (x->exchange.answered || piece.len == 0) {
        return;
    }
    char *copy = malloc(piece.len);
    assert_non_null(copy);
    memcpy(copy, piece.at, piece.len);
    x->busy = true;
    after_step(x, x->exchange.handler->body(&x->exchange, bytes_make(copy, piece.len)));
    free(copy);
}

void fake_end(struct fake_exchange *x) {
    const struct handler *handler = x->exchange.handler;
    if (!x->exchange.answered && handler->end) {
        x->busy = true;
        after_step(x, handler->end(&x->exchange));
    }
    x->busy = false;
}

void fake_ask(struct fake_exchange *x, struct fake_server *fake, const char *method,
              const char *target, const char *headers, struct bytes body, size_t step) {
    fake_begin(x, fake, method, target, headers);
    for (size_t at = 0; at < body.len; at += step) {
        size_t left = body.len - at;
        fake_body(x, bytes_make(body.at + at, left < step ? left : step));
    }
    fake_end(x);
}

void fake_get(struct fake_exchange *x, struct fake_server *fake, const char *target,
              const char *headers) {
    fake_ask(x, fake, "GET", target, headers, bytes_make(NULL, 0), 1);
}

void fake_exchange_finish(struct fake_exchange *x) {
    assert_true(x->replies <= 1);
    assert_false(x->replies && x->stream);
    if (x->stream) {
        stream_finish(&x->stream->stream);
        buf_finish(&x->stream->got);
        free(x->stream);
        x->stream = NULL;
    }
    drop(x);
    buf_finish(&x->headers);
    buf_finish(&x->body);
    free(x->head);
}

// --- what was recorded ---

const char *fake_header(struct fake_exchange *x, const char *name) {
    static char value[512];
    struct bytes rest = buf_bytes(&x->headers);
    while (rest.len) {
        size_t len = (size_t)((const char *)memchr(rest.at, '\n', rest.len) - rest.at);
        size_t skip = strlen(name) + 2;
        if (bytes_starts_with(rest, name) && rest.at[skip - 2] == ':') {
            snprintf(value, sizeof(value), "%.*s", (int)(len - skip), rest.at + skip);
            return value;
        }
        rest = bytes_make(rest.at + len + 1, rest.len - len - 1);
    }
    return NULL;
}

// How many bytes at the front are an id of our own, of this century; 0 for none.
static size_t id_at(const char *text) {
    size_t ms = 0, counter = 0;
    while (isdigit((unsigned char)text[ms])) {
        ms++;
    }
    if (ms != 13 || text[ms] != '-') {
        return 0;
    }
    while (isdigit((unsigned char)text[ms + 1 + counter])) {
        counter++;
    }
    return counter ? ms + 1 + counter : 0;
}

// Writes # for each id.
static void mask(struct buf *out, const struct buf *in) {
    struct buf text;
    buf_init(out, &mem_libc, 0);
    buf_init(&text, &mem_libc, 0);
    assert_int_equal(buf_append(&text, in->at, in->len), 0);
    assert_int_equal(buf_append(&text, "", 1), 0);
    for (size_t i = 0; i + 1 < text.len;) {
        size_t id = id_at(text.at + i);
        assert_int_equal(buf_append(out, id ? "#" : text.at + i, 1), 0);
        i += id ? id : 1;
    }
    assert_int_equal(buf_append(out, "", 1), 0);
    buf_finish(&text);
}

static void assert_masked(const struct buf *got, const char *want) {
    struct buf masked;
    mask(&masked, got);
    assert_int_equal(strlen(masked.at), masked.len - 1); // no NUL in it
    assert_string_equal(masked.at, want);
    buf_finish(&masked);
}

void fake_assert_answer(struct fake_exchange *x, int status, const char *body) {
    assert_int_equal(x->replies, 1);
    assert_masked(&x->body, body);
    assert_int_equal(x->status, status);
}

void fake_assert_problem(struct fake_exchange *x, int status, const char *part) {
    struct bytes value;
    struct buf text;
    assert_int_equal(x->replies, 1);
    assert_int_equal(x->status, status);
    assert_string_equal(fake_header(x, "Content-Type"), "application/problem+json");
    assert_int_equal(json_validate(buf_bytes(&x->body), 8, &value), 0);
    mask(&text, &x->body);
    if (!strstr(text.at, part)) {
        fail_msg("no \"%s\" in %s", part, text.at);
    }
    buf_finish(&text);
}

void fake_listen(struct fake_exchange *x, struct fake_server *fake, const char *target) {
    fake_get(x, fake, target, "");
    assert_non_null(x->stream);
    fake_turn(fake);
    buf_clear(&x->stream->got);
}

void fake_assert_heard(struct fake_exchange *x, const char *text) {
    fake_turn(x->fake);
    assert_masked(&x->stream->got, text);
    buf_clear(&x->stream->got);
}
