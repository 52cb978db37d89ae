// Writing JSON: strings with their escapes, and values without their white space. Clean runs are
// found eight bytes at a time and copied whole.
#include "base/error.h"
#include "base/json.h"

enum { WORD = sizeof(uint64_t) };

static inline uint64_t each_byte(unsigned value) {
    return UINT64_MAX / 255 * value;
}

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

static bool is_clean(char c) {
    return (unsigned char)c >= ' ' && c != '"' && c != '\\';
}

// Whether a byte of the word is below `bound`, which is 128 at most.
static uint64_t has_less(uint64_t word, unsigned bound) {
    return (word - each_byte(bound)) & ~word & each_byte(128);
}

static bool is_clean_word(const char *at) {
    uint64_t word;
    memcpy(&word, at, WORD);
    return !(has_less(word, ' ') | has_less(word ^ each_byte('"'), 1) |
             has_less(word ^ each_byte('\\'), 1));
}

static size_t clean_run(struct bytes text) {
    size_t i = 0;
    while (text.len - i >= WORD && is_clean_word(text.at + i)) {
        i += WORD;
    }
    while (i < text.len && is_clean(text.at[i])) {
        i++;
    }
    return i;
}

// The letter after the backslash, for those that have one; otherwise 0.
static char short_escape(char c) {
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static int append_escape(struct buf *out, char c) {
    static const char hex[] = "0123456789abcdef";
    char letter = short_escape(c);
    if (letter) {
        return buf_append(out, (char[]){'\\', letter}, 2);
    }
    return buf_append(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

int json_append_escaped(struct buf *out, struct bytes text) {
    size_t before = out->len;
    int rc = 0;
    while (text.len && rc == 0) {
        size_t run = clean_run(text);
        rc = buf_append(out, text.at, run);
        if (rc == 0 && run < text.len) {
            rc = append_escape(out, text.at[run++]);
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
