// The peer writes what it is told, whatever comes of it, and reads with the meter. After each turn
// the session's own books are looked through.
#include "server/h2_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/listening.h"
#include "server/publish.h"
#include "server/session.h"

enum {
    TURNS_MAX = 400, // until nothing moves, or something is stuck
    FRAME_MAX = 16384,
    OUT_MAX = H2_OUT_HIGH + 2 * (METER_HEAD + FRAME_MAX) + 32 * 1024,
    TYPE_MAX = 9,
};

static void require(bool truth, const char *what) {
    if (!truth) {
        fprintf(stderr, "h2_peer: not so: %s\n", what);
        abort();
    }
}

// --- the place ---

void h2_place_init(struct h2_place *place) {
    static char listen[] = "127.0.0.1:0";
    static char *listens[] = {listen};
    *place = (struct h2_place){
        .settings = {.listen = {.items = listens, .count = 1},
                     .workers = 1,
                     .heartbeat_ms = 15000,
                     .retry_ms = 3000,
                     .max_wait_ms = 60000,
                     .cache_age_ms = 10000,
                     .history_count = 50,
                     .history_bytes = 1 << 20,
                     .idempotency_window_ms = 1000,
                     .idempotency_keys = 100,
                     .max_connections = 100,
                     .max_streams = 64,
                     .max_topics = 10,
                     .max_head = 4096,
                     .max_headers = 16,
                     .max_body = 16 << 10,
                     .max_answer = 64 << 10,
                     .window_bytes = 1 << 20,
                     .pinned_bytes = 128 << 10,
                     .inbox_bytes = 4 << 20,
                     .send_bytes = 128 << 10,
                     .header_timeout_ms = 10000,
                     .body_timeout_ms = 10000,
                     .publish_timeout_ms = 10000,
                     .keepalive_timeout_ms = 10000,
                     .backlog = 16},
    };
}

void h2_place_open(struct h2_place *place) {
    require(server_open(&place->server, &place->settings) == 0, "the server opens");
    place->worker = place->server.workers[0];
}

void h2_place_close(struct h2_place *place) {
    server_close(&place->server);
}

// --- the books ---

static void check_stalled(const struct session_h2 *s) {
    for (struct list *at = s->stalled.next; at != &s->stalled; at = at->next) {
        const struct h2_stream *st = container_of(at, struct h2_subscription, stalled)->carrier;
        bool window = nghttp2_session_get_remote_window_size(s->ng) > 0 &&
                      nghttp2_session_get_stream_remote_window_size(s->ng, st->id) > 0;
        require(s->full || !window || s->over, "who is stalled waits for something");
    }
}

static void check_session(const struct session_h2 *s) {
    size_t streams = 0, held = 0, gathered = 0;
    for (struct list *at = s->streams.next; at != &s->streams; at = at->next) {
        const struct h2_stream *st = container_of(at, struct h2_stream, link);
        streams++;
        held += st->request ? st->request->held : 0;
        gathered += st->request ? st->request->received : 0;
    }
    require(streams == s->stream_count, "streams are counted");
    require(streams <= h2_settings(s)->max_streams, "streams are limited");
    require(held == s->held && gathered == s->gathered, "bytes are counted");
    require(s->out.len <= OUT_MAX, "output is limited");
    require(list_empty(&s->dirty), "what was touched is settled");
    require(s->full || s->over || s->out.len == 0, "what can leave leaves");
    check_stalled(s);
}

static void check_all(const struct h2_place *place) {
    const struct list *sessions = &place->worker->sessions;
    for (struct list *at = sessions->next; at != sessions; at = at->next) {
        const struct session_h1 *s = container_of(at, struct session_h1, link);
        if (s->state == H1_UPGRADED) {
            check_session(s->h2);
        }
    }
}

void h2_place_turn(struct h2_place *place) {
    uv_run(&place->worker->loop, UV_RUN_NOWAIT);
    check_all(place);
}

// The loop's clock is the system's; only the timers see this one.
void h2_place_later(struct h2_place *place, int64_t ms) {
    struct worker *worker = place->worker;
    place->skew += (uint64_t)ms;
    worker->loop.time += place->skew;
    conn_loop_tick(&worker->net);
    session_tick_all(worker);
    session_flush_all(worker);
    worker->loop.time -= place->skew;
    h2_place_turn(place);
}

void h2_place_publish(struct h2_place *place, size_t size) {
    char *data = malloc(size + 1);
    struct bytes topic = bytes_of("a");
    struct frame *frame = NULL;
    const char *problem;
    if (!data) {
        return;
    }
    memset(data, 'x', size);
    struct freshet_event event = {.data = {.at = data, .len = size}, .retry = -1};
    if (publish_frame(&place->worker->server->hash_key, &topic, 1, &event, &frame, &problem) == 0) {
        worker_publish(place->worker, &frame, 1);
        frame_unref(frame);
    }
    free(data);
}

// --- the peer ---

void h2_peer_connect(struct h2_peer *peer, struct h2_place *place, int room) {
    static const struct peer nobody = {.port = 7};
    static const struct listening plain = {.http2 = true, .entrance = ENTRANCE_LOCAL};
    int fds[2];
    *peer = (struct h2_peer){.place = place, .window = 65535, .newest = -1};
    buf_init(&peer->data, &mem_libc, 0);
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0,
            "a socket pair");
    if (room) {
        setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    }
    peer->fd = fds[0];
    session_accept(place->worker, fds[1], &nobody, &plain);
}

void h2_peer_close(struct h2_peer *peer) {
    struct h2_place *place = peer->place;
    close(peer->fd);
    for (int i = 0; i < TURNS_MAX && place->worker->net.open; i++) {
        h2_place_turn(place);
        if (i > 10) {
            h2_place_later(place, 20000);
        }
    }
    require(place->worker->net.open == 0, "the connection is gone");
    require(list_empty(&place->worker->streams), "no stream is left");
    require(place->worker->hub.subscribers == 0, "no subscriber is left");
    require(atomic_load(&place->server.pinned) == 0, "nothing is pinned");
    buf_finish(&peer->data);
}

void h2_peer_send(struct h2_peer *peer, struct bytes bytes) {
    for (int i = 0; bytes.len && i < TURNS_MAX; i++) {
        ssize_t n = send(peer->fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (n > 0) {
            bytes = bytes_make(bytes.at + n, bytes.len - (size_t)n);
        } else if (errno == EAGAIN) {
            h2_place_turn(peer->place); // if it is not read then either, the rest is lost
        } else {
            return;
        }
    }
}

static void put(uint8_t *at, uint32_t value, int size) {
    for (int i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
}

void h2_peer_frame(struct h2_peer *peer, uint8_t type, uint8_t flags, int32_t id,
                   struct bytes payload) {
    uint8_t head[METER_HEAD];
    put(head, (uint32_t)payload.len, 3);
    head[3] = type;
    head[4] = flags;
    put(head + 5, (uint32_t)id, 4);
    h2_peer_send(peer, bytes_make((const char *)head, sizeof(head)));
    h2_peer_send(peer, payload);
}

void h2_peer_number(struct h2_peer *peer, uint8_t type, int32_t id, uint32_t value) {
    uint8_t bytes[4];
    put(bytes, value, 4);
    if (type == NGHTTP2_WINDOW_UPDATE && id == 0) {
        peer->window += value & INT32_MAX;
    }
    h2_peer_frame(peer, type, 0, id, bytes_make((const char *)bytes, sizeof(bytes)));
}

void h2_peer_setting(struct h2_peer *peer, uint16_t id, uint32_t value) {
    uint8_t bytes[6];
    put(bytes, id, 2);
    put(bytes + 2, value, 4);
    h2_peer_frame(peer, NGHTTP2_SETTINGS, 0, 0, bytes_make((const char *)bytes, sizeof(bytes)));
}

void h2_peer_hello(struct h2_peer *peer) {
    peer->speaks = true;
    h2_peer_send(peer, bytes_of(NGHTTP2_CLIENT_MAGIC));
    h2_peer_frame(peer, NGHTTP2_SETTINGS, 0, 0, bytes_make("", 0));
}

// As a literal that is not to be remembered; lengths of one byte. Nothing is allocated, so that a test
// can count what the session does.
static size_t add_field(char *block, size_t at, size_t size, const char *name, const char *value) {
    size_t n = strlen(name), v = strlen(value);
    require(n < 127 && v < 127 && at + n + v + 3 <= size, "a field is short");
    block[at] = 0x10;
    block[at + 1] = (char)n;
    memcpy(block + at + 2, name, n);
    block[at + 2 + n] = (char)v;
    memcpy(block + at + 3 + n, value, v);
    return at + 3 + n + v;
}

int32_t h2_peer_request(struct h2_peer *peer, uint8_t flags, const char *method, const char *path,
                        const char *name, const char *value) {
    char block[1024];
    size_t n = add_field(block, 0, sizeof(block), ":method", method);
    n = add_field(block, n, sizeof(block), ":scheme", "http");
    n = add_field(block, n, sizeof(block), ":path", path);
    n = add_field(block, n, sizeof(block), ":authority", "h");
    if (name) {
        n = add_field(block, n, sizeof(block), name, value);
    }
    peer->newest += 2;
    h2_peer_frame(peer, NGHTTP2_HEADERS, flags | NGHTTP2_FLAG_END_HEADERS, peer->newest,
                  bytes_make(block, n));
    return peer->newest;
}

static void take_head(struct h2_peer *peer) {
    const struct h2_frame_head *head = &peer->meter.head;
    require(head->length <= FRAME_MAX, "frames are no larger than the peer takes");
    require(head->type <= TYPE_MAX, "frames are of a known type");
    peer->seen[head->type]++;
    bool content = head->type == NGHTTP2_DATA || head->type == NGHTTP2_HEADERS;
    peer->ends += content && head->flags & NGHTTP2_FLAG_END_STREAM;
    if (head->type == NGHTTP2_DATA) {
        peer->window -= head->length;
        require(peer->window >= 0, "the window of the connection is kept to");
    }
}

static void take_payload(struct h2_peer *peer, struct bytes piece) {
    const struct h2_frame_head *head = &peer->meter.head;
    uint8_t last = piece.len ? (uint8_t)piece.at[piece.len - 1] : 0;
    if (head->type == NGHTTP2_DATA) {
        (void)buf_append(&peer->data, piece.at, piece.len);
    } else if (head->type == NGHTTP2_RST_STREAM && piece.len) {
        peer->resets |= 1U << (last & 31);
    } else if (head->type == NGHTTP2_GOAWAY && piece.len >= 8) {
        peer->goaway = 1U + (uint8_t)piece.at[7];
    }
}

static void take(struct h2_peer *peer, struct bytes in) {
    while (in.len) {
        bool found;
        size_t payload = peer->meter.skip < in.len ? peer->meter.skip : in.len;
        take_payload(peer, bytes_make(in.at, payload));
        size_t n = h2_meter_next(&peer->meter, in, &found);
        in = bytes_make(in.at + n, in.len - n);
        if (found) {
            take_head(peer);
        }
    }
}

void h2_peer_read(struct h2_peer *peer, size_t most) {
    static char bytes[64 * 1024];
    while (most && !peer->ended) {
        ssize_t n = recv(peer->fd, bytes, most < sizeof(bytes) ? most : sizeof(bytes), 0);
        if (n <= 0) {
            peer->ended = n == 0 || errno != EAGAIN;
            return;
        }
        most -= (size_t)n;
        if (peer->speaks) {
            take(peer, bytes_make(bytes, (size_t)n));
        }
    }
}

static uint64_t progress(const struct h2_peer *peer) {
    uint64_t sum = peer->meter.skip + peer->data.len + peer->ended;
    for (int type = 0; type <= TYPE_MAX; type++) {
        sum += (uint64_t)peer->seen[type] << 32;
    }
    return sum;
}

void h2_peer_settle(struct h2_peer *peer) {
    for (int still = 0, i = 0; still < 4 && i < TURNS_MAX; i++) {
        uint64_t before = progress(peer);
        h2_place_turn(peer->place);
        h2_peer_read(peer, SIZE_MAX);
        still = progress(peer) == before ? still + 1 : 0;
    }
}
