// The HTTP/2 session under a fuzzer: an input is a script of what a peer does (frames good and bad,
// reading or not, time, events that others publish), played to a real worker over a socket pair
// with little room. After each turn the session's books are right, what it sends is frames within
// the windows, and when the peer has gone nothing of it is left.
#include "server/session.h"
#include "session_script.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "h2";

static uint32_t next_value(struct script *script) {
    static const uint32_t values[] = {0,     1,     2,      100,     1000,       16384,
                                      16385, 65535, 131072, 1 << 20, 0x7fffffff, 0xffffffff};
    return values[script_next(script) % (sizeof(values) / sizeof(values[0]))];
}

// Mostly one of those that were opened; sometimes the connection, or none that could be.
static int32_t next_id(struct script *script, const struct h2_peer *peer) {
    uint8_t n = script_next(script);
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
    uint8_t n = script_next(script);
    const struct asked *asked = &requests[(n & 0x7f) % (sizeof(requests) / sizeof(requests[0]))];
    h2_peer_request(peer, n & 0x80 ? 0 : NGHTTP2_FLAG_END_STREAM, asked->method, asked->path,
                    asked->name, asked->value);
}

static void send_body(struct script *script, struct h2_peer *peer) {
    static const char text[16384] = "data: x\n\ndata: ";
    int32_t id = next_id(script, peer);
    uint8_t n = script_next(script);
    struct bytes piece =
        n & 0x40 ? bytes_make(text, (size_t)(n & 0x3f) * 260) : script_piece(script);
    h2_peer_frame(peer, NGHTTP2_DATA, n >> 7, id, piece);
}

static void send_any(struct script *script, struct h2_peer *peer) {
    uint8_t type = script_next(script) % 12, flags = script_next(script);
    int32_t id = next_id(script, peer);
    // What it says of windows is not in the peer's books.
    if (type != NGHTTP2_WINDOW_UPDATE) {
        h2_peer_frame(peer, type, flags, id, script_piece(script));
    }
}

static void step(struct script *script, struct h2_peer *peer, uint8_t what) {
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
        h2_peer_frame(peer, NGHTTP2_HEADERS, script_next(script), peer->newest,
                      script_piece(script));
        break;
    case 5:
        h2_peer_frame(peer, NGHTTP2_CONTINUATION, script_next(script), peer->newest,
                      script_piece(script));
        break;
    case 6:
        h2_peer_number(peer, NGHTTP2_WINDOW_UPDATE, next_id(script, peer), next_value(script));
        break;
    case 7:
        h2_peer_number(peer, NGHTTP2_WINDOW_UPDATE, 0, next_value(script));
        break;
    case 8:
        h2_peer_number(peer, NGHTTP2_RST_STREAM, next_id(script, peer), script_next(script));
        break;
    case 9:
        h2_peer_setting(peer, script_next(script) % 10, next_value(script));
        break;
    case 10:
        h2_place_publish(place, script_size(script));
        break;
    case 11:
        h2_peer_read(peer, (size_t)script_next(script) * 1024);
        break;
    case 12:
        h2_place_later(place, (int64_t)script_next(script) * 200);
        break;
    case 13:
        h2_peer_send(peer, script_piece(script));
        break;
    case 14:
        if (script_next(script) % 4 == 0) {
            session_drain_all(place->worker);
        }
        script_end_streams(place);
        break;
    default:
        h2_place_turn(place);
        break;
    }
}

static void begin(struct h2_peer *peer, uint8_t first) {
    if (!(first & 2)) {
        h2_peer_hello(peer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    static const struct script_peer as = {begin, step};
    script_play(&as, bytes, len);
    return 0;
}
