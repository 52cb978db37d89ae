// What every unit test needs: cmocka behind its ritual of includes, and an allocator that counts
// what is alive and can be told to fail.
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

struct test_mem {
    struct mem mem; // hand this to the code under test
    long alive;     // allocations not yet freed
    long bytes;     // what they asked for
    long calls;     // allocations asked for so far
    long fail_at;   // the call (counted from 1) that fails, once; 0 for none
};

void test_mem_init(struct test_mem *test);

// Asserts that everything was given back.
void test_mem_finish(const struct test_mem *test);

#endif
