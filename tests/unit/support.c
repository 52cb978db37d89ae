// The counting, failing allocator. Atomic, because frames are freed on other threads.
#include "support.h"

#include <stdlib.h>

static void *counting_resize(void *ctx, void *old, size_t size) {
    struct test_mem *test = ctx;
    if (size == 0) {
        __atomic_sub_fetch(&test->alive, 1, __ATOMIC_RELAXED);
        free(old);
        return NULL;
    }
    if (__atomic_add_fetch(&test->calls, 1, __ATOMIC_RELAXED) == test->fail_at) {
        return NULL;
    }
    void *new = realloc(old, size);
    if (new && !old) {
        __atomic_add_fetch(&test->alive, 1, __ATOMIC_RELAXED);
    }
    return new;
}

void test_mem_init(struct test_mem *test) {
    *test = (struct test_mem){.mem = {.resize = counting_resize, .ctx = test}};
}

void test_mem_finish(const struct test_mem *test) {
    assert_int_equal(test->alive, 0);
}
