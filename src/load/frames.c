// Heads first, then payloads. It refuses what no server may send: masks, extensions that nobody
// asked for, opcodes that do not exist, control frames that are long or in pieces.
#include "load/frames.h"

#include "base/error.h"

enum { CONTINUED = 0x0, TEXT = 0x1, BINARY = 0x2, CLOSE = 0x8, PING = 0x9, PONG = 0xA };

static bool is_control(const struct frames *frames) {
    return frames->opcode & 0x8;
}

static unsigned head_size(const struct frames *frames) {
    unsigned len = frames->head_len > 1 ? frames->head[1] & 0x7Fu : 0;
    return len == 127 ? 10 : len == 126 ? 4 : 2;
}

static int use_head(struct frames *frames) {
    bool last = frames->head[0] & 0x80;
    frames->opcode = frames->head[0] & 0xF;
    frames->left = frames->head[1] & 0x7F;
    if (frames->left >= 126) {
        frames->left = 0;
        for (unsigned i = 2; i < frames->head_len; i++) {
            frames->left = frames->left << 8 | frames->head[i];
        }
    }
    bool known = frames->opcode <= BINARY || (frames->opcode >= CLOSE && frames->opcode <= PONG);
    bool fits = !is_control(frames) || (last && frames->left <= FRAMES_CONTROL_MAX);
    if (!known || !fits || frames->head[0] & 0x70 || frames->head[1] & 0x80) {
        return ERR_INVALID;
    }
    frames->within = true;
    frames->control_len = 0;
    return 0;
}

// Whether the head is complete: 1, 0, or ERR_INVALID.
static int take_head(struct frames *frames, struct bytes *rest) {
    while (frames->head_len < head_size(frames)) {
        if (rest->len == 0) {
            return 0;
        }
        frames->head[frames->head_len++] = (unsigned char)*rest->at;
        *rest = bytes_make(rest->at + 1, rest->len - 1);
    }
    int rc = use_head(frames);
    return rc ? rc : 1;
}

static struct bytes take_payload(struct frames *frames, struct bytes *rest) {
    size_t len = rest->len < frames->left ? rest->len : (size_t)frames->left;
    struct bytes payload = bytes_make(rest->at, len);
    *rest = bytes_make(rest->at + len, rest->len - len);
    frames->left -= len;
    if (is_control(frames)) {
        memcpy(frames->control + frames->control_len, payload.at, len);
        frames->control_len = (uint8_t)(frames->control_len + len);
    }
    return payload;
}

static int end_frame(struct frames *frames) {
    frames->within = false;
    frames->head_len = 0;
    return frames->opcode == PING    ? FRAMES_PING
           : frames->opcode == CLOSE ? FRAMES_CLOSE
                                     : FRAMES_MORE;
}

int frames_next(struct frames *frames, struct bytes *rest, struct bytes *payload) {
    for (;;) {
        int rc = frames->within ? 1 : take_head(frames, rest);
        if (rc <= 0) {
            return rc ? rc : FRAMES_MORE;
        }
        if (frames->left && rest->len == 0) {
            return FRAMES_MORE;
        }
        *payload = take_payload(frames, rest);
        int step = frames->left == 0 ? end_frame(frames) : FRAMES_MORE;
        if (!is_control(frames) && payload->len) {
            return FRAMES_DATA;
        }
        if (step != FRAMES_MORE) {
            return step;
        }
    }
}

size_t frames_pong(const struct frames *frames, char out[FRAMES_PONG_MAX]) {
    static const unsigned char mask[4] = {0x5a, 0xc3, 0x96, 0x0f};
    out[0] = (char)(0x80 | PONG);
    out[1] = (char)(0x80 | frames->control_len);
    memcpy(out + 2, mask, sizeof(mask));
    for (unsigned i = 0; i < frames->control_len; i++) {
        out[6 + i] = (char)(frames->control[i] ^ mask[i % 4]);
    }
    return 6u + frames->control_len;
}
