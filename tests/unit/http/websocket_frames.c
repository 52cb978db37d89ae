#include "http/websocket_frames.h"

#include <stdlib.h>

#include "freshet/event.h"
#include "hub/ws_frame.h"

void frames_add(struct buf *out, unsigned char first, struct bytes payload) {
    static const char key[4] = {0x12, (char)0xc4, 0x7f, (char)0xfe};
    char head[WS_HEAD_MAX];
    size_t size = ws_frame_head(head, WS_TEXT, payload.len);
    head[0] = (char)first;
    head[1] = (char)(head[1] | 0x80);
    (void)buf_append(out, head, size);
    (void)buf_append(out, key, sizeof(key));
    for (size_t i = 0; i < payload.len; i++) {
        char c = (char)(payload.at[i] ^ key[i % 4]);
        (void)buf_append(out, &c, 1);
    }
}

static void describe(const struct websocket_event *event, size_t most, struct buf *words) {
    static const char *const names[] = {
        [WEBSOCKET_TEXT] = "text",   [WEBSOCKET_PING] = "ping",     [WEBSOCKET_PONG] = "pong",
        [WEBSOCKET_CLOSE] = "close", [WEBSOCKET_FAILED] = "failed",
    };
    struct freshet_text text = {.at = event->payload.at, .len = event->payload.len};
    bool is_text = event->kind == WEBSOCKET_TEXT || event->kind == WEBSOCKET_CLOSE;
    if ((is_text && text.len && freshet_utf8_check(text) != text.len) ||
        text.len > (event->kind == WEBSOCKET_TEXT ? most : WS_CONTROL_MAX)) {
        abort();
    }
    (void)buf_printf(words, "%s(", names[event->kind]);
    if (event->code) {
        (void)buf_printf(words, "%d", event->code);
    }
    if (event->payload.len) {
        (void)buf_append_text(words, event->code ? "," : "");
        (void)buf_append(words, event->payload.at, event->payload.len);
    }
    (void)buf_append_text(words, ") ");
}

int frames_read(struct bytes in, size_t step, size_t most, const struct mem *mem,
                struct buf *words) {
    struct websocket_reader reader;
    struct websocket_event event;
    int rc = 0;
    websocket_reader_init(&reader, mem, most);
    for (size_t at = 0; rc == 0 && at < in.len; at += step) {
        size_t n = in.len - at < step ? in.len - at : step;
        char *copy = malloc(n);
        struct bytes piece = bytes_make(copy, n);
        memcpy(copy, in.at + at, n);
        while ((rc = websocket_reader_next(&reader, &piece, &event)) == 1) {
            describe(&event, most, words);
            if (event.kind >= WEBSOCKET_CLOSE) {
                break;
            }
        }
        if (rc == 0 && (piece.len || (!websocket_reader_within(&reader) && reader.message.cap))) {
            abort(); // all is taken, and nothing is kept between messages
        }
        free(copy);
    }
    websocket_reader_finish(&reader);
    return rc < 0 ? rc : 0;
}
