// By which way a listener listens, and how it asks for it. One thread at a time; nothing is kept.
#ifndef LOAD_TRANSPORT_H
#define LOAD_TRANSPORT_H

#include "base/buf.h"
#include "load/shared.h"

// Who asks, and from where on.
struct transport_ask {
    unsigned first_topic;
    struct bytes cursor; // empty: from now on
    bool first;          // of a poll: there was no answer yet
};

// Writes the request: 0 or an error of buf.
int transport_request(const struct load_shared *shared, const struct transport_ask *ask,
                      struct buf *out);

// The status of the answer that it hopes for.
static inline unsigned transport_status(enum load_transport transport) {
    return transport == LOAD_WEBSOCKET || transport == LOAD_WEBSOCKET_STREAM ? 101 : 200;
}

#endif
