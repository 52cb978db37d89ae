// The writer. It measures and checks first and writes afterwards, so that the second step cannot
// fail; every value is split or refused where it could break the framing.
#include <freshet/writer.h>

#include <stdio.h>

#include "stream/lines.h"

enum { DIGITS_MAX = 24 };

static bool is_utf8(struct freshet_text text) {
    return freshet_utf8_check(text) == text.len;
}

// Whether a text that must fit on one line does. Absent or empty is fine.
static bool is_line(struct freshet_text text) {
    return text.len == 0 || (!memchr(text.at, '\n', text.len) && !memchr(text.at, '\r', text.len) &&
                             !memchr(text.at, '\0', text.len) && is_utf8(text));
}

// "name: value" LF, or "name:" LF when the value is empty.
static size_t line_size(size_t name_len, size_t value_len) {
    return name_len + 1 + (value_len > 0) + value_len + 1;
}

static char *put(char *out, const char *at, size_t len) {
    memcpy(out, at, len);
    return out + len;
}

static inline char *put_line(char *out, const char *name, size_t name_len,
                             struct freshet_text value) {
    out = put(out, name, name_len);
    *out++ = ':';
    if (value.len) {
        *out++ = ' ';
        out = put(out, value.at, value.len);
    }
    *out++ = '\n';
    return out;
}

static size_t data_size(struct freshet_text data) {
    struct lines lines;
    struct freshet_text line;
    size_t size = 0;
    lines_init(&lines, data.at, data.at + data.len);
    while (lines_next(&lines, &line)) {
        size += line_size(4, line.len);
    }
    return size + line_size(4, (size_t)(lines.end - lines.at));
}

static char *put_data(char *out, struct freshet_text data) {
    struct lines lines;
    struct freshet_text line;
    lines_init(&lines, data.at, data.at + data.len);
    while (lines_next(&lines, &line)) {
        out = put_line(out, "data", 4, line);
    }
    return put_line(out, "data", 4,
                    (struct freshet_text){lines.at, (size_t)(lines.end - lines.at)});
}

static struct freshet_text digits(int64_t number, char room[DIGITS_MAX]) {
    int len = snprintf(room, DIGITS_MAX, "%lld", (long long)number);
    return (struct freshet_text){room, (size_t)len};
}

int64_t freshet_event_size(const struct freshet_event *event) {
    if (!event->data.at || event->retry < -1 || !is_line(event->id) || !is_line(event->type) ||
        !is_utf8(event->data)) {
        return FRESHET_ERR_INVALID;
    }
    char room[DIGITS_MAX];
    size_t size = data_size(event->data) + 1;
    if (event->id.at) {
        size += line_size(2, event->id.len);
    }
    if (event->type.len) {
        size += line_size(5, event->type.len);
    }
    if (event->retry >= 0) {
        size += line_size(5, digits(event->retry, room).len);
    }
    return (int64_t)size;
}

size_t freshet_event_write(const struct freshet_event *event, char *out) {
    const char *start = out;
    char room[DIGITS_MAX];
    if (event->id.at) {
        out = put_line(out, "id", 2, event->id);
    }
    if (event->type.len) {
        out = put_line(out, "event", 5, event->type);
    }
    if (event->retry >= 0) {
        out = put_line(out, "retry", 5, digits(event->retry, room));
    }
    out = put_data(out, event->data);
    *out++ = '\n';
    return (size_t)(out - start);
}
