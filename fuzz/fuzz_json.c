// JSON under a fuzzer. For any bytes: json_validate agrees with a second, recursive reading of the
// grammar; what it accepts can be walked, and each part is a value of its own; compacting twice is
// compacting once; decoding a string undoes writing it; and on what is no JSON the readers stay
// within its bounds.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "json";

enum { DEPTH = 70 };

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

// The second reading. Each takes a position and returns the one behind, or NULL. A NUL ends the
// text, which holds none before: JSON has no place for one.

static const char *space(const char *at) {
    return at + strspn(at, " \t\r\n");
}

static const char *digits(const char *at) {
    size_t n = strspn(at, "0123456789");
    return n ? at + n : NULL;
}

static const char *number(const char *at) {
    at += *at == '-';
    at = *at == '0' ? at + 1 : digits(at);
    if (at && *at == '.') {
        at = digits(at + 1);
    }
    if (at && (*at == 'e' || *at == 'E')) {
        at++;
        at = digits(at + (*at == '+' || *at == '-'));
    }
    return at;
}

// Decodes, and then looks whether it was the shortest form of a scalar value.
static const char *character(const char *at) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)*at;
    int len = c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
    uint32_t code = len ? c & (0x7fu >> len) : 0;
    for (int i = 1; i < len; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80) {
            return NULL;
        }
        code = code << 6 | ((unsigned char)at[i] & 0x3f);
    }
    bool scalar = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return len && code >= least[len] && scalar ? at + len : NULL;
}

static const char *string(const char *at) {
    if (*at++ != '"') {
        return NULL;
    }
    while (at && *at != '"') {
        if (*at == '\\' && at[1] == 'u') {
            bool hex = strspn(at + 2, "0123456789abcdefABCDEF") >= 4;
            at = hex ? at + 6 : NULL;
        } else if (*at == '\\') {
            at = at[1] && strchr("\"\\/bfnrt", at[1]) ? at + 2 : NULL;
        } else if ((unsigned char)*at < ' ') {
            at = NULL;
        } else {
            at = (unsigned char)*at < 0x80 ? at + 1 : character(at);
        }
    }
    return at ? at + 1 : NULL;
}

static const char *value(const char *at, int depth);

static const char *member(const char *at, bool object, int depth) {
    if (object) {
        at = string(space(at));
        at = at ? space(at) : NULL;
        at = at && *at == ':' ? at + 1 : NULL;
    }
    at = at ? value(space(at), depth) : NULL;
    return at ? space(at) : NULL;
}

static const char *bracket(const char *at, int depth) {
    bool object = *at == '{';
    char end = object ? '}' : ']';
    at = space(at + 1);
    if (depth == 0 || *at == end) {
        return depth ? at + 1 : NULL;
    }
    at = member(at, object, depth - 1);
    while (at && *at == ',') {
        at = member(at + 1, object, depth - 1);
    }
    return at && *at == end ? at + 1 : NULL;
}

static const char *value(const char *at, int depth) {
    static const char *const words[] = {"null", "true", "false"};
    for (int i = 0; i < 3; i++) {
        if (strncmp(at, words[i], strlen(words[i])) == 0) {
            return at + strlen(words[i]);
        }
    }
    return *at == '{' || *at == '[' ? bracket(at, depth) : *at == '"' ? string(at) : number(at);
}

static bool is_json(const char *text, size_t len) {
    char *copy = malloc(len + 1);
    require(copy != NULL);
    if (len) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    const char *end = value(space(copy), DEPTH);
    bool whole = end && space(end) == copy + len;
    free(copy);
    return whole;
}

// Each part of an accepted value.

static void check_part(struct bytes part) {
    struct bytes again;
    require(json_validate(part, DEPTH, &again) == 0);
    require(again.at == part.at && again.len == part.len);
}

static void check_string(struct bytes raw) {
    struct buf text, written, back;
    buf_init(&text, &mem_libc, 0);
    buf_init(&written, &mem_libc, 0);
    buf_init(&back, &mem_libc, 0);
    require(json_string_decode(raw, &text) == 0);
    require(json_append_string(&written, buf_bytes(&text)) == 0);
    check_part(buf_bytes(&written)); // valid UTF-8, too
    require(json_string_decode(buf_bytes(&written), &back) == 0);
    require(bytes_equal(buf_bytes(&text), buf_bytes(&back)));
    buf_finish(&text);
    buf_finish(&written);
    buf_finish(&back);
}

static void walk(struct bytes part) {
    struct json_iter iter;
    struct bytes inner;
    struct buf key;
    int rc = 0;
    check_part(part);
    buf_init(&key, &mem_libc, 0);
    if (json_kind(part) == JSON_STRING) {
        check_string(part);
    } else if (json_kind(part) == JSON_ARRAY) {
        require(json_array_init(&iter, part) == 0);
        while ((rc = json_array_next(&iter, &inner)) == 1) {
            walk(inner);
        }
    } else if (json_kind(part) == JSON_OBJECT) {
        require(json_object_init(&iter, part) == 0);
        while ((rc = json_object_next(&iter, &key, &inner)) == 1) {
            walk(inner);
        }
    }
    require(rc == 0);
    buf_finish(&key);
}

static void check_compact(struct bytes part) {
    struct buf once, twice;
    buf_init(&once, &mem_libc, part.len);
    buf_init(&twice, &mem_libc, part.len);
    require(json_compact(part, &once) == 0);
    check_part(buf_bytes(&once));
    require(json_compact(buf_bytes(&once), &twice) == 0);
    require(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    buf_finish(&once);
    buf_finish(&twice);
}

static void stay_within(struct bytes text) {
    struct json_iter iter;
    struct bytes inner;
    struct buf out;
    buf_init(&out, &mem_libc, 0);
    if (json_array_init(&iter, text) == 0) {
        for (size_t n = 0; json_array_next(&iter, &inner) == 1; n++) {
            require(n < text.len);
        }
    }
    if (json_object_init(&iter, text) == 0) {
        for (size_t n = 0; json_object_next(&iter, &out, &inner) == 1; n++) {
            require(n < text.len);
        }
    }
    (void)json_string_decode(text, &out);
    require(json_compact(text, &out) == 0);
    buf_finish(&out);
}

// Any text as a string: what is not UTF-8 must show when it is read.
static void check_as_text(struct bytes text) {
    struct buf written, back;
    struct bytes whole;
    buf_init(&written, &mem_libc, 0);
    buf_init(&back, &mem_libc, 0);
    require(json_append_string(&written, text) == 0);
    int rc = json_validate(buf_bytes(&written), 0, &whole);
    require((rc == 0) == is_json(written.at, written.len));
    if (rc == 0) {
        require(json_string_decode(whole, &back) == 0);
        require(bytes_equal(buf_bytes(&back), text));
    }
    buf_finish(&written);
    buf_finish(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    char *copy = malloc(len ? len : 1);
    require(copy != NULL);
    if (len) {
        memcpy(copy, bytes, len);
    }
    struct bytes text = bytes_make(copy, len), part;
    int rc = json_validate(text, DEPTH, &part);
    require(rc == 0 || rc == ERR_INVALID || rc == ERR_TOO_LARGE);
    require((rc == 0) == is_json(copy, len));
    if (rc == 0) {
        walk(part);
        check_compact(part);
    }
    stay_within(text);
    check_as_text(text);
    free(copy);
    return 0;
}
