// Events as lines.
#include "cli/cmd_sub_print.h"

#include "base/json.h"
#include "cli/output.h"

static struct bytes bytes_from(struct freshet_text text) {
    return bytes_make(text.at, text.len);
}

struct bytes sub_event_type(const struct freshet_event *event) {
    return event->type.len ? bytes_from(event->type) : bytes_of("message");
}

static int print_json(struct buf *out, const struct freshet_event *event) {
    int rc = buf_append_text(out, "{\"id\":");
    rc = rc ? rc : json_append_string(out, bytes_from(event->id));
    rc = rc ? rc : buf_append_text(out, ",\"event\":");
    rc = rc ? rc : json_append_string(out, sub_event_type(event));
    rc = rc ? rc : buf_append_text(out, ",\"data\":");
    rc = rc ? rc : json_append_string(out, bytes_from(event->data));
    return rc ? rc : buf_append_text(out, "}");
}

static int print_prefix(struct buf *out, const struct sub_style *style,
                        const struct freshet_event *event) {
    bool typed = !bytes_is(sub_event_type(event), "message");
    bool lines = event->data.len && memchr(event->data.at, '\n', event->data.len);
    if (!typed && event->id.len == 0) {
        return 0;
    }
    int rc = buf_append_text(out, style->colours ? "\x1b[2m" : "");
    rc = rc ? rc : output_escape(out, bytes_from(event->id), false);
    rc = rc ? rc : buf_append_text(out, typed && event->id.len ? " " : "");
    rc = rc || !typed ? rc : output_escape(out, bytes_from(event->type), false);
    rc = rc ? rc : buf_append_text(out, style->colours ? "\x1b[0m" : "");
    return rc ? rc : buf_append_text(out, lines ? "\n" : "  ");
}

static int print_screen(struct buf *out, const struct sub_style *style,
                        const struct freshet_event *event) {
    int rc = print_prefix(out, style, event);
    return rc ? rc : output_escape(out, bytes_from(event->data), true);
}

static int print_json_to_terminal(struct buf *out, const struct freshet_event *event) {
    struct buf json;
    buf_init(&json, out->mem, 0);
    int rc = print_json(&json, event);
    // What JSON lets through (DEL, C1) has the same escape in JSON as on the screen.
    rc = rc ? rc : output_escape(out, buf_bytes(&json), false);
    buf_finish(&json);
    return rc;
}

int sub_print(struct buf *out, const struct sub_style *style, const struct freshet_event *event) {
    int rc;
    switch (style->form) {
    case SUB_JSON:
        rc = style->terminal ? print_json_to_terminal(out, event) : print_json(out, event);
        break;
    case SUB_SCREEN:
        rc = print_screen(out, style, event);
        break;
    default:
        rc = buf_append(out, event->data.at, event->data.len);
        break;
    }
    return rc ? rc : buf_append_text(out, "\n");
}
