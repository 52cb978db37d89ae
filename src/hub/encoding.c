// A frame as JSON: {"id","topic","event","key","data"}. The data is a string, its lines joined by LF.
// And either form as a WebSocket message, which is a few bytes in front of it.
#include "hub/encoding.h"

#include "base/json.h"

static int append_text_member(struct buf *out, const char *name, struct bytes value) {
    int rc = buf_append_text(out, name);
    return rc ? rc : json_append_string(out, value);
}

static int append_id(struct buf *out, const struct frame *frame) {
    char text[ID_TEXT_MAX];
    struct bytes own = frame_own_id(frame);
    if (frame->id == 0) {
        return 0;
    }
    struct bytes id = own.len ? own : bytes_make(text, id_format(frame->id, text));
    int rc = append_text_member(out, "\"id\":", id);
    return rc ? rc : buf_append_text(out, ",");
}

static int append_topic(struct buf *out, const struct frame *frame) {
    if (frame->topic_count == 0) {
        return 0;
    }
    int rc = append_text_member(out, "\"topic\":", frame_topic(frame, 0).text);
    return rc ? rc : buf_append_text(out, ",");
}

static int append_data(struct buf *out, const struct frame *frame) {
    uint32_t place = 0;
    struct bytes line;
    int rc = buf_append_text(out, ",\"data\":\"");
    for (bool first = true; rc == 0 && frame_next_line(frame, &place, &line); first = false) {
        rc = first ? 0 : buf_append_text(out, "\\n");
        rc = rc ? rc : json_append_escaped(out, line);
    }
    return rc ? rc : buf_append_text(out, "\"}");
}

static int append_object(struct buf *out, const struct frame *frame) {
    struct bytes type = frame_type(frame);
    int rc = buf_append_text(out, "{");
    rc = rc ? rc : append_id(out, frame);
    rc = rc ? rc : append_topic(out, frame);
    rc = rc ? rc : append_text_member(out, "\"event\":", type.len ? type : bytes_of("message"));
    if (rc == 0 && frame->key_len) {
        rc = append_text_member(out, ",\"key\":", frame_key(frame));
    }
    return rc ? rc : append_data(out, frame);
}

int encoding_append_ws(struct buf *out, enum ws_opcode opcode, struct bytes payload) {
    char head[WS_HEAD_MAX];
    size_t before = out->len;
    int rc = buf_append(out, head, ws_frame_head(head, opcode, payload.len));
    rc = rc ? rc : buf_append(out, payload.at, payload.len);
    if (rc) {
        out->len = before;
    }
    return rc;
}

// How long the object is, and so how long the head in front of it, is known only behind it.
static int append_ws_object(struct buf *out, const struct frame *frame) {
    char head[WS_HEAD_MAX];
    size_t at = out->len;
    int rc = append_object(out, frame);
    rc = rc ? rc : buf_reserve(out, WS_HEAD_MAX);
    if (rc) {
        return rc;
    }
    size_t len = out->len - at, size = ws_frame_head(head, WS_TEXT, len);
    memmove(out->at + at + size, out->at + at, len);
    memcpy(out->at + at, head, size);
    out->len += size;
    return 0;
}

int encoding_append(enum encoding encoding, const struct frame *frame, struct buf *out) {
    size_t before = out->len;
    int rc = 0;
    if (frame->raw) {
        return buf_append(out, frame_bytes(frame).at, frame->size);
    }
    switch (encoding) {
    case ENCODING_EVENT_STREAM:
        rc = buf_append(out, frame_bytes(frame).at, frame->size);
        break;
    case ENCODING_NDJSON:
        rc = append_object(out, frame);
        rc = rc ? rc : buf_append_text(out, "\n");
        break;
    case ENCODING_ITEMS:
        rc = buf_append_text(out, ",");
        rc = rc ? rc : append_object(out, frame);
        break;
    case ENCODING_WS_JSON:
        rc = append_ws_object(out, frame);
        break;
    case ENCODING_WS_STREAM:
        rc = encoding_append_ws(out, WS_TEXT, frame_bytes(frame));
        break;
    case ENCODING_COUNT:
        break;
    }
    if (rc) {
        out->len = before;
    }
    return rc;
}
