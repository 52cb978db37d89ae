// Is this one JSON value? One pass without recursion: a bit for each open bracket remembers whether
// it is an object's or an array's. Nothing is forgiven: no comments, no trailing commas, no NaN, no
// bare controls, no UTF-8 that is not.
#include "base/error.h"
#include "base/json.h"

struct check {
    const unsigned char *at, *end;
    uint64_t objects[JSON_DEPTH_MAX / 64]; // by depth: an object, else an array
    unsigned depth, max_depth;
};

static int peek(const struct check *check) {
    return check->at < check->end ? *check->at : -1;
}

static bool accept(struct check *check, int c) {
    bool there = peek(check) == c;
    check->at += there;
    return there;
}

static void skip_space(struct check *check) {
    int c;
    while ((c = peek(check)) == ' ' || c == '\n' || c == '\r' || c == '\t') {
        check->at++;
    }
}

static bool skip_digits(struct check *check) {
    const unsigned char *start = check->at;
    while (peek(check) >= '0' && peek(check) <= '9') {
        check->at++;
    }
    return check->at > start;
}

static bool skip_number(struct check *check) {
    accept(check, '-');
    if (!accept(check, '0') && !skip_digits(check)) {
        return false;
    }
    if (accept(check, '.') && !skip_digits(check)) {
        return false;
    }
    if (accept(check, 'e') || accept(check, 'E')) {
        if (!accept(check, '+')) {
            accept(check, '-');
        }
        return skip_digits(check);
    }
    return true;
}

static bool skip_word(struct check *check, const char *word) {
    while (*word && accept(check, *word)) {
        word++;
    }
    return *word == '\0';
}

static bool skip_hex(struct check *check) {
    for (int i = 0; i < 4; i++) {
        int lower = peek(check) | 0x20;
        if (!(lower >= 'a' && lower <= 'f') && !(peek(check) >= '0' && peek(check) <= '9')) {
            return false;
        }
        check->at++;
    }
    return true;
}

static bool skip_escape(struct check *check) {
    if (accept(check, 'u')) {
        return skip_hex(check);
    }
    bool known = peek(check) > 0 && strchr("\"\\/bfnrt", peek(check));
    check->at += known;
    return known;
}

// Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
static bool skip_utf8(struct check *check) {
    unsigned char c = *check->at;
    ptrdiff_t len = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (len == 0 || check->end - check->at < len) {
        return false;
    }
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (check->at[1] < low || check->at[1] > high) {
        return false;
    }
    for (ptrdiff_t i = 2; i < len; i++) {
        if ((check->at[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    check->at += len;
    return true;
}

static bool skip_string(struct check *check) {
    if (!accept(check, '"')) {
        return false;
    }
    for (int c; (c = peek(check)) >= ' ';) {
        if (c >= 0x80) {
            if (!skip_utf8(check)) {
                return false;
            }
            continue;
        }
        check->at++;
        if (c == '"') {
            return true;
        }
        if (c == '\\' && !skip_escape(check)) {
            return false;
        }
    }
    return false;
}

static bool skip_scalar(struct check *check) {
    switch (peek(check)) {
    case '"':
        return skip_string(check);
    case 'n':
        return skip_word(check, "null");
    case 't':
        return skip_word(check, "true");
    case 'f':
        return skip_word(check, "false");
    default:
        return skip_number(check);
    }
}

static bool in_object(const struct check *check) {
    unsigned level = check->depth - 1;
    return check->objects[level / 64] >> level % 64 & 1;
}

static int open_bracket(struct check *check, bool object) {
    if (check->depth == check->max_depth) {
        return ERR_TOO_LARGE;
    }
    uint64_t bit = (uint64_t)1 << check->depth % 64;
    uint64_t *word = &check->objects[check->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    check->depth++;
    check->at++;
    return 0;
}

static bool close_bracket(struct check *check) {
    bool closed = accept(check, in_object(check) ? '}' : ']');
    check->depth -= closed;
    return closed;
}

// What stands before a value inside a bracket: in an object its key.
static bool skip_key(struct check *check) {
    if (!in_object(check)) {
        return true;
    }
    skip_space(check);
    if (!skip_string(check)) {
        return false;
    }
    skip_space(check);
    return accept(check, ':');
}

// Behind a value: closes what ends here and stands before the next value, or at the very end.
static int finish_value(struct check *check) {
    while (check->depth) {
        skip_space(check);
        if (accept(check, ',')) {
            return skip_key(check) ? 0 : ERR_INVALID;
        }
        if (!close_bracket(check)) {
            return ERR_INVALID;
        }
    }
    return 0;
}

// One scalar, or the opening of a bracket, with what follows it up to the next value.
static int step(struct check *check) {
    skip_space(check);
    int c = peek(check);
    if (c != '{' && c != '[') {
        return skip_scalar(check) ? finish_value(check) : ERR_INVALID;
    }
    int rc = open_bracket(check, c == '{');
    if (rc) {
        return rc;
    }
    skip_space(check);
    if (close_bracket(check)) {
        return finish_value(check);
    }
    return skip_key(check) ? 0 : ERR_INVALID;
}

int json_validate(struct bytes text, unsigned max_depth, struct bytes *value) {
    const unsigned char *start = (const unsigned char *)text.at;
    struct check check = {.at = start, .end = text.len ? start + text.len : start};
    check.max_depth = max_depth < JSON_DEPTH_MAX ? max_depth : JSON_DEPTH_MAX;
    skip_space(&check);
    const unsigned char *first = check.at;
    int rc;
    do {
        rc = step(&check);
    } while (rc == 0 && check.depth);
    if (rc) {
        return rc;
    }
    *value = bytes_make((const char *)first, (size_t)(check.at - first));
    skip_space(&check);
    return check.at == check.end ? 0 : ERR_INVALID;
}
