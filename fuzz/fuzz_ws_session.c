// The WebSocket session under a fuzzer: an input is a script of what a client does (messages that ask
// for something, frames good and bad, reading or not, time, events that others publish), played to
// a real worker over a socket pair with little room. When the client has gone nothing of it is left.
#include <stdlib.h>

#include "http/websocket_frames.h"
#include "server/h2_peer.h"
#include "server/session.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "ws_session";

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
    uint8_t first;
    switch (what % 8) {
    case 0:
    case 1:
        send_frame(peer, 0x81,
                   bytes_of(messages[next(script) % (sizeof(messages) / sizeof(messages[0]))]));
        break;
    case 2:
        first = next(script);
        send_frame(peer, first, next_piece(script));
        break;
    case 3:
        h2_peer_send(peer, next_piece(script));
        break;
    case 4:
        h2_place_publish(place, sizes[next(script) % 6]);
        break;
    case 5:
        h2_peer_read(peer, (size_t)next(script) * 1024);
        break;
    case 6:
        h2_place_later(place, (int64_t)next(script) * 200);
        break;
    default:
        end_streams(place);
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
    upgrade(&peer, first & 2);
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
