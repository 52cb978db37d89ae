// The counting, failing allocator. Atomic, because frames are freed on other threads.
#include "support.h"

#include <stdlib.h>
#include <string.h>

// In front of each allocation, so that giving it back can be counted in bytes too.
union prefix {
    size_t size;
    max_align_t align;
};

static void count(struct test_mem *test, long alive, long bytes) {
    __atomic_add_fetch(&test->alive, alive, __ATOMIC_RELAXED);
    __atomic_add_fetch(&test->bytes, bytes, __ATOMIC_RELAXED);
}

static void *counting_resize(void *ctx, void *old, size_t size) {
    struct test_mem *test = ctx;
    union prefix *prefix = old ? (union prefix *)old - 1 : NULL;
    long before = prefix ? (long)prefix->size : 0;
    if (size == 0) {
        count(test, -1, -before);
        free(prefix);
        return NULL;
    }
    if (__atomic_add_fetch(&test->calls, 1, __ATOMIC_RELAXED) == test->fail_at) {
        return NULL;
    }
    union prefix *grown = realloc(prefix, sizeof(*grown) + size);
    if (!grown) {
        return NULL;
    }
    if (!old) {
        memset(grown + 1, 0xa5, size); // so that who forgets to clear it is found out
    }
    grown->size = size;
    count(test, old ? 0 : 1, (long)size - before);
    return grown + 1;
}

void test_mem_init(struct test_mem *test) {
    *test = (struct test_mem){.mem = {.resize = counting_resize, .ctx = test}};
}

void test_mem_finish(const struct test_mem *test) {
    assert_int_equal(test->alive, 0);
    assert_int_equal(test->bytes, 0);
}
