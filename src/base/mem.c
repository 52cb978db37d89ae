// The allocator that the program runs on, and the four verbs over any allocator.
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

static void *libc_resize(void *ctx, void *old, size_t size) {
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

const struct mem mem_libc = {.resize = libc_resize};

void mem_libc_steady(void) {
#ifdef __GLIBC__
    // What is freed into a "fast bin" is joined with its neighbours later, all at once. (What
    // is left is the return of the heap to the system, which is worth its pause.)
    (void)mallopt(M_MXFAST, 0);
#endif
}

void *mem_alloc(const struct mem *mem, size_t size) {
    return mem->resize(mem->ctx, NULL, size ? size : 1);
}

void *mem_new(const struct mem *mem, size_t size) {
    void *p = mem_alloc(mem, size);
    if (p) {
        memset(p, 0, size);
    }
    return p;
}

void *mem_resize(const struct mem *mem, void *old, size_t size) {
    return mem->resize(mem->ctx, old, size ? size : 1);
}

void mem_free(const struct mem *mem, void *old) {
    if (old) {
        mem->resize(mem->ctx, old, 0);
    }
}
