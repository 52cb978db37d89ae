// The inbox: order, what happens when it is full, and that nobody sleeps through a frame.
#include "hub/fake.h"

#include <pthread.h>

#include "hub/inbox.h"

static struct fake_hub fake; // for its frames
static struct inbox inbox;
static event_id next;

static int setup(void **state) {
    fake_hub_init(&fake);
    fake_hub_open(&fake);
    next = 0;
    return 0;
}

static int teardown(void **state) {
    inbox_finish(&inbox);
    fake_hub_finish(&fake);
    return 0;
}

static void open_inbox(size_t size, size_t max_bytes) {
    assert_int_equal(inbox_init(&inbox, &fake.mem.mem, size, max_bytes), 0);
}

static bool push(const char *data) {
    struct frame *frame = fake_frame(&fake, "t", data);
    frame_seal(frame, ++next);
    bool wake = inbox_push(&inbox, frame);
    frame_unref(frame);
    return wake;
}

static event_id pop(event_id *lost) {
    struct frame *frame = inbox_pop(&inbox, lost);
    event_id id = frame ? frame->id : 0;
    frame_unref(frame);
    return id;
}

static void assert_pops(event_id id) {
    event_id lost;
    assert_int_equal(pop(&lost), id);
    assert_int_equal(lost, 0);
}

static void assert_lost(event_id upto) {
    event_id lost;
    assert_int_equal(pop(&lost), 0);
    assert_int_equal(lost, upto);
}

static void test_order(void **state) {
    open_inbox(4, 1 << 20);
    assert_pops(0);
    for (event_id i = 0; i < 10; i++) {
        push("a");
        push("b");
        assert_pops(2 * i + 1);
        assert_pops(2 * i + 2);
        assert_pops(0);
    }
}

static void test_full_by_count(void **state) {
    open_inbox(4, 1 << 20);
    for (int i = 0; i < 7; i++) {
        push("x");
    }
    for (event_id i = 1; i <= 4; i++) {
        assert_pops(i);
    }
    assert_lost(7);
    assert_pops(0); // told once
    push("x");
    assert_pops(8);
}

static void test_full_by_bytes(void **state) {
    struct frame *frame = fake_frame(&fake, "t", "x");
    open_inbox(64, 2 * frame_cost(frame));
    frame_unref(frame);
    push("x");
    push("x");
    push("x");
    assert_pops(1);
    assert_pops(2);
    assert_lost(3);
    push("x");
    assert_pops(4);
}

static void test_a_frame_larger_than_everything(void **state) {
    open_inbox(64, 1);
    push("alone, it is let in");
    push("and nothing after it");
    assert_pops(1);
    assert_lost(2);
}

static void test_overflow_while_reading(void **state) {
    open_inbox(2, 1 << 20);
    push("1");
    push("2");
    push("3 is lost");
    assert_pops(1);
    push("4 has room, but would overtake the loss");
    assert_pops(2);
    assert_lost(4);
    push("5");
    assert_pops(5);
    assert_pops(0);
}

static void test_sleep_and_wake(void **state) {
    open_inbox(2, 1 << 20);
    assert_false(push("it is awake"));
    assert_false(inbox_sleep(&inbox)); // something is there
    assert_false(push("so it is still awake"));
    assert_pops(1);
    assert_pops(2);
    assert_true(inbox_sleep(&inbox));
    assert_true(push("woken"));
    assert_false(push("once"));
    push("lost");
    assert_pops(3);
    assert_pops(4);
    assert_false(inbox_sleep(&inbox)); // a loss is news too
    assert_lost(5);
    assert_true(inbox_sleep(&inbox));
    inbox_awake(&inbox);
    assert_false(push("by itself"));
}

static void test_finish_gives_back(void **state) {
    open_inbox(4, 1 << 20);
    for (int i = 0; i < 10; i++) {
        push("x");
    }
}

static void test_no_memory(void **state) {
    fake.mem.fail_at = fake.mem.calls + 1;
    assert_true(inbox_init(&inbox, &fake.mem.mem, 4, 1) < 0);
}

// Two threads. The reader waits in earnest, so a wake-up that is lost hangs the test.
enum { FRAMES = 200000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell = PTHREAD_COND_INITIALIZER;
static bool rung;

static void ring_bell(void) {
    pthread_mutex_lock(&lock);
    rung = true;
    pthread_cond_signal(&bell);
    pthread_mutex_unlock(&lock);
}

static void wait_for_bell(void) {
    pthread_mutex_lock(&lock);
    while (!rung) {
        pthread_cond_wait(&bell, &lock);
    }
    rung = false;
    pthread_mutex_unlock(&lock);
}

static void *write_all(void *arg) {
    for (int i = 0; i < FRAMES; i++) {
        if (push("x")) {
            ring_bell();
        }
    }
    return NULL;
}

// Every id comes, in order, or lies in a loss that is told between its neighbours.
static void read_all(size_t *got) {
    for (event_id seen = 0; seen < FRAMES;) {
        event_id lost, id = pop(&lost);
        if (id) {
            assert_int_equal(id, seen + 1);
            seen = id;
            *got += 1;
        } else if (lost) {
            assert_true(lost > seen);
            seen = lost;
        } else if (inbox_sleep(&inbox)) {
            wait_for_bell();
            inbox_awake(&inbox);
        }
    }
}

static void run_threads(size_t size, size_t *got) {
    pthread_t writer;
    open_inbox(size, 1 << 30);
    assert_int_equal(pthread_create(&writer, NULL, write_all, NULL), 0);
    read_all(got);
    pthread_join(writer, NULL);
}

static void test_threads(void **state) {
    size_t got = 0;
    run_threads(1 << 18, &got);
    assert_int_equal(got, FRAMES);
}

static void test_threads_with_overflow(void **state) {
    size_t got = 0;
    run_threads(4, &got);
    assert_true(got > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_order),
        TEST(test_full_by_count),
        TEST(test_full_by_bytes),
        TEST(test_a_frame_larger_than_everything),
        TEST(test_overflow_while_reading),
        TEST(test_sleep_and_wake),
        TEST(test_finish_gives_back),
        TEST(test_no_memory),
        TEST(test_threads),
        TEST(test_threads_with_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
