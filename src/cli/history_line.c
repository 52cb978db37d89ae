// Writing a line. `at` is the event's place; `id` is what its publisher called it, if it did.
#include "cli/history_line.h"

#include "base/json.h"

static int append_text(struct buf *out, const char *name, struct bytes text) {
    int rc = text.len ? buf_append_text(out, name) : 0;
    return rc || text.len == 0 ? rc : json_append_string(out, text);
}

static int append_topics(struct buf *out, const struct frame *frame) {
    bool several = frame->topic_count > 1;
    int rc = buf_append_text(out, several ? ",\"topics\":[" : ",\"topic\":");
    for (size_t i = 0; rc == 0 && i < frame->topic_count; i++) {
        rc = i ? buf_append_text(out, ",") : 0;
        rc = rc ? rc : json_append_string(out, frame_topic(frame, i).text);
    }
    return rc || !several ? rc : buf_append_text(out, "]");
}

static int append_data(struct buf *out, const struct frame *frame) {
    uint32_t place = 0;
    struct bytes line;
    int rc = buf_append_text(out, ",\"data\":\"");
    for (bool first = true; rc == 0 && frame_next_line(frame, &place, &line); first = false) {
        rc = first ? 0 : buf_append_text(out, "\\n");
        rc = rc ? rc : json_append_escaped(out, line);
    }
    return rc ? rc : buf_append_text(out, "\"}\n");
}

int history_line_append(struct buf *out, const struct frame *frame) {
    size_t before = out->len;
    char id[ID_TEXT_MAX];
    int64_t retry = frame_retry(frame);
    int rc = append_text(out, "{\"at\":", bytes_make(id, id_format(frame->id, id)));
    rc = rc ? rc : append_topics(out, frame);
    rc = rc ? rc : append_text(out, ",\"event\":", frame_type(frame));
    rc = rc ? rc : append_text(out, ",\"id\":", frame_own_id(frame));
    rc = rc ? rc : append_text(out, ",\"key\":", frame_key(frame));
    if (rc == 0 && retry >= 0) {
        rc = buf_printf(out, ",\"retry\":%lld", (long long)retry);
    }
    if (rc == 0 && frame->private) {
        rc = buf_append_text(out, ",\"private\":true");
    }
    rc = rc ? rc : append_data(out, frame);
    if (rc) {
        out->len = before;
    }
    return rc;
}
