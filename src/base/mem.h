// Allocation as an argument. The pure layers take a `struct mem` where they are created and get all
// their memory from it, so that a test can fail the nth allocation and count what is still alive.
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

struct mem {
    // realloc(3) in one call: old NULL allocates, size 0 frees and returns NULL. Must be safe to
    // call from any thread if what it allocates crosses threads (frames do).
    void *(*resize)(void *ctx, void *old, size_t size);
    void *ctx;
};

// malloc, realloc and free of the C library.
extern const struct mem mem_libc;

// For a program that must not pause: no free() joins all small blocks before it. To be
// called once, before the first thread.
void mem_libc_steady(void);

// NULL when there is no memory. mem_new zeroes what it returns.
void *mem_new(const struct mem *mem, size_t size);
void *mem_alloc(const struct mem *mem, size_t size);
void *mem_resize(const struct mem *mem, void *old, size_t size);
void mem_free(const struct mem *mem, void *old);

#endif
