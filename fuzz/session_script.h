// An input of a fuzzer as a script: its bytes are the steps of a peer, played to a real worker over a
// socket pair with little room. When the script is over and the peer has gone, nothing of it is left.
// What must not be is abort(). One thread.
#ifndef FUZZ_SESSION_SCRIPT_H
#define FUZZ_SESSION_SCRIPT_H

#include "server/h2_peer.h"

struct script {
    const uint8_t *at, *end;
};

// The next byte; 0 when there is none.
uint8_t script_next(struct script *script);

// A byte of length, and so many bytes, or what is left.
struct bytes script_piece(struct script *script);

// How large an event is that somebody publishes.
size_t script_size(struct script *script);

// The streams of the worker end, as in a drain.
void script_end_streams(const struct h2_place *place);

struct script_peer {
    // Connected; `first` is the first byte, of which the lower bit and bit 2 are taken: little room,
    // and reading all that comes.
    void (*begin)(struct h2_peer *peer, uint8_t first);
    void (*step)(struct script *script, struct h2_peer *peer, uint8_t what);
};

// Inputs that are too long are passed over.
void script_play(const struct script_peer *as, const uint8_t *bytes, size_t len);

#endif
