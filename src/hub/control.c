// The control events and their data, which is JSON.
#include "hub/control.h"

#include "base/json.h"

int control_event(struct frame **out, const struct mem *mem, const char *type, struct bytes data) {
    struct freshet_event event = {
        .type = {.at = type, .len = strlen(type)},
        .data = {.at = data.at ? data.at : "", .len = data.len},
        .retry = -1,
    };
    return frame_create(out, mem, NULL, 0, &event);
}

static int append_cursor(struct buf *out, event_id id) {
    char text[ID_TEXT_MAX];
    return id ? json_append_string(out, bytes_make(text, id_format(id, text)))
              : buf_append_text(out, "null");
}

int control_gap(struct frame **out, const struct mem *mem, struct bytes after, event_id before,
                const char *reason) {
    struct buf data;
    buf_init(&data, mem, 0);
    int rc = buf_append_text(&data, "{\"after\":");
    rc = rc ? rc : json_append_string(&data, after);
    rc = rc ? rc : buf_append_text(&data, ",\"before\":");
    rc = rc ? rc : append_cursor(&data, before);
    rc = rc ? rc : buf_printf(&data, ",\"reason\":\"%s\"}", reason);
    rc = rc ? rc : control_event(out, mem, "freshet.gap", buf_bytes(&data));
    buf_finish(&data);
    return rc;
}

int control_caught_up(struct frame **out, const struct mem *mem, event_id cursor) {
    struct buf data;
    buf_init(&data, mem, 0);
    int rc = buf_append_text(&data, "{\"id\":");
    rc = rc ? rc : append_cursor(&data, cursor);
    rc = rc ? rc : buf_append_text(&data, "}");
    rc = rc ? rc : control_event(out, mem, "freshet.caught-up", buf_bytes(&data));
    buf_finish(&data);
    return rc;
}

int control_connection(struct frame **out, const struct mem *mem, struct bytes name,
                       event_id cursor) {
    char text[ID_TEXT_MAX];
    struct buf data;
    buf_init(&data, mem, 0);
    int rc = buf_append_text(&data, "{\"connection\":");
    rc = rc ? rc : json_append_string(&data, name);
    rc = rc ? rc : buf_append_text(&data, ",\"cursor\":");
    rc = rc ? rc : json_append_string(&data, bytes_make(text, id_format(cursor, text)));
    rc = rc ? rc : buf_append_text(&data, "}");
    rc = rc ? rc : control_event(out, mem, "freshet.connection", buf_bytes(&data));
    buf_finish(&data);
    return rc;
}
