// The table of keys: what it knows, for how long, and what it forgets to make room.
#include "support.h"

#include "base/random.h"
#include "bus/once.h"

enum { WINDOW = 1000 };

static struct test_mem mem;
static struct once_table table;

static int setup(void **state) {
    test_mem_init(&mem);
    return 0;
}

static int teardown(void **state) {
    once_table_finish(&table);
    test_mem_finish(&mem);
    return 0;
}

static void open_table(uint32_t capacity) {
    assert_int_equal(once_table_init(&table, &mem.mem, capacity, WINDOW), 0);
}

static struct once key(uint64_t a) {
    return (struct once){.a = a, .b = a + 1};
}

static bool add(uint64_t a, int64_t ms) {
    struct once once = key(a);
    return once_table_add(&table, &once, id_from_ms(ms), ms);
}

static bool recall(uint64_t a, int64_t ms) {
    struct once once = key(a);
    return once_table_recall(&table, &once, id_from_ms(ms));
}

// The time of the event with this key; 0: it is not known.
static int64_t find(uint64_t a, int64_t now) {
    struct once once = key(a);
    const struct once_entry *entry = once_table_find(&table, &once, now);
    return entry ? id_to_ms(entry->id) : 0;
}

static void test_knows_what_was_added(void **state) {
    open_table(10);
    assert_int_equal(find(7, 100), 0);
    assert_false(add(7, 100));
    assert_false(add(8, 101));
    assert_int_equal(find(7, 102), 100);
    assert_int_equal(find(8, 102), 101);
    assert_int_equal(find(9, 102), 0);
}

static void test_gives_back_the_content(void **state) {
    struct once once = {.a = 1, .b = 2}, other = {.a = 1, .b = 3};
    open_table(10);
    once_table_add(&table, &once, 5, 0);
    assert_true(once_table_find(&table, &other, 0)->once.b == 2);
}

static void test_window(void **state) {
    open_table(10);
    add(7, 100);
    assert_int_equal(find(7, 100 + WINDOW), 100);
    assert_int_equal(find(7, 101 + WINDOW), 0);
    assert_int_equal(find(7, 50), 100); // the clock went back
    assert_false(add(7, 101 + WINDOW));
    assert_int_equal(find(7, 101 + WINDOW), 101 + WINDOW);
}

// What is too old makes room, a few at a time, and that is no loss.
static void test_old_keys_leave(void **state) {
    open_table(100);
    for (uint64_t a = 1; a <= 100; a++) {
        assert_false(add(a, 100));
    }
    for (uint64_t a = 101; a <= 110; a++) {
        assert_false(add(a, 5000));
    }
    assert_true(table.count < 100);
    for (uint64_t a = 111; a <= 150; a++) {
        assert_false(add(a, 5000));
    }
    assert_int_equal(table.count, 50);
    assert_int_equal(find(101, 5000), 5000);
}

static void test_the_oldest_makes_room(void **state) {
    open_table(3);
    for (uint64_t a = 1; a <= 3; a++) {
        assert_false(add(a, 10 + (int64_t)a));
    }
    assert_true(add(4, 20));
    assert_int_equal(find(1, 20), 0);
    assert_int_equal(find(2, 20), 12);
    assert_int_equal(find(4, 20), 20);
    assert_true(add(5, 21));
    assert_int_equal(find(2, 21), 0);
    assert_int_equal(find(3, 21), 13);
}

// The smallest table there is.
static void test_one_key(void **state) {
    open_table(1);
    assert_false(add(1, 10));
    assert_false(add(1, 11));
    assert_true(add(2, 12));
    assert_int_equal(find(1, 12), 0);
    assert_int_equal(find(2, 12), 12);
}

static void test_a_key_that_is_used_anew(void **state) {
    open_table(3);
    add(1, 10);
    add(2, 11);
    assert_false(add(1, 12));
    assert_int_equal(find(1, 12), 12);
    assert_false(add(3, 13)); // in the place of the first
    assert_int_equal(find(1, 13), 12);
    assert_int_equal(find(2, 13), 11);
    assert_true(add(4, 14));
    assert_int_equal(find(2, 14), 0);
}

static void test_recall(void **state) {
    open_table(3);
    assert_true(recall(5, 50));
    assert_true(recall(4, 40));
    assert_true(recall(5, 30)); // an older event of a key that was used anew
    assert_int_equal(find(5, 60), 50);
    assert_true(recall(3, 20));
    assert_false(recall(2, 10));
    assert_int_equal(find(3, 60), 20);
    assert_int_equal(find(2, 60), 0);
    assert_true(add(6, 60)); // the oldest leaves, as if it had been added first
    assert_int_equal(find(3, 60), 0);
    assert_int_equal(find(4, 60), 40);
    assert_int_equal(find(6, 60), 60);
}

static void test_off(void **state) {
    assert_int_equal(once_table_init(&table, &mem.mem, 100, 0), 0);
    assert_int_equal(mem.alive, 0);
    assert_false(add(1, 10));
    assert_false(recall(2, 10));
    assert_int_equal(find(1, 10), 0);
}

static void test_no_memory(void **state) {
    for (long call = 1; call <= 2; call++) {
        mem.calls = 0;
        mem.fail_at = call;
        assert_true(once_table_init(&table, &mem.mem, 100, WINDOW) < 0);
        assert_int_equal(mem.alive, 0);
    }
}

static void test_allocates_only_at_the_start(void **state) {
    open_table(50);
    long calls = mem.calls;
    for (uint64_t a = 0; a < 1000; a++) {
        add(a, (int64_t)a);
    }
    assert_int_equal(mem.calls, calls);
}

// Against a list that is searched from its end, with few keys so that they meet.
static void test_model(void **state) {
    enum { STEPS = 20000, KEYS = 40, CAPACITY = 16 };
    static int64_t last[KEYS + 1]; // when it was added; 0: never
    struct random dice = {.state = 7};
    int64_t now = 1;
    open_table(CAPACITY);
    for (int i = 0; i < STEPS; i++) {
        uint64_t a = (uint64_t)random_between(&dice, 1, KEYS);
        now += random_between(&dice, 1, 200);
        bool in_window = last[a] && now - last[a] <= WINDOW;
        int64_t found = find(a, now);
        // It may have had to go for another, but never says anything else.
        assert_true(found == 0 || (in_window && found == last[a]));
        if (found == 0) {
            add(a, now);
            last[a] = now;
        }
        assert_true(table.count <= CAPACITY);
        assert_int_equal(find(a, now), last[a]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_knows_what_was_added),
        TEST(test_gives_back_the_content),
        TEST(test_window),
        TEST(test_old_keys_leave),
        TEST(test_the_oldest_makes_room),
        TEST(test_one_key),
        TEST(test_a_key_that_is_used_anew),
        TEST(test_recall),
        TEST(test_off),
        TEST(test_no_memory),
        TEST(test_allocates_only_at_the_start),
        TEST(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
