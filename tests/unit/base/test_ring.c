// The ring against a plain array.
#include "support.h"

#include <stdbool.h>

#include "base/random.h"
#include "base/ring.h"

static struct test_mem mem;

static void test_as_an_array(void **state) {
    static uint32_t all[100000];
    struct random dice = {.state = 1};
    struct ring ring;
    uint32_t first = 0, end = 0;
    test_mem_init(&mem);
    ring_init(&ring, &mem.mem, sizeof(uint32_t));
    for (int i = 0; i < 100000; i++) {
        // More in than out, then more out than in, several times.
        bool push = random_between(&dice, 0, 9) < (i / 5000 % 2 ? 4 : 6);
        if (push) {
            all[end] = end * 7;
            *(uint32_t *)ring_push(&ring) = all[end++];
        } else if (first < end) {
            ring_pop(&ring);
            first++;
        }
        assert_int_equal(ring.count, end - first);
        if (ring.count) {
            uint32_t place = (uint32_t)random_between(&dice, 0, ring.count - 1);
            assert_int_equal(*(uint32_t *)ring_at(&ring, place), all[first + place]);
            assert_int_equal(*(uint32_t *)ring_last(&ring), all[end - 1]);
        } else {
            assert_int_equal(mem.alive, 0);
        }
    }
    ring_finish(&ring);
    test_mem_finish(&mem);
}

static void test_no_memory(void **state) {
    struct ring ring;
    test_mem_init(&mem);
    ring_init(&ring, &mem.mem, 8);
    mem.fail_at = 1;
    assert_null(ring_push(&ring));
    assert_int_equal(ring.count, 0);
    for (uint64_t i = 0; i < 4; i++) {
        *(uint64_t *)ring_push(&ring) = i;
    }
    ring_pop(&ring);
    *(uint64_t *)ring_push(&ring) = 4;
    mem.fail_at = mem.calls + 1;
    assert_null(ring_push(&ring));
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(*(uint64_t *)ring_at(&ring, i), i + 1);
    }
    ring_finish(&ring);
    test_mem_finish(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_an_array),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
