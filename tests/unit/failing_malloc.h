// Allocations that fail, for what takes no allocator as an argument: the linker hands malloc, calloc, realloc,
// strdup and strndup over, in programs that name failing_malloc.c (see meson.build). One thread.
#ifndef TESTS_FAILING_MALLOC_H
#define TESTS_FAILING_MALLOC_H

// From here on the nth allocation fails, and no other.
void failing_malloc_begin(long nth);

// From here on none fails. How many were asked for since the beginning.
long failing_malloc_end(void);

#endif
