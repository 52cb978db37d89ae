// The WebSocket session under a fuzzer: an input is a script of what a client does (messages that ask
// for something, frames good and bad, reading or not, time, events that others publish), played to
// a real worker over a socket pair with little room. When the client has gone nothing of it is left.
#include "http/websocket_frames.h"
#include "session_script.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "ws_session";

static void upgrade(struct h2_peer *peer, bool stream) {
    static const char head[] = "GET /events/a?last=9&control=1 HTTP/1.1\r\nHost: h\r\n"
                               "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                               "Sec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    h2_peer_send(peer, bytes_of(head));
    if (stream) {
        h2_peer_send(peer, bytes_of("Sec-WebSocket-Protocol: freshet.stream\r\n"));
    }
    h2_peer_send(peer, bytes_of("\r\n"));
}

static void send_frame(struct h2_peer *peer, uint8_t first, struct bytes payload) {
    struct buf frame;
    buf_init(&frame, &mem_libc, 0);
    frames_add(&frame, first, payload);
    h2_peer_send(peer, buf_bytes(&frame));
    buf_finish(&frame);
}

static const char *const messages[] = {
    "{\"ref\":1,\"publish\":{\"topic\":\"a\",\"data\":\"x\"}}",
    "{\"publish\":[{\"topic\":\"a\",\"data\":{}},{\"topic\":\"*\",\"data\":1},{}]}",
    "{\"ref\":\"x\",\"add\":[\"b\",\"c/*\"]}",
    "{\"remove\":[\"a\"],\"add\":[\"**\"]}",
    "{\"add\":[\"a\"],\"after\":\"earliest\"}",
    "{\"add\":5,\"ref\":{}}",
    "{\"publish\":5}",
    "[]",
    "{",
};

static void step(struct script *script, struct h2_peer *peer, uint8_t what) {
    struct h2_place *place = peer->place;
    uint8_t first;
    switch (what % 8) {
    case 0:
    case 1:
        send_frame(
            peer, 0x81,
            bytes_of(messages[script_next(script) % (sizeof(messages) / sizeof(messages[0]))]));
        break;
    case 2:
        first = script_next(script);
        send_frame(peer, first, script_piece(script));
        break;
    case 3:
        h2_peer_send(peer, script_piece(script));
        break;
    case 4:
        h2_place_publish(place, script_size(script));
        break;
    case 5:
        h2_peer_read(peer, (size_t)script_next(script) * 1024);
        break;
    case 6:
        h2_place_later(place, (int64_t)script_next(script) * 200);
        break;
    default:
        script_end_streams(place);
        break;
    }
}

static void begin(struct h2_peer *peer, uint8_t first) {
    upgrade(peer, first & 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    static const struct script_peer as = {begin, step};
    script_play(&as, bytes, len);
    return 0;
}
