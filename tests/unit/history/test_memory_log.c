// The log against an array that does the same without cleverness.
#include "past.h"

#include "base/random.h"
#include "history/memory_log.h"

enum { EVENTS_MAX = 20000 };

struct naive {
    event_id ids[EVENTS_MAX];
    uint8_t holders[EVENTS_MAX];
    size_t count;
};

static struct fixture fixture; // only to make frames with

static void push(struct memory_log *log, struct naive *naive, event_id id, size_t holders) {
    struct frame *frame = make_event(&fixture, id, "a", NULL, 1);
    assert_int_equal(memory_log_reserve(log), 0);
    memory_log_push(log, frame, holders);
    frame_unref(frame);
    naive->ids[naive->count] = id;
    naive->holders[naive->count++] = (uint8_t)holders;
}

static void let_go(struct memory_log *log, struct naive *naive, size_t place) {
    struct frame *frame = memory_log_let_go(log, naive->ids[place]);
    if (--naive->holders[place]) {
        assert_null(frame);
        return;
    }
    assert_int_equal(frame->id, naive->ids[place]);
    frame_unref(frame);
    naive->count--;
    memmove(naive->ids + place, naive->ids + place + 1,
            (naive->count - place) * sizeof(naive->ids[0]));
    memmove(naive->holders + place, naive->holders + place + 1, naive->count - place);
}

static void assert_same(const struct memory_log *log, const struct naive *naive) {
    struct log_place place = memory_log_seek(log, 0);
    assert_int_equal(log->events, naive->count);
    for (size_t i = 0; i < naive->count; i++) {
        assert_int_equal(memory_log_next(log, &place)->id, naive->ids[i]);
    }
    assert_null(memory_log_next(log, &place));
    for (size_t i = naive->count; i > 0; i--) {
        assert_int_equal(memory_log_prev(log, &place)->id, naive->ids[i - 1]);
    }
    assert_null(memory_log_prev(log, &place));
}

static void assert_seeks(const struct memory_log *log, const struct naive *naive, event_id after) {
    size_t above = 0;
    while (above < naive->count && naive->ids[above] <= after) {
        above++;
    }
    struct log_place place = memory_log_seek(log, after);
    struct log_place back = place;
    const struct frame *next = memory_log_next(log, &place);
    const struct frame *prev = memory_log_prev(log, &back);
    assert_int_equal(next ? next->id : 0, above < naive->count ? naive->ids[above] : 0);
    assert_int_equal(prev ? prev->id : 0, above ? naive->ids[above - 1] : 0);
}

// Neighbours that would fit in half a chunk have been merged, but for the last, which grows.
static void assert_dense(const struct memory_log *log) {
    for (size_t i = 0; i + 2 < log->count; i++) {
        const struct log_chunk *a = log->slots[log->first + i].chunk;
        const struct log_chunk *b = log->slots[log->first + i + 1].chunk;
        assert_true(a->held + b->held > LOG_CHUNK / 2);
    }
}

static void it_does_what_an_array_does(void **state) {
    static struct naive naive;
    struct test_mem mem;
    struct memory_log log;
    test_mem_init(&mem);
    test_mem_init(&fixture.frames);
    memory_log_init(&log, &mem.mem);
    struct random random = {.state = 42};
    event_id id = 0;
    for (int round = 0; round < 60; round++) {
        // Growing and shrinking in turn, from the front, from anywhere, from the end.
        size_t pushes = (size_t)random_between(&random, 0, 900);
        size_t drops = (size_t)random_between(&random, 0, 900);
        while (pushes-- && naive.count < EVENTS_MAX) {
            id += (event_id)random_between(&random, 1, 3);
            push(&log, &naive, id, (size_t)random_between(&random, 1, 3));
        }
        for (int from = round % 3; drops-- && naive.count;) {
            size_t last = naive.count - 1;
            let_go(&log, &naive,
                   from == 0   ? 0
                   : from == 1 ? (size_t)random_between(&random, 0, (int64_t)last)
                               : last);
        }
        assert_same(&log, &naive);
        assert_dense(&log);
        for (int i = 0; i < 50; i++) {
            assert_seeks(&log, &naive, (event_id)random_between(&random, 0, (int64_t)id + 2));
        }
    }
    memory_log_finish(&log);
    test_mem_finish(&mem);
    test_mem_finish(&fixture.frames);
}

static void popping_takes_the_oldest(void **state) {
    static struct naive naive;
    struct memory_log log;
    test_mem_init(&fixture.frames);
    memory_log_init(&log, &mem_libc);
    assert_null(memory_log_oldest(&log));
    for (event_id id = 1; id <= 1000; id++) {
        push(&log, &naive, id, 2);
    }
    for (event_id id = 1; id <= 1000; id++) {
        assert_int_equal(memory_log_oldest(&log)->id, id);
        struct frame *frame = memory_log_pop(&log);
        assert_int_equal(frame->id, id);
        frame_unref(frame);
    }
    assert_null(memory_log_oldest(&log));
    memory_log_finish(&log);
    test_mem_finish(&fixture.frames);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_does_what_an_array_does),
        cmocka_unit_test(popping_takes_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
