// The map against a flag for each key: through growing and shrinking, with colliding hashes, with
// failing allocations, and without a call that pays for everything.
#include "support.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"

enum { KEYS = 20000 };

struct item {
    struct map_node node;
    uint64_t key;
    bool in;
    unsigned visits;
};

static struct item items[KEYS];
static struct test_mem mem;
static struct map map;
static struct random dice;

static int setup(void **state) {
    test_mem_init(&mem);
    map_init(&map, &mem.mem);
    dice.state = 5;
    for (size_t i = 0; i < KEYS; i++) {
        items[i] = (struct item){.key = i};
    }
    return 0;
}

static int teardown(void **state) {
    map_finish(&map);
    test_mem_finish(&mem);
    return 0;
}

static bool same_key(const struct map_node *node, const void *key) {
    return container_of(node, struct item, node)->key == *(const uint64_t *)key;
}

static uint64_t hash_of(uint64_t key) {
    return key % 3 ? key * 0x9e3779b97f4a7c15ULL : 0; // a third of them collide
}

static struct item *find(uint64_t key) {
    struct map_node *node = map_find(&map, hash_of(key), same_key, &key);
    return node ? container_of(node, struct item, node) : NULL;
}

static void toggle(struct item *item) {
    if (item->in) {
        map_remove(&map, &item->node);
    } else if (map_insert(&map, &item->node, hash_of(item->key))) {
        return;
    }
    item->in = !item->in;
}

static void assert_finds(size_t key) {
    assert_ptr_equal(find(key), items[key].in ? &items[key] : NULL);
}

static void test_as_flags(void **state) {
    size_t count = 0;
    assert_null(find(1));
    for (int i = 0; i < 200000; i++) {
        // Many keys, then few, so that it grows and shrinks.
        size_t key =
            (size_t)random_between(&dice, 0, i / 20000 % 2 ? 50 : 1000) * 3 + (size_t)(i % 2);
        toggle(&items[key]);
        count += items[key].in ? 1 : (size_t)-1;
        assert_int_equal(map.count, count);
        assert_finds((size_t)random_between(&dice, 0, 4000));
    }
}

static void fill(size_t count) {
    for (size_t i = 0; i < count; i++) {
        items[i].node.hash = 0;
        assert_int_equal(map_insert(&map, &items[i].node, i * 0x9e3779b97f4a7c15ULL), 0);
    }
}

static void test_shrinks_with_what_it_holds(void **state) {
    fill(KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        map_remove(&map, &items[i].node);
        size_t room = (map.now.size + map.old.size) * sizeof(void *);
        assert_int_equal(mem.bytes, room);
        assert_true(map.count > 100 ? room <= 16 * sizeof(void *) * map.count : room < 16 * 1024);
    }
    assert_int_equal(map.count, 0);
}

static void visit(void *ctx, struct map_node *node) {
    container_of(node, struct item, node)->visits++;
}

static void walk_and_check(size_t portion, size_t count) {
    size_t place = 0;
    while (map_walk(&map, &place, portion, visit, NULL)) {
    }
    for (size_t i = 0; i < KEYS; i++) {
        assert_int_equal(items[i].visits, i < count);
        items[i].visits = 0;
    }
}

static void test_walk(void **state) {
    walk_and_check(1, 0);
    for (size_t count = 1; count < KEYS; count = count * 2 + 1) {
        setup(NULL);
        fill(count);
        walk_and_check(7, count);
        walk_and_check(SIZE_MAX, count);
        map_finish(&map);
    }
}

static void remove_it(void *ctx, struct map_node *node) {
    struct item *item = container_of(node, struct item, node);
    item->visits++;
    map_remove(&map, node);
}

// A portion, then `change` for one item after another, while the tables grow or shrink.
static void walk_while(void (*change)(struct item *), size_t from, size_t to) {
    size_t place = 0;
    while (map_walk(&map, &place, 3, visit, NULL)) {
        for (int i = 0; i < 5 && from < to; i++) {
            change(&items[from++]);
        }
    }
}

static void enter(struct item *item) {
    assert_int_equal(map_insert(&map, &item->node, hash_of(item->key * 3 + 1)), 0);
}

static void leave(struct item *item) {
    map_remove(&map, &item->node);
}

static void test_walk_while_it_grows(void **state) {
    for (size_t i = 0; i < 700; i++) {
        enter(&items[i]);
    }
    walk_while(enter, 700, KEYS);
    assert_true(map.count > 1400); // it has grown on the way
    for (size_t i = 0; i < 700; i++) {
        assert_int_equal(items[i].visits, 1);
    }
}

static void test_walk_while_it_shrinks(void **state) {
    for (size_t i = 0; i < KEYS; i++) {
        enter(&items[i]);
    }
    size_t before = map.now.size;
    walk_while(leave, 100, KEYS - 100);
    assert_true(map.now.size < before);
    for (size_t i = 0; i < 100; i++) {
        assert_true(items[i].visits >= 1 && items[KEYS - 1 - i].visits >= 1);
    }
}

// Neither a walk nor a look ends a resize that is under way: that would be the one call that pays.
static void test_walk_leaves_the_tables(void **state) {
    size_t count = 0;
    while (map.old.size < 1024) {
        enter(&items[count++]);
    }
    for (; map.moved < 512; count++) {
        enter(&items[count]);
    }
    size_t moved = map.moved;
    walk_and_check(5, count);
    assert_int_equal(map.moved, moved);
    assert_int_equal(map.old.size, 1024);
}

static void test_walk_that_removes(void **state) {
    size_t place = 0;
    fill(KEYS);
    assert_false(map_walk(&map, &place, SIZE_MAX, remove_it, NULL));
    assert_int_equal(map.count, 0);
    for (size_t i = 0; i < KEYS; i++) {
        assert_int_equal(items[i].visits, 1);
    }
}

static void test_no_memory(void **state) {
    mem.fail_at = 1;
    assert_int_equal(map_insert(&map, &items[0].node, 0), ERR_NOMEM);
    assert_int_equal(map.count, 0);
    for (size_t i = 0; i < 1000; i++) {
        mem.fail_at = i % 7 ? mem.calls + 1 : 0; // growing hardly ever succeeds
        if (i) {
            toggle(&items[i]);
            assert_int_equal(items[i].in, i > 6);
        }
    }
    for (size_t i = 0; i < 1000; i++) {
        assert_finds(i);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_as_flags),
        TEST(test_shrinks_with_what_it_holds),
        TEST(test_walk),
        TEST(test_walk_while_it_grows),
        TEST(test_walk_while_it_shrinks),
        TEST(test_walk_leaves_the_tables),
        TEST(test_walk_that_removes),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
