// The heads of all frames that come, also of those that nghttp2 passes over without a word: what is
// counted and limited must not depend on which version of it is there. Pure; one for each
// connection.
#ifndef SERVER_SESSION_H2_METER_H
#define SERVER_SESSION_H2_METER_H

#include "base/bytes.h"

enum { METER_HEAD = 9 };

struct h2_frame_head {
    uint32_t length, stream;
    uint8_t type, flags;
};

struct h2_meter {
    uint32_t skip;    // bytes to come of the frame, or of the preface
    uint32_t in_head; // bytes so far of a request's head, while its end has not come
    uint8_t have;     // bytes of the next frame's head
    uint8_t bytes[METER_HEAD];
    struct h2_frame_head head; // of the frame that is coming, or came last
};

// `preface`: how many bytes come before the first frame.
void h2_meter_init(struct h2_meter *meter, uint32_t preface);

// How many bytes of the input come up to the end of the next frame's head, which is then
// meter->head and *found; or all of them.
size_t h2_meter_next(struct h2_meter *meter, struct bytes in, bool *found);

// Whether a request's head has begun and has not come to its end.
bool h2_meter_within_head(const struct h2_meter *meter);

#endif
