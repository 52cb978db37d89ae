// The local sequencer: ids whatever the clock does, and the whole way of an event with real
// threads: publishers, bus, inboxes, hubs, connections.
#include "bus/bus.h"
#include "hub/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"

enum { PUBLISHERS = 3, WORKERS = 3, EVENTS = 4000, SUBS = 20 };

static atomic_llong wall = 1000;

static int64_t now_ms(void *ctx) {
    return atomic_load(&wall);
}

struct worker {
    struct fake_hub fake;
    struct inbox inbox;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool rung;
    unsigned number, losses;
    struct fake_sub subs[SUBS];
};

static struct fake_past past; // of all

static void append(struct history *unused, struct frame *frame, int64_t now) {
    fake_past_append(&past, frame);
}

static struct history history = {.append = append};
static struct test_mem mem;
static struct bus *bus;
static struct worker workers[WORKERS];
static size_t inbox_size;
static atomic_int publishing; // threads that still do
static event_id last;         // once none does

static int setup(void **state) {
    test_mem_init(&mem);
    fake_past_init(&past);
    atomic_store(&wall, 1000);
    return 0;
}

static int teardown(void **state) {
    bus_destroy(&bus);
    assert_null(bus);
    fake_past_finish(&past);
    test_mem_finish(&mem);
    return 0;
}

static void open_bus(event_id floor) {
    struct bus_settings settings = {
        .mem = &mem.mem, .history = &history, .now_ms = now_ms, .floor = floor};
    assert_int_equal(bus_create(&bus, &settings), 0);
}

static struct frame *make(const char *topic, const char *data) {
    struct topic_name name = fake_name(topic);
    struct freshet_event event = {.data = {.at = data, .len = strlen(data)}, .retry = -1};
    struct frame *frame;
    assert_int_equal(frame_create(&frame, &mem.mem, &name, 1, &event), 0);
    return frame;
}

static event_id publish(const char *topic, const char *data) {
    struct frame *frame = make(topic, data);
    bus_publish(bus, &frame, 1);
    frame_unref(frame);
    return bus_newest(bus);
}

static void test_ids_follow_the_clock(void **state) {
    open_bus(0);
    assert_true(publish("t", "x") == id_from_ms(1000));
    assert_true(publish("t", "x") == id_from_ms(1000) + 1);
    atomic_store(&wall, 1001);
    assert_true(publish("t", "x") == id_from_ms(1001));
    atomic_store(&wall, 500); // back
    assert_true(publish("t", "x") == id_from_ms(1001) + 1);
    atomic_store(&wall, -5);
    assert_true(publish("t", "x") == id_from_ms(1001) + 2);
    atomic_store(&wall, 2000);
    assert_true(publish("t", "x") == id_from_ms(2000));
    assert_int_equal(past.count, 6);
}

static void test_ids_stay_above_the_floor(void **state) {
    open_bus(id_from_ms(5000) + 7);
    assert_true(bus_newest(bus) == id_from_ms(5000) + 7);
    assert_true(publish("t", "x") == id_from_ms(5000) + 8);
}

static void test_a_millisecond_overflows(void **state) {
    open_bus(id_from_ms(1000) + ((1 << ID_COUNTER_BITS) - 2));
    assert_true(publish("t", "x") == id_from_ms(1001) - 1);
    assert_true(publish("t", "x") == id_from_ms(1001));
    atomic_store(&wall, 1001);
    assert_true(publish("t", "x") == id_from_ms(1001) + 1);
}

static void test_a_batch_is_one_behind_the_other(void **state) {
    struct frame *frames[] = {make("t", "a"), make("t", "b"), make("t", "c")};
    open_bus(0);
    bus_publish(bus, frames, 3);
    bus_publish(bus, frames, 0);
    assert_int_equal(past.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(past.frames[i], frames[i]);
        assert_true(frames[i]->id == id_from_ms(1000) + i);
        frame_unref(frames[i]);
    }
}

static void test_no_memory(void **state) {
    struct bus_settings settings = {.mem = &mem.mem, .history = &history, .now_ms = now_ms};
    mem.fail_at = 1;
    assert_true(bus_create(&bus, &settings) < 0);
    assert_null(bus);
}

static void count_wake(void *ctx) {
    *(int *)ctx += 1;
}

static void test_wakes_who_sleeps_and_once(void **state) {
    struct inbox inbox;
    int wakes = 0;
    struct bus_port port = {.inbox = &inbox, .wake = count_wake, .ctx = &wakes};
    assert_int_equal(inbox_init(&inbox, &mem.mem, 16, 1 << 20), 0);
    open_bus(7);
    assert_int_equal(bus_connect(bus, &port), 7);
    assert_true(inbox_sleep(&inbox));
    publish("t", "x");
    assert_int_equal(wakes, 1);
    publish("t", "x");
    assert_int_equal(wakes, 1);
    inbox_finish(&inbox);
}

static void wake(void *ctx) {
    struct worker *worker = ctx;
    pthread_mutex_lock(&worker->lock);
    worker->rung = true;
    pthread_cond_signal(&worker->bell);
    pthread_mutex_unlock(&worker->lock);
}

static void wait_for_bell(struct worker *worker) {
    pthread_mutex_lock(&worker->lock);
    while (!worker->rung) {
        pthread_cond_wait(&worker->bell, &worker->lock);
    }
    worker->rung = false;
    pthread_mutex_unlock(&worker->lock);
}

static void drain_inbox(struct worker *worker) {
    event_id lost;
    struct frame *frame;
    while ((frame = inbox_pop(&worker->inbox, &lost))) {
        hub_take(&worker->fake.hub, frame);
        frame_unref(frame);
    }
    if (lost) {
        hub_lose(&worker->fake.hub, lost);
        worker->losses++;
    }
}

// Sockets that fill up and drain at random.
static void jostle(struct worker *worker, struct random *dice) {
    struct fake_sub *sub = &worker->subs[random_between(dice, 0, SUBS - 1)];
    sub->per_send = (size_t)random_between(dice, 0, 2000);
    hub_writable(&sub->s);
}

static void join_all(struct worker *worker) {
    static const char *const topics[] = {"a", "a b", "b c", "*", "c/** a", "**"};
    for (size_t i = 0; i < SUBS; i++) {
        struct hub_start start = {.after = i % 2 ? 1 : worker->fake.hub.heard};
        fake_sub_init(&worker->subs[i], &worker->fake);
        assert_int_equal(
            fake_join_at(&worker->subs[i], topics[i % 6], (enum encoding)(i % 3), &start), 0);
    }
}

static void settle(struct worker *worker) {
    drain_inbox(worker);
    drain_inbox(worker); // what came behind a loss
    for (size_t i = 0; i < SUBS; i++) {
        worker->subs[i].per_send = SIZE_MAX;
        hub_writable(&worker->subs[i].s);
    }
    fake_flush(&worker->fake);
}

static void *work(void *arg) {
    struct worker *worker = arg;
    struct random dice = {.state = worker->number};
    join_all(worker);
    while (atomic_load(&publishing)) {
        drain_inbox(worker);
        jostle(worker, &dice);
        bool more = hub_flush(&worker->fake.hub, 50);
        if (!more && inbox_sleep(&worker->inbox)) {
            wait_for_bell(worker);
            inbox_awake(&worker->inbox);
        }
    }
    settle(worker);
    return NULL;
}

static void *publish_many(void *arg) {
    static const char *const topics[] = {"a", "b", "c/d", "nobody's/own"};
    struct random dice = {.state = *(unsigned *)arg};
    for (unsigned i = 0; i < EVENTS;) {
        struct frame *frames[5];
        size_t count = (size_t)random_between(&dice, 1, 5);
        for (size_t f = 0; f < count; f++, i++) {
            char data[64];
            snprintf(data, sizeof(data), "%u of %u", i, *(unsigned *)arg);
            frames[f] = make(topics[random_between(&dice, 0, 3)], data);
        }
        atomic_fetch_add(&wall, random_between(&dice, -3, 4));
        bus_publish(bus, frames, count);
        for (size_t f = 0; f < count; f++) {
            frame_unref(frames[f]);
        }
    }
    atomic_fetch_sub(&publishing, 1);
    return NULL;
}

// One budget for all hubs, as in the server: who pins a frame first may not be who lets go of it last.
static atomic_size_t pinned;

static void start_worker(struct worker *worker, unsigned number) {
    fake_hub_init(&worker->fake);
    worker->number = number;
    worker->losses = 0;
    worker->rung = false;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->bell, NULL);
    worker->fake.settings.past = &past.past;
    worker->fake.settings.pinned = &pinned;
    worker->fake.settings.window_bytes = 10000;
    assert_int_equal(inbox_init(&worker->inbox, &worker->fake.mem.mem, inbox_size, 1 << 20), 0);
    struct bus_port port = {.inbox = &worker->inbox, .wake = wake, .ctx = worker};
    worker->fake.newest = bus_connect(bus, &port);
    fake_hub_open(&worker->fake);
}

// The verdict is taken against what was published, which the shared past has.
static void finish_worker(struct worker *worker) {
    struct fake_past own = worker->fake.past;
    worker->fake.past = past;
    for (size_t i = 0; i < SUBS; i++) {
        struct verdict verdict = verify_all(&worker->subs[i]);
        assert_int_equal(verdict.gaps, 0);
        assert_true(verdict.events > 0);
    }
    worker->fake.past = own;
    for (size_t i = 0; i < SUBS; i++) {
        fake_sub_finish(&worker->subs[i]);
    }
    assert_int_equal(worker->fake.hub.heard, last);
    inbox_finish(&worker->inbox);
    fake_hub_finish(&worker->fake);
    pthread_mutex_destroy(&worker->lock);
    pthread_cond_destroy(&worker->bell);
}

static void run_threads(void) {
    pthread_t publishers[PUBLISHERS];
    unsigned seeds[PUBLISHERS];
    atomic_store(&publishing, PUBLISHERS);
    open_bus(0);
    for (unsigned i = 0; i < WORKERS; i++) {
        start_worker(&workers[i], i + 1);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        seeds[i] = i + 10;
        pthread_create(&publishers[i], NULL, publish_many, &seeds[i]);
    }
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        pthread_join(publishers[i], NULL);
    }
    last = bus_newest(bus);
    for (unsigned i = 0; i < WORKERS; i++) {
        wake(&workers[i]); // to see that it is over
        pthread_join(workers[i].thread, NULL);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        finish_worker(&workers[i]);
    }
    assert_int_equal(atomic_load(&pinned), 0);
}

static void assert_ids_rise(void) {
    for (size_t i = 1; i < past.count; i++) {
        assert_true(past.frames[i]->id > past.frames[i - 1]->id);
    }
}

static void test_threads(void **state) {
    inbox_size = 1 << 16;
    run_threads();
    assert_true(past.count >= PUBLISHERS * EVENTS);
    assert_ids_rise();
}

// Inboxes that hold next to nothing: almost everything comes from the past, and still in order.
static void test_threads_with_overflow(void **state) {
    inbox_size = 4;
    run_threads();
    assert_true(workers[0].losses + workers[1].losses + workers[2].losses > 0);
    assert_ids_rise();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_ids_follow_the_clock),
        TEST(test_ids_stay_above_the_floor),
        TEST(test_a_millisecond_overflows),
        TEST(test_a_batch_is_one_behind_the_other),
        TEST(test_no_memory),
        TEST(test_wakes_who_sleeps_and_once),
        TEST(test_threads),
        TEST(test_threads_with_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
