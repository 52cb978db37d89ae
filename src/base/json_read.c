// Reading what json_validate accepted: walking over members and elements, and decoding strings. It
// only looks for quotes and brackets; all it checks is that it does not leave the slice.
#include "base/error.h"
#include "base/json.h"

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct bytes drop(struct bytes text, size_t n) {
    return n ? bytes_make(text.at + n, text.len - n) : text;
}

static struct bytes skip_space(struct bytes text) {
    size_t n = 0;
    while (n < text.len && is_space(text.at[n])) {
        n++;
    }
    return drop(text, n);
}

enum json_kind json_kind(struct bytes value) {
    switch (value.len ? value.at[0] : 'n') {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

// The length of the string at the front, quotes included; 0 when it does not end.
static size_t string_length(struct bytes text) {
    for (size_t i = 1; i < text.len; i++) {
        if (text.at[i] == '\\') {
            i++;
        } else if (text.at[i] == '"') {
            return i + 1;
        }
    }
    return 0;
}

static size_t bracket_length(struct bytes text) {
    size_t depth = 0;
    for (size_t i = 0; i < text.len;) {
        char c = text.at[i];
        size_t len = c == '"' ? string_length(drop(text, i)) : 1;
        if (len == 0) {
            return 0;
        }
        i += len;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        if (depth == 0) {
            return i;
        }
    }
    return 0;
}

static size_t scalar_length(struct bytes text) {
    size_t i = 0;
    while (i < text.len && !is_space(text.at[i]) && !strchr(",:]}", text.at[i])) {
        i++;
    }
    return i;
}

// Takes the value at the front; false when there is none.
static bool take_value(struct bytes *text, struct bytes *value) {
    char c = text->len ? text->at[0] : ',';
    size_t len = c == '"'               ? string_length(*text)
                 : c == '{' || c == '[' ? bracket_length(*text)
                                        : scalar_length(*text);
    *value = bytes_make(text->at, len);
    *text = drop(*text, len);
    return len > 0;
}

static int init(struct json_iter *iter, struct bytes value, char open, char close) {
    *iter = (struct json_iter){0};
    if (value.len < 2 || value.at[0] != open || value.at[value.len - 1] != close) {
        return ERR_INVALID;
    }
    iter->rest = skip_space(bytes_make(value.at + 1, value.len - 2));
    return 0;
}

int json_object_init(struct json_iter *iter, struct bytes object) {
    return init(iter, object, '{', '}');
}

int json_array_init(struct json_iter *iter, struct bytes array) {
    return init(iter, array, '[', ']');
}

// Behind a value, up to the next.
static void skip_comma(struct bytes *text) {
    *text = skip_space(*text);
    if (text->len && text->at[0] == ',') {
        *text = skip_space(drop(*text, 1));
    }
}

int json_array_next(struct json_iter *iter, struct bytes *value) {
    if (iter->rest.len == 0) {
        return 0;
    }
    if (!take_value(&iter->rest, value)) {
        return ERR_INVALID;
    }
    skip_comma(&iter->rest);
    return 1;
}

int json_object_next(struct json_iter *iter, struct buf *key, struct bytes *value) {
    struct bytes rest = iter->rest, raw_key;
    if (rest.len == 0) {
        return 0;
    }
    if (rest.at[0] != '"' || !take_value(&rest, &raw_key)) {
        return ERR_INVALID;
    }
    rest = skip_space(rest);
    if (rest.len == 0 || rest.at[0] != ':') {
        return ERR_INVALID;
    }
    rest = skip_space(drop(rest, 1));
    if (!take_value(&rest, value)) {
        return ERR_INVALID;
    }
    skip_comma(&rest);
    buf_clear(key);
    int rc = json_string_decode(raw_key, key);
    iter->rest = rc ? iter->rest : rest;
    return rc ? rc : 1;
}

// The four digits at the front as a number; -1 when they are not there.
static int hex4(struct bytes text) {
    int value = 0;
    for (size_t i = 0; i < 4; i++) {
        int c = i < text.len ? text.at[i] : 0;
        int lower = c | 0x20;
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(lower >= 'a' && lower <= 'f')) {
            return -1;
        }
        value = value * 16 + (digit ? c - '0' : lower - 'a' + 10);
    }
    return value;
}

static size_t put_utf8(char *out, int code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6) {
        out[i] = (char)(0x80 | (code & 0x3f));
    }
    out[0] = (char)((0xf00 >> len & 0xff) | code);
    return len;
}

// Decodes the \uXXXX at the front, with the other half of a pair if it follows. The bytes used; 0
// when it is malformed.
static size_t decode_unicode(struct bytes text, int *code) {
    *code = hex4(drop(text, 2));
    if (*code < 0xd800 || *code > 0xdfff) {
        return *code < 0 ? 0 : 6;
    }
    bool more = text.len >= 12 && text.at[6] == '\\' && text.at[7] == 'u';
    int low = more ? hex4(drop(text, 8)) : -1;
    if (*code < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
        *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
        return 12;
    }
    *code = 0xfffd;
    return 6;
}

// The same for any escape.
static size_t decode_escape(struct bytes text, int *code) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (text.len < 2 || text.at[1] == '\0') {
        return 0;
    }
    if (text.at[1] == 'u') {
        return text.len < 6 ? 0 : decode_unicode(text, code);
    }
    const char *letter = strchr(letters, text.at[1]);
    *code = letter ? meanings[letter - letters] : 0;
    return letter ? 2 : 0;
}

static size_t plain_length(struct bytes text) {
    const char *escape = memchr(text.at, '\\', text.len);
    return escape ? (size_t)(escape - text.at) : text.len;
}

int json_string_decode(struct bytes string, struct buf *out) {
    if (string.len < 2 || string.at[0] != '"' || string.at[string.len - 1] != '"') {
        return ERR_INVALID;
    }
    // What is decoded is never longer than it was.
    int rc = buf_reserve(out, string.len);
    if (rc) {
        return rc;
    }
    struct bytes rest = bytes_make(string.at + 1, string.len - 2);
    size_t len = out->len;
    while (rest.len) {
        size_t used = plain_length(rest);
        memcpy(out->at + len, rest.at, used);
        len += used;
        rest = drop(rest, used);
        if (rest.len) {
            int code;
            used = decode_escape(rest, &code);
            if (used == 0) {
                return ERR_INVALID;
            }
            len += put_utf8(out->at + len, code);
            rest = drop(rest, used);
        }
    }
    out->len = len;
    return 0;
}
