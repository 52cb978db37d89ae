// The heap against a plain sorted array.
#include "support.h"

#include <stdbool.h>
#include <string.h>

#include "base/heap.h"
#include "base/random.h"

enum { MOST = 300, STEPS = 20000 };

// Rising keys; of equal ones no order is promised.
struct sorted {
    uint64_t keys[MOST];
    uint32_t count;
};

static void insert(struct sorted *sorted, uint64_t key) {
    uint32_t at = sorted->count++;
    for (; at && sorted->keys[at - 1] > key; at--) {
        sorted->keys[at] = sorted->keys[at - 1];
    }
    sorted->keys[at] = key;
}

static void remove_first(struct sorted *sorted) {
    memmove(sorted->keys, sorted->keys + 1, --sorted->count * sizeof(sorted->keys[0]));
}

struct pair {
    struct heap heap;
    struct heap_entry storage[MOST];
    struct sorted sorted;
    uint64_t keys[MOST]; // of each item
    bool in[MOST];
    struct random dice;
};

static void pair_init(struct pair *pair, uint64_t seed) {
    memset(pair, 0, sizeof(*pair));
    heap_init(&pair->heap, pair->storage);
    pair->dice.state = seed;
}

static void push(struct pair *pair, uint64_t key) {
    uint32_t item = 0;
    while (pair->in[item]) {
        item++;
    }
    pair->in[item] = true;
    pair->keys[item] = key;
    heap_push(&pair->heap, key, item);
    insert(&pair->sorted, key);
}

static void rekey(struct pair *pair, uint64_t key) {
    pair->keys[pair->heap.at[0].item] = key;
    heap_rekey(&pair->heap, key);
    remove_first(&pair->sorted);
    insert(&pair->sorted, key);
}

static void pop(struct pair *pair) {
    pair->in[pair->heap.at[0].item] = false;
    heap_pop(&pair->heap);
    remove_first(&pair->sorted);
}

// The first is as in the array, and every item still has the key that it came with.
static void compare(const struct pair *pair) {
    assert_int_equal(pair->heap.count, pair->sorted.count);
    if (pair->heap.count) {
        assert_int_equal(pair->heap.at[0].key, pair->sorted.keys[0]);
    }
    for (uint32_t i = 0; i < pair->heap.count; i++) {
        assert_true(pair->in[pair->heap.at[i].item]);
        assert_int_equal(pair->heap.at[i].key, pair->keys[pair->heap.at[i].item]);
    }
}

static void step(struct pair *pair, int i, uint64_t keys) {
    uint64_t dice = random_between(&pair->dice, 0, 9);
    bool grow = i / 1000 % 2 == 0;
    if (pair->heap.count < MOST && (pair->heap.count == 0 || dice < (grow ? 4 : 2))) {
        push(pair, random_between(&pair->dice, 0, keys));
    } else if (dice < (grow ? 5 : 6)) {
        pop(pair);
    } else {
        rekey(pair, random_between(&pair->dice, 0, keys));
    }
    compare(pair);
}

static void test_as_a_sorted_array(void **state) {
    static const uint64_t keys[] = {UINT64_MAX - 1, 1000, 3};
    for (uint64_t k = 0; k < 3; k++) {
        static struct pair pair;
        pair_init(&pair, k + 1);
        for (int i = 0; i < STEPS; i++) {
            step(&pair, i, keys[k]);
        }
    }
}

// As a merge uses it: everything in, then the first goes on, or out, until nothing is left.
static void test_sorts(void **state) {
    static struct pair pair;
    for (uint32_t count = 0; count <= MOST; count += 7) {
        pair_init(&pair, count + 1);
        for (uint32_t i = 0; i < count; i++) {
            push(&pair, random_between(&pair.dice, 0, 100));
        }
        while (pair.heap.count) {
            compare(&pair);
            pop(&pair);
        }
        assert_int_equal(pair.sorted.count, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_a_sorted_array),
        cmocka_unit_test(test_sorts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
