// After each step the worker has a turn, unless the step says that more comes first.
#include "session_script.h"

#include "server/session.h"

enum { INPUT_LEN = 4096, MAX_STEPS = 200, ROOM = 4096, BATCH = 0x80 };

uint8_t script_next(struct script *script) {
    return script->at < script->end ? *script->at++ : 0;
}

struct bytes script_piece(struct script *script) {
    size_t n = script_next(script), left = (size_t)(script->end - script->at);
    struct bytes piece = bytes_make((const char *)script->at, n < left ? n : left);
    script->at += piece.len;
    return piece;
}

size_t script_size(struct script *script) {
    static const size_t sizes[] = {0, 1, 100, 3000, 12000, 40000};
    return sizes[script_next(script) % 6];
}

void script_end_streams(const struct h2_place *place) {
    struct list *at = place->worker->streams.next;
    while (at != &place->worker->streams) {
        struct stream *stream = container_of(at, struct stream, link);
        at = at->next;
        stream_end_within(stream, 1);
    }
}

static void play(const struct script_peer *as, struct script *script, struct h2_peer *peer,
                 bool reads) {
    for (int i = 0; i < MAX_STEPS && script->at < script->end; i++) {
        uint8_t what = script_next(script);
        as->step(script, peer, what);
        if (!(what & BATCH)) {
            h2_place_turn(peer->place);
        }
        if (reads) {
            h2_peer_read(peer, SIZE_MAX);
        }
    }
}

void script_play(const struct script_peer *as, const uint8_t *bytes, size_t len) {
    struct h2_place place;
    struct h2_peer peer;
    struct script script = {bytes, bytes + len};
    if (len == 0 || len > INPUT_LEN) {
        return;
    }
    uint8_t first = script_next(&script);
    h2_place_init(&place);
    h2_place_open(&place);
    h2_peer_connect(&peer, &place, first & 1 ? ROOM : 0);
    as->begin(&peer, first);
    play(as, &script, &peer, first & 4);
    h2_peer_close(&peer);
    h2_place_close(&place);
}
