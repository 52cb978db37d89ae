// Calls are counted only while one is to fail, so that what surrounds the dialogue has all it needs.
#include "server/short_of_memory.h"

static long calls, fail_at; // fail_at 0: count nothing, fail nothing

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strndup(const char *text, size_t len);
char *__wrap_strndup(const char *text, size_t len);

static bool fails(void) {
    return fail_at && ++calls == fail_at;
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

char *__wrap_strndup(const char *text, size_t len) {
    return fails() ? NULL : __real_strndup(text, len);
}

// True when the allocation that was to fail was asked for.
static bool run(void (*talk)(struct h2_place *place, struct h2_peer *peer), long which) {
    struct h2_place place;
    struct h2_peer peer;
    h2_place_init(&place);
    h2_place_open(&place);
    calls = 0;
    h2_peer_connect(&peer, &place, 8192);
    fail_at = which;
    talk(&place, &peer);
    fail_at = 0;
    h2_peer_close(&peer);
    h2_place_close(&place);
    return calls >= which;
}

long short_of_memory(void (*talk)(struct h2_place *place, struct h2_peer *peer)) {
    long which = 1;
    while (run(talk, which)) {
        which++;
    }
    return which;
}
