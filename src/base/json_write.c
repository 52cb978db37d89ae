// Writing JSON: strings with their escapes, and values without their white space. Clean runs are
// copied whole.
#include "base/error.h"
#include "base/json.h"

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

int json_compact(struct bytes value, struct buf *out) {
    int rc = buf_reserve(out, value.len);
    bool quoted = false;
    for (size_t i = 0; i < value.len && rc == 0; i++) {
        char c = value.at[i];
        if (!quoted && is_space(c)) {
            continue;
        }
        out->at[out->len++] = c;
        if (quoted && c == '\\' && i + 1 < value.len) {
            out->at[out->len++] = value.at[++i];
        } else if (c == '"') {
            quoted = !quoted;
        }
    }
    return rc;
}

static size_t clean_run(struct bytes text) {
    size_t i = 0;
    while (i < text.len && (unsigned char)text.at[i] >= ' ' && text.at[i] != '"' &&
           text.at[i] != '\\') {
        i++;
    }
    return i;
}

static int append_escape(struct buf *out, unsigned char c) {
    static const char codes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    static const char hex[] = "0123456789abcdef";
    const char *known = c ? strchr(codes, c) : NULL;
    char text[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    if (known) {
        text[1] = letters[known - codes];
    }
    return buf_append(out, text, known ? 2 : sizeof(text));
}

int json_append_escaped(struct buf *out, struct bytes text) {
    size_t before = out->len;
    int rc = 0;
    while (text.len && rc == 0) {
        size_t run = clean_run(text);
        rc = buf_append(out, text.at, run);
        if (rc == 0 && run < text.len) {
            rc = append_escape(out, (unsigned char)text.at[run++]);
        }
        text = bytes_make(text.at + run, text.len - run);
    }
    out->len = rc ? before : out->len;
    return rc;
}

int json_append_string(struct buf *out, struct bytes text) {
    size_t before = out->len;
    int rc = buf_append(out, "\"", 1);
    rc = rc ? rc : json_append_escaped(out, text);
    rc = rc ? rc : buf_append(out, "\"", 1);
    out->len = rc ? before : out->len;
    return rc;
}
