// A borrowed run of bytes: a pointer and a length, not terminated, owned by somebody else.
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct bytes {
    const char *at;
    size_t len;
};

static inline struct bytes bytes_make(const char *at, size_t len) {
    return (struct bytes){.at = at, .len = len};
}

static inline struct bytes bytes_of(const char *text) {
    return bytes_make(text, strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

// ASCII letters compare equal whatever their case.
static inline bool bytes_equal_nocase(struct bytes a, struct bytes b) {
    return a.len == b.len && (a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

static inline bool bytes_is(struct bytes a, const char *text) {
    return bytes_equal(a, bytes_of(text));
}

static inline bool bytes_starts_with(struct bytes a, const char *prefix) {
    size_t len = strlen(prefix);
    return a.len >= len && memcmp(a.at, prefix, len) == 0;
}

static inline bool bytes_ends_with(struct bytes a, const char *suffix) {
    size_t len = strlen(suffix);
    return a.len >= len && memcmp(a.at + a.len - len, suffix, len) == 0;
}

// Order by bytes, a prefix before what it begins.
int bytes_compare(struct bytes a, struct bytes b);

// Without the spaces and tabs at both ends.
struct bytes bytes_trim(struct bytes a);

// Whether there is an ASCII control character in it, DEL included.
bool bytes_have_control(struct bytes a);

// A whole number in decimal, digits only; false when it is empty, has anything else in it or
// is above `max`.
bool bytes_to_u64(struct bytes a, uint64_t max, uint64_t *out);

#endif
