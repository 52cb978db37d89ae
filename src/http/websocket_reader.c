// A frame is handed out by wslay in pieces, each with the head of the frame; the head is judged with
// the first piece. UTF-8 is checked as it comes, so that a long message fails where it is wrong.
#include "http/websocket_reader.h"

#include <wslay/wslay.h>

#include "base/error.h"
#include "freshet/event.h"
#include "hub/ws_frame.h"

// One frame, and what wslay has read of the next.
struct websocket_frame {
    wslay_frame_context_ptr wslay;
    struct bytes *in; // during a call
    size_t ahead;     // bytes that wslay has taken in and not handed out
    uint64_t got;     // of its payload
    bool begun;       // its head has been judged
    uint8_t held;     // bytes in `control`
    char control[WS_CONTROL_MAX];
};

static ssize_t give_input(uint8_t *into, size_t size, int flags, void *ctx) {
    struct websocket_frame *frame = ctx;
    size_t n = frame->in->len < size ? frame->in->len : size;
    if (n) {
        memcpy(into, frame->in->at, n);
        *frame->in = bytes_make(frame->in->at + n, frame->in->len - n);
        frame->ahead += n;
    }
    return (ssize_t)n;
}

void websocket_reader_init(struct websocket_reader *reader, const struct mem *mem, size_t most) {
    *reader = (struct websocket_reader){.frame = NULL};
    buf_init(&reader->message, mem, most);
}

static void drop_frame(struct websocket_reader *reader) {
    if (reader->frame) {
        wslay_frame_context_free(reader->frame->wslay);
        mem_free(reader->message.mem, reader->frame);
        reader->frame = NULL;
    }
}

void websocket_reader_finish(struct websocket_reader *reader) {
    drop_frame(reader);
    buf_finish(&reader->message);
}

static int begin_frame(struct websocket_reader *reader) {
    static const struct wslay_frame_callbacks callbacks = {.recv_callback = give_input};
    struct websocket_frame *frame = mem_new(reader->message.mem, sizeof(*frame));
    if (!frame) {
        return ERR_NOMEM;
    }
    if (wslay_frame_context_init(&frame->wslay, &callbacks, frame)) {
        mem_free(reader->message.mem, frame);
        return ERR_NOMEM;
    }
    reader->frame = frame;
    return 0;
}

static int fail(struct websocket_event *event, enum websocket_code code, const char *reason) {
    *event = (struct websocket_event){.kind = WEBSOCKET_FAILED, .code = code, .reason = reason};
    return 1;
}

static bool is_control(const struct wslay_frame_iocb *piece) {
    return wslay_is_ctrl_frame(piece->opcode);
}

// What is wrong with the head of a frame: 1 and the event, or 0.
static int judge(const struct websocket_reader *reader, const struct wslay_frame_iocb *piece,
                 struct websocket_event *event) {
    bool control = is_control(piece);
    uint64_t room = reader->message.max - reader->message.len;
    if (!piece->mask) {
        return fail(event, WEBSOCKET_PROTOCOL_ERROR, "a client masks its frames");
    }
    if (piece->rsv) {
        return fail(event, WEBSOCKET_PROTOCOL_ERROR,
                    "a reserved bit is set: no extension is in use");
    }
    if (control ? piece->opcode > WS_PONG : piece->opcode > WS_BINARY) {
        return fail(event, WEBSOCKET_PROTOCOL_ERROR, "an opcode that does not exist");
    }
    if (!control && (piece->opcode == WS_CONTINUATION) != reader->open) {
        return fail(event, WEBSOCKET_PROTOCOL_ERROR,
                    reader->open ? "a message begins inside another"
                                 : "a fragment of a message that has not begun");
    }
    if (piece->opcode == WS_BINARY) {
        return fail(event, WEBSOCKET_UNSUPPORTED, "messages are JSON, in text frames");
    }
    if (!control && piece->payload_length > room) {
        return fail(event, WEBSOCKET_TOO_BIG, "the message is larger than --max-body");
    }
    return 0;
}

// Bytes of the head of a frame that a client sent.
static size_t head_size(uint64_t payload) {
    return 2 + 4 + (payload <= WS_CONTROL_MAX ? 0 : payload <= UINT16_MAX ? 2 : 8);
}

// How long a sequence that begins so is; 0: none does.
static size_t sequence_length(unsigned char lead) {
    return lead >= 0xc2 && lead <= 0xdf   ? 2
           : lead >= 0xe0 && lead <= 0xef ? 3
           : lead >= 0xf0 && lead <= 0xf4 ? 4
                                          : 0;
}

// Whether bytes that are no whole sequence may still become one.
static bool may_become_one(const unsigned char *at, size_t len) {
    unsigned char low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (len >= sequence_length(at[0]) || (len > 1 && (at[1] < low || at[1] > high))) {
        return false;
    }
    return len < 3 || (at[2] & 0xc0) == 0x80;
}

static bool check_utf8(struct websocket_reader *reader, bool whole) {
    const struct buf *message = &reader->message;
    if (message->len == reader->checked) {
        return true;
    }
    struct freshet_text rest = {.at = message->at + reader->checked,
                                .len = message->len - reader->checked};
    size_t valid = freshet_utf8_check(rest);
    reader->checked += valid;
    return valid == rest.len ||
           (!whole && may_become_one((const unsigned char *)rest.at + valid, rest.len - valid));
}

static bool is_code(int code) {
    bool known = (code >= 1000 && code <= 1014) && code != 1004 && code != 1005 && code != 1006;
    return known || (code >= 3000 && code <= 4999);
}

static int end_close(const struct websocket_frame *frame, struct websocket_event *event) {
    *event = (struct websocket_event){.kind = WEBSOCKET_CLOSE, .code = WEBSOCKET_NO_CODE};
    if (frame->held == 0) {
        return 1;
    }
    int code = ((unsigned char)frame->control[0] << 8) | (unsigned char)frame->control[1];
    struct freshet_text reason = {.at = frame->control + 2, .len = frame->held - 2U};
    if (frame->held == 1 || !is_code(code)) {
        return fail(event, WEBSOCKET_PROTOCOL_ERROR, "a close without a valid code");
    }
    if (freshet_utf8_check(reason) != reason.len) {
        return fail(event, WEBSOCKET_BAD_DATA, "the reason of a close is not UTF-8");
    }
    event->code = code;
    event->payload = bytes_make(reason.at, reason.len);
    return 1;
}

static int end_control(const struct websocket_frame *frame, uint8_t opcode,
                       struct websocket_event *event) {
    if (opcode == WS_CLOSE) {
        return end_close(frame, event);
    }
    *event = (struct websocket_event){
        .kind = opcode == WS_PING ? WEBSOCKET_PING : WEBSOCKET_PONG,
        .payload = bytes_make(frame->control, frame->held),
    };
    return 1;
}

// A data frame is complete: 1 if a message is, too.
static int end_data(struct websocket_reader *reader, const struct wslay_frame_iocb *piece,
                    struct websocket_event *event) {
    reader->open = !piece->fin;
    if (reader->open) {
        return 0;
    }
    reader->given = true;
    *event =
        (struct websocket_event){.kind = WEBSOCKET_TEXT, .payload = buf_bytes(&reader->message)};
    return 1;
}

static int keep(struct websocket_reader *reader, const struct wslay_frame_iocb *piece,
                struct websocket_event *event) {
    struct websocket_frame *frame = reader->frame;
    if (is_control(piece)) {
        memcpy(frame->control + frame->held, piece->data, piece->data_length);
        frame->held += (uint8_t)piece->data_length;
        return 0;
    }
    if (buf_append(&reader->message, piece->data, piece->data_length)) {
        return ERR_NOMEM;
    }
    bool whole = piece->fin && frame->got + piece->data_length == piece->payload_length;
    return check_utf8(reader, whole)
               ? 0
               : fail(event, WEBSOCKET_BAD_DATA, "the message is not valid UTF-8");
}

static int take_piece(struct websocket_reader *reader, const struct wslay_frame_iocb *piece,
                      struct websocket_event *event) {
    struct websocket_frame *frame = reader->frame;
    int rc = 0;
    if (!frame->begun) {
        rc = judge(reader, piece, event);
        frame->begun = true;
        frame->got = frame->held = 0;
        frame->ahead -= rc ? 0 : head_size(piece->payload_length);
    }
    rc = rc ? rc : keep(reader, piece, event);
    if (rc) {
        return rc;
    }
    frame->got += piece->data_length;
    frame->ahead -= piece->data_length;
    if (frame->got < piece->payload_length) {
        return 0;
    }
    frame->begun = false;
    return is_control(piece) ? end_control(frame, piece->opcode, event)
                             : end_data(reader, piece, event);
}

static void forget_message(struct websocket_reader *reader) {
    if (reader->given) {
        reader->given = false;
        reader->checked = 0;
        buf_clear(&reader->message);
    }
}

static void rest(struct websocket_reader *reader) {
    const struct websocket_frame *frame = reader->frame;
    if (frame && !frame->begun && frame->ahead == 0) {
        drop_frame(reader);
    }
    if (!reader->open && reader->message.len == 0) {
        buf_finish(&reader->message);
    }
}

int websocket_reader_next(struct websocket_reader *reader, struct bytes *in,
                          struct websocket_event *event) {
    struct wslay_frame_iocb piece;
    forget_message(reader);
    if (!reader->frame && in->len && begin_frame(reader)) {
        return ERR_NOMEM;
    }
    int rc = 0;
    while (rc == 0 && reader->frame) {
        reader->frame->in = in;
        ssize_t n = wslay_frame_recv(reader->frame->wslay, &piece);
        if (n == WSLAY_ERR_WANT_READ) {
            break;
        }
        rc = n < 0 ? fail(event, WEBSOCKET_PROTOCOL_ERROR, "a length that breaks the rules")
                   : take_piece(reader, &piece, event);
    }
    if (rc == 0) {
        rest(reader);
    }
    return rc;
}
