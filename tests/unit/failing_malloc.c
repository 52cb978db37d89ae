// Calls are counted only between beginning and end, so that what surrounds them has all it needs.
#include "failing_malloc.h"

#include <stdbool.h>
#include <stddef.h>

static long calls, fails_at; // fails_at 0: count nothing, fail nothing

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

void failing_malloc_begin(long nth) {
    calls = 0;
    fails_at = nth;
}

long failing_malloc_end(void) {
    fails_at = 0;
    return calls;
}

static bool fails(void) {
    return fails_at && ++calls == fails_at;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text) {
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len) {
    return fails() ? NULL : __real_strndup(text, len);
}
