// The timer wheel: nothing early, nothing more than a tick late, nothing lost, whatever the
// callback does to others.
#include "support.h"

#include "base/random.h"
#include "base/wheel.h"

enum { TIMERS = 500, TICK = 100 };

struct timer {
    struct wheel_node node;
    int64_t due;
    int64_t from; // it cannot fire before this, however long it has been due
    int fired;
};

static struct wheel wheel;
static struct timer timers[TIMERS];
static struct random dice;
static int64_t now, before; // this advance and the one before
static int64_t again;       // arm again this far away

static int setup(void **state) {
    now = before = 1234567;
    again = 0;
    dice.state = 11;
    wheel_init(&wheel, TICK, now);
    for (int i = 0; i < TIMERS; i++) {
        wheel_node_init(&timers[i].node);
        timers[i].fired = 0;
    }
    return 0;
}

static void arm(struct timer *timer, int64_t due) {
    timer->due = due;
    timer->from = due > now ? due : now;
    wheel_arm(&wheel, &timer->node, due);
}

static void fire(void *ctx, struct wheel_node *node) {
    struct timer *timer = container_of(node, struct timer, node);
    assert_false(wheel_armed(node));
    assert_true(timer->due <= now);
    timer->fired++;
    if (again) {
        arm(timer, now + again);
    }
}

static void advance(int64_t by) {
    before = now;
    now += by;
    wheel_advance(&wheel, now, fire, NULL);
    for (int i = 0; i < TIMERS; i++) {
        // Who is armed either cannot fire yet or is within a tick of it.
        assert_true(!wheel_armed(&timers[i].node) || timers[i].from > now - TICK);
    }
}

static void test_never_early_never_late(void **state) {
    for (int i = 0; i < 20000; i++) {
        struct timer *timer = &timers[random_between(&dice, 0, TIMERS - 1)];
        arm(timer, now + random_between(&dice, -500, 60 * 1000));
        if (i % 10 == 0) {
            wheel_disarm(&timers[random_between(&dice, 0, TIMERS - 1)].node);
        }
        if (i % 3 == 0) {
            advance(random_between(&dice, 0, 300));
        }
    }
    advance(120 * 1000);
    for (int i = 0; i < TIMERS; i++) {
        assert_false(wheel_armed(&timers[i].node));
    }
}

static void test_after_a_long_stop(void **state) {
    for (int i = 0; i < TIMERS; i++) {
        arm(&timers[i], now + i * 1000);
    }
    advance(TIMERS * 1000LL * 10);
    for (int i = 0; i < TIMERS; i++) {
        assert_int_equal(timers[i].fired, 1);
    }
}

static void test_many_turns_away(void **state) {
    arm(&timers[0], now + 5LL * WHEEL_SLOTS * TICK + 50);
    for (int i = 0; i < 5 * WHEEL_SLOTS; i++) {
        advance(TICK);
        assert_int_equal(timers[0].fired, 0);
    }
    advance(2 * TICK);
    assert_int_equal(timers[0].fired, 1);
}

static void test_arms_itself_again(void **state) {
    again = TICK;
    arm(&timers[0], now + 1);
    for (int i = 0; i < 1000; i++) {
        advance(TICK);
    }
    assert_in_range(timers[0].fired, 499, 1000);
    again = (int64_t)WHEEL_SLOTS * TICK; // into the very slot that is swept
    advance(TICK * 3);
    int fired = timers[0].fired;
    advance(TICK);
    assert_int_equal(timers[0].fired, fired);
    wheel_disarm(&timers[0].node);
}

static void fire_and_disarm_next(void *ctx, struct wheel_node *node) {
    struct timer *timer = container_of(node, struct timer, node);
    timer->fired++;
    wheel_disarm(&timers[1].node);
    wheel_disarm(&timers[2].node);
}

static void test_takes_others_with_it(void **state) {
    for (int i = 0; i < 4; i++) {
        arm(&timers[i], now + 10);
    }
    wheel_advance(&wheel, now + 1000, fire_and_disarm_next, NULL);
    assert_int_equal(timers[0].fired, 1);
    assert_int_equal(timers[1].fired + timers[2].fired, 0);
    assert_int_equal(timers[3].fired, 1);
}

static void test_clock_goes_back(void **state) {
    arm(&timers[0], now + 500);
    wheel_advance(&wheel, now - 100000, fire, NULL);
    assert_int_equal(timers[0].fired, 0);
    advance(700);
    assert_int_equal(timers[0].fired, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_never_early_never_late), TEST(test_after_a_long_stop),
        TEST(test_many_turns_away),        TEST(test_arms_itself_again),
        TEST(test_takes_others_with_it),   TEST(test_clock_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
