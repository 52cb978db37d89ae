// The HTTP/2 session under a fuzzer: an input is a script of what a peer does (frames good and bad,
// reading or not, time, events that others publish), played to a real worker over a socket pair
// with little room. After each turn the session's books are right, what it sends is frames within
// the windows, and when the peer has gone nothing of it is left.
#include <stdlib.h>

#include "server/h2_peer.h"
#include "server/session.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "h2";

enum { INPUT_LEN = 4096, MAX_STEPS = 200, ROOM = 4096, BATCH = 0x80 };

struct script {
    const uint8_t *at, *end;
};

static uint8_t next(struct script *script) {
    return script->at < script->end ? *script->at++ : 0;
}

static struct bytes next_piece(struct script *script) {
    size_t n = next(script), left = (size_t)(script->end - script->at);
    struct bytes piece = bytes_make((const char *)script->at, n < left ? n : left);
    script->at += piece.len;
    return piece;
}

static uint32_t next_value(struct script *script) {
    static const uint32_t values[] = {0,     1,     2,      100,     1000,       16384,
                                      16385, 65535, 131072, 1 << 20, 0x7fffffff, 0xffffffff};
    return values[next(script) % (sizeof(values) / sizeof(values[0]))];
}

// Mostly one of those that were opened; sometimes the connection, or none that could be.
static int32_t next_id(struct script *script, const struct h2_peer *peer) {
    uint8_t n = next(script);
    if (n >= 0xf0) {
        return n & 0x0f;
    }
    return peer->newest > 0 ? 1 + 2 * (n % ((peer->newest + 1) / 2)) : 1;
}

struct asked {
    const char *method, *path, *name, *value;
};

static const struct asked requests[] = {
    {"GET", "/events/a", NULL, NULL},
    {"GET", "/events/a?last_event_id=earliest", NULL, NULL},
    {"GET", "/events/**?last=5", "accept", "application/x-ndjson"},
    {"GET", "/events/a?wait=0", "accept", "application/x-ndjson"},
    {"GET", "/events/a?last=9&limit=3", "accept", "application/x-ndjson"},
    {"GET", "/events/a?wait=9", "accept", "application/json"},
    {"GET", "/events/a?last=40&limit=30", "accept", "application/json"},
    {"POST", "/events/a", "content-type", "text/plain"},
    {"POST", "/events/a", "content-type", "text/event-stream"},
    {"POST", "/events", "content-type", "application/json"},
    {"POST", "/events/a", "content-length", "5"},
    {"POST", "/events/a", "expect", "100-continue"},
    {"GET", "/healthz", NULL, NULL},
    {"HEAD", "/events/a", NULL, NULL},
    {"OPTIONS", "/events/a", NULL, NULL},
    {"DELETE", "/api/topics/a", NULL, NULL},
    {"GET", "/api/topics", NULL, NULL},
    {"GET", "/api/connections", NULL, NULL},
    {"GET", "/metrics", NULL, NULL},
    {"GET", "/events/a", "connection", "close"},
    {"GET", "/nothing", "x", "y"},
};

static void ask(struct script *script, struct h2_peer *peer) {
    uint8_t n = next(script);
    const struct asked *asked = &requests[(n & 0x7f) % (sizeof(requests) / sizeof(requests[0]))];
    h2_peer_request(peer, n & 0x80 ? 0 : NGHTTP2_FLAG_END_STREAM, asked->method, asked->path,
                    asked->name, asked->value);
}

static void send_body(struct script *script, struct h2_peer *peer) {
    static const char text[16384] = "data: x\n\ndata: ";
    int32_t id = next_id(script, peer);
    uint8_t n = next(script);
    struct bytes piece = n & 0x40 ? bytes_make(text, (size_t)(n & 0x3f) * 260) : next_piece(script);
    h2_peer_frame(peer, NGHTTP2_DATA, n >> 7, id, piece);
}

static void send_any(struct script *script, struct h2_peer *peer) {
    uint8_t type = next(script) % 12, flags = next(script);
    int32_t id = next_id(script, peer);
    // What it says of windows is not in the peer's books.
    if (type != NGHTTP2_WINDOW_UPDATE) {
        h2_peer_frame(peer, type, flags, id, next_piece(script));
    }
}

static void end_streams(const struct h2_place *place) {
    struct list *at = place->worker->streams.next;
    while (at != &place->worker->streams) {
        struct stream *stream = container_of(at, struct stream, link);
        at = at->next;
        stream_end_within(stream, 1);
    }
}

static void step(struct script *script, struct h2_peer *peer, uint8_t what) {
    static const size_t sizes[] = {0, 1, 100, 3000, 12000, 40000};
    struct h2_place *place = peer->place;
    switch (what % 16) {
    case 0:
    case 1:
        ask(script, peer);
        break;
    case 2:
        send_body(script, peer);
        break;
    case 3:
        send_any(script, peer);
        break;
    case 4: // a head as the fuzzer writes it
        peer->newest += 2;
        h2_peer_frame(peer, NGHTTP2_HEADERS, next(script), peer->newest, next_piece(script));
        break;
    case 5:
        h2_peer_frame(peer, NGHTTP2_CONTINUATION, next(script), peer->newest, next_piece(script));
        break;
    case 6:
        h2_peer_number(peer, NGHTTP2_WINDOW_UPDATE, next_id(script, peer), next_value(script));
        break;
    case 7:
        h2_peer_number(peer, NGHTTP2_WINDOW_UPDATE, 0, next_value(script));
        break;
    case 8:
        h2_peer_number(peer, NGHTTP2_RST_STREAM, next_id(script, peer), next(script));
        break;
    case 9:
        h2_peer_setting(peer, next(script) % 10, next_value(script));
        break;
    case 10:
        h2_place_publish(place, sizes[next(script) % 6]);
        break;
    case 11:
        h2_peer_read(peer, (size_t)next(script) * 1024);
        break;
    case 12:
        h2_place_later(place, (int64_t)next(script) * 200);
        break;
    case 13:
        h2_peer_send(peer, next_piece(script));
        break;
    case 14:
        if (next(script) % 4 == 0) {
            session_drain_all(place->worker);
        }
        end_streams(place);
        break;
    default:
        h2_place_turn(place);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct h2_place place;
    struct h2_peer peer;
    struct script script = {bytes, bytes + len};
    if (len == 0 || len > INPUT_LEN) {
        return 0;
    }
    uint8_t first = next(&script);
    h2_place_init(&place);
    h2_place_open(&place);
    h2_peer_connect(&peer, &place, first & 1 ? ROOM : 0);
    if (!(first & 2)) {
        h2_peer_hello(&peer);
    }
    for (int i = 0; i < MAX_STEPS && script.at < script.end; i++) {
        uint8_t what = next(&script);
        step(&script, &peer, what);
        if (!(what & BATCH)) {
            h2_place_turn(&place);
        }
        if (first & 4) {
            h2_peer_read(&peer, SIZE_MAX);
        }
    }
    h2_peer_close(&peer);
    h2_place_close(&place);
    return 0;
}
