// Walks over frames by the lengths in their heads (RFC 9113, 4.1). What is not right about them is
// nghttp2's to say.
#include "server/session_h2_meter.h"

enum { TYPE_HEADERS = 1, TYPE_CONTINUATION = 9, FLAG_END_HEADERS = 4 };

void h2_meter_init(struct h2_meter *meter, uint32_t preface) {
    *meter = (struct h2_meter){.skip = preface};
}

static uint32_t number(const uint8_t *at, int size) {
    uint32_t value = 0;
    for (int i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static void read_head(struct h2_meter *meter) {
    const uint8_t *at = meter->bytes;
    meter->have = 0;
    meter->head = (struct h2_frame_head){
        .length = number(at, 3),
        .type = at[3],
        .flags = at[4],
        .stream = number(at + 5, 4) & INT32_MAX,
    };
    meter->skip = meter->head.length;
    if (meter->head.type == TYPE_HEADERS) {
        meter->in_head = METER_HEAD + meter->skip;
    } else if (meter->head.type == TYPE_CONTINUATION) {
        meter->in_head += METER_HEAD + meter->skip;
    }
}

size_t h2_meter_next(struct h2_meter *meter, struct bytes in, bool *found) {
    size_t at = meter->skip < in.len ? meter->skip : in.len;
    meter->skip -= (uint32_t)at;
    while (at < in.len && meter->have < METER_HEAD) {
        meter->bytes[meter->have++] = (uint8_t)in.at[at++];
    }
    *found = meter->have == METER_HEAD;
    if (*found) {
        read_head(meter);
    }
    return at;
}

bool h2_meter_within_head(const struct h2_meter *meter) {
    bool of_head = meter->head.type == TYPE_HEADERS || meter->head.type == TYPE_CONTINUATION;
    return of_head && (meter->skip || !(meter->head.flags & FLAG_END_HEADERS));
}
