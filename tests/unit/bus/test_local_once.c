// The local sequencer and events that are published again.
#include "bus/bus.h"
#include "hub/fake_past.h"
#include "support.h"

#include <pthread.h>

#include "base/error.h"

enum { WINDOW = 1000, THREADS = 3, KEYS = 2000 };

static atomic_llong wall;

static int64_t now_ms(void *ctx) {
    return atomic_load(&wall);
}

static struct fake_past past;
static struct test_mem mem;
static struct bus *bus;

static void append(struct history *unused, struct frame *frame, int64_t now) {
    fake_past_append(&past, frame);
}

// What an earlier run has left.
static struct {
    struct once once;
    event_id id;
} stored[3];
static size_t stored_count;
static event_id asked_after;
static size_t asked_most;
static int recall_error;

static int recall(struct history *unused, event_id after, size_t most, history_recall *visit,
                  void *ctx) {
    asked_after = after;
    asked_most = most;
    for (size_t i = 0; i < stored_count && visit(ctx, &stored[i].once, stored[i].id); i++) {
    }
    return recall_error;
}

// The event that found no room to wait for the disk.
static event_id lost_id;

static bool lost(const struct history *unused, event_id id) {
    return id == lost_id;
}

static struct history history = {.append = append, .recall = recall, .lost = lost};

static int setup(void **state) {
    test_mem_init(&mem);
    fake_past_init(&past);
    atomic_store(&wall, 10000);
    stored_count = 0;
    recall_error = 0;
    lost_id = 0;
    return 0;
}

static int teardown(void **state) {
    bus_destroy(&bus);
    fake_past_finish(&past);
    test_mem_finish(&mem);
    return 0;
}

static struct bus_settings settings(uint32_t keys) {
    return (struct bus_settings){.mem = &mem.mem,
                                 .history = &history,
                                 .now_ms = now_ms,
                                 .once_window_ms = WINDOW,
                                 .once_keys = keys};
}

static void open_bus(uint32_t keys) {
    struct bus_settings s = settings(keys);
    assert_int_equal(bus_create(&bus, &s), 0);
}

static struct frame *make(uint64_t a, uint64_t b, const char *own_id) {
    struct topic_name name = {.text = bytes_of("t"), .hash = 1};
    struct freshet_event event = {.data = {.at = "x", .len = 1}, .retry = -1};
    event.id = (struct freshet_text){.at = own_id, .len = strlen(own_id)};
    struct frame *frame;
    assert_int_equal(frame_create(&frame, &mem.mem, &name, 1, &event), 0);
    frame->once = (struct once){.a = a, .b = b};
    return frame;
}

// The id that it has now; 0: it was refused.
static event_id publish(uint64_t a, uint64_t b, const char *own_id) {
    struct frame *frame = make(a, b, own_id);
    bus_publish(bus, &frame, 1);
    event_id id = frame->id;
    frame_unref(frame);
    return id;
}

static void test_a_repetition_gets_the_first_id(void **state) {
    open_bus(10);
    event_id first = publish(1, 1, ""), second = publish(2, 1, "");
    assert_true(first && second > first);
    assert_true(publish(1, 1, "") == first);
    assert_true(publish(2, 1, "") == second);
    assert_int_equal(past.count, 2);
    assert_true(bus_newest(bus) == second);
}

// Its publisher was told so, and the repetition is its cure.
static void test_what_was_lost_is_published_again(void **state) {
    open_bus(10);
    lost_id = publish(1, 1, "");
    event_id again = publish(1, 1, "");
    assert_true(again > lost_id);
    assert_true(publish(1, 1, "") == again);
    assert_int_equal(past.count, 2);
}

static void test_without_a_key(void **state) {
    open_bus(10);
    event_id first = publish(0, 0, "");
    assert_true(publish(0, 0, "") > first);
    assert_int_equal(past.count, 2);
}

static void test_another_content(void **state) {
    open_bus(10);
    event_id first = publish(1, 1, "");
    assert_true(publish(1, 2, "") == 0);
    assert_true(publish(1, 1, "") == first);
    assert_int_equal(past.count, 1);
}

// Only the same event as the last one with that id is a repetition.
static void test_another_content_with_an_id_of_its_own(void **state) {
    open_bus(10);
    event_id first = publish(1, 1, "door"), second = publish(1, 2, "door");
    assert_true(second > first);
    assert_true(publish(1, 2, "door") == second);
    assert_true(publish(1, 1, "door") > second);
    assert_int_equal(past.count, 3);
}

static void test_window(void **state) {
    open_bus(10);
    event_id first = publish(1, 1, "");
    atomic_store(&wall, 10000 + WINDOW);
    assert_true(publish(1, 1, "") == first);
    atomic_store(&wall, 10001 + WINDOW);
    event_id second = publish(1, 1, "");
    assert_true(second > first);
    assert_true(publish(1, 1, "") == second);
    assert_int_equal(past.count, 2);
}

static void test_outcome(void **state) {
    struct frame *frames[] = {make(0, 0, ""),  make(1, 1, ""), make(1, 1, ""), make(1, 2, ""),
                              make(2, 1, "o"), make(3, 1, ""), make(0, 0, "")};
    enum { COUNT = sizeof(frames) / sizeof(frames[0]) };
    size_t bytes =
        frames[0]->size + frames[1]->size + frames[4]->size + frames[5]->size + frames[6]->size;
    open_bus(2);
    struct bus_outcome outcome = bus_publish(bus, frames, COUNT);
    assert_int_equal(outcome.published, 5);
    assert_int_equal(outcome.bytes, bytes);
    assert_int_equal(outcome.repeated, 1);
    assert_int_equal(outcome.refused, 1);
    assert_int_equal(outcome.forgotten, 1);
    assert_true(frames[2]->id == frames[1]->id);
    assert_true(frames[3]->id == 0);
    assert_true(frames[6]->id == bus_newest(bus));
    assert_int_equal(past.count, 5);
    for (size_t i = 0; i < COUNT; i++) {
        frame_unref(frames[i]);
    }
}

static void test_recalled_from_history(void **state) {
    stored_count = 2;
    stored[0].once = (struct once){.a = 5, .b = 1};
    stored[0].id = id_from_ms(9500) + 2;
    stored[1].once = (struct once){.a = 4, .b = 1};
    stored[1].id = id_from_ms(9100);
    open_bus(10);
    assert_true(asked_after == id_from_ms(10000 - WINDOW));
    assert_int_equal(asked_most, 10);
    assert_true(publish(5, 1, "") == id_from_ms(9500) + 2);
    assert_true(publish(4, 1, "") == id_from_ms(9100));
    assert_true(publish(4, 2, "") == 0);
    assert_int_equal(past.count, 0);
    assert_true(publish(3, 1, "") >= id_from_ms(10000));
}

static void test_history_fails(void **state) {
    struct bus_settings s = settings(10);
    recall_error = ERR_SYSTEM;
    assert_int_equal(bus_create(&bus, &s), ERR_SYSTEM);
    assert_null(bus);
}

static void test_no_memory(void **state) {
    struct bus_settings s = settings(10);
    for (long call = 1; call <= 3; call++) {
        mem.calls = 0;
        mem.fail_at = call;
        assert_int_equal(bus_create(&bus, &s), ERR_NOMEM);
        assert_null(bus);
    }
}

static void *publish_all(void *arg) {
    event_id *ids = arg;
    for (uint64_t i = 0; i < KEYS; i++) {
        ids[i] = publish(i + 1, 1, "");
    }
    return NULL;
}

// Whoever comes first publishes, and all have the same answer.
static void test_threads(void **state) {
    static event_id ids[THREADS][KEYS];
    pthread_t threads[THREADS];
    open_bus(KEYS);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, publish_all, ids[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(past.count, KEYS);
    for (int i = 1; i < THREADS; i++) {
        assert_memory_equal(ids[i], ids[0], sizeof(ids[0]));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_repetition_gets_the_first_id),
        TEST(test_what_was_lost_is_published_again),
        TEST(test_without_a_key),
        TEST(test_another_content),
        TEST(test_another_content_with_an_id_of_its_own),
        TEST(test_window),
        TEST(test_outcome),
        TEST(test_recalled_from_history),
        TEST(test_history_fails),
        TEST(test_no_memory),
        TEST(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
