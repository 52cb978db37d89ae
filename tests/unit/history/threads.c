// A history under threads: one appends and pushes out, others read behind it, look
// back, expire and walk. Each reader checks that every event that it should have heard was in a
// batch or below the floor that it was told. Meant for ThreadSanitizer, and true without it.
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { EVENTS = 20000, READERS = 3 };

// The topics of an event follow from its id, so that a reader knows what it should have heard.
static const char *const TOPICS[] = {"a", "b", "a b", "room/1", "room/2 a", "c", "b", "room/1 b"};
static const char *const HEARD[READERS] = {"a b", "room/*", "a"};

struct shared {
    struct fixture fixture;
    atomic_ullong newest;
    bool hears[READERS][8];
};

struct reader {
    struct shared *shared;
    int place;
    size_t missed, got;
    const char *wrong; // what a thread other than cmocka's may not assert
};

static void check(struct reader *reader, bool fine, const char *what) {
    if (!fine && !reader->wrong) {
        reader->wrong = what;
    }
}

static void check_batch(struct reader *reader, const struct past_batch *batch, event_id after) {
    size_t at = 0;
    for (event_id id = after + 1; id <= batch->reached; id++) {
        bool wanted = reader->shared->hears[reader->place][id % 8];
        if (at < batch->count && batch->frames[at]->id == id) {
            check(reader, wanted, "an event that was not asked for, or out of order");
            at++;
            reader->got++;
        } else if (wanted) {
            check(reader, id <= batch->floor, "an event is missing and no floor tells");
            reader->missed++;
        }
    }
    check(reader, at == batch->count, "events out of order or out of range");
}

static void *read_along(void *arg) {
    struct reader *reader = arg;
    struct shared *shared = reader->shared;
    struct past *past = &shared->fixture.history->past;
    struct selection *selection = select_names(&shared->fixture, HEARD[reader->place]);
    struct past_batch batch;
    for (event_id after = 0; after < EVENTS && !reader->wrong;) {
        event_id upto = atomic_load(&shared->newest);
        if (upto == after) {
            sched_yield();
            continue;
        }
        past->read(past, selection, after, upto, 4000, &batch);
        check(reader, batch.reached > after && batch.reached <= upto, "no progress");
        check_batch(reader, &batch, after);
        after = batch.reached;
        past_batch_release(&batch);
    }
    selection_destroy(&selection);
    return NULL;
}

static bool look_at(void *ctx, const struct history_topic *topic) {
    *(uint64_t *)ctx += topic->events;
    return true;
}

static void *look_around(void *arg) {
    struct shared *shared = arg;
    struct history *history = shared->fixture.history;
    struct selection *selection = select_names(&shared->fixture, "a room/*");
    for (event_id newest = 0; newest < EVENTS;) {
        struct history_stats stats;
        uint64_t events = 0;
        event_id at = 0;
        struct history_walk walk = {0};
        newest = atomic_load(&shared->newest);
        history->stats(history, &stats);
        while (history->topics(history, &walk, 4, look_at, &events)) {
        }
        history->expire(history, id_to_ms(newest));
        history->past.last(&history->past, selection, 10, newest);
        history->past.find(&history->past, selection, bytes_of("own"), &at);
    }
    selection_destroy(&selection);
    return NULL;
}

static void note_who_hears(struct shared *shared) {
    for (int reader = 0; reader < READERS; reader++) {
        struct selection *selection = select_names(&shared->fixture, HEARD[reader]);
        for (size_t i = 0; i < 8; i++) {
            struct frame *frame = make_event(&shared->fixture, 1, TOPICS[i], NULL, 1);
            shared->hears[reader][i] = selection_hears(selection, frame);
            frame_unref(frame);
        }
        selection_destroy(&selection);
    }
}

static void append_all(struct shared *shared) {
    for (event_id id = 1; id <= EVENTS; id++) {
        append_own(&shared->fixture, id, TOPICS[id % 8], id % 5 ? NULL : "own");
        atomic_store(&shared->newest, id);
    }
}

static void nothing_is_missed_untold(void **state) {
    static struct shared shared;
    static const struct history_limits limits = {
        .topic.count = 300, .bytes = 150000, .topic.age_ms = 1 << 30};
    struct reader readers[READERS] = {0};
    pthread_t threads[READERS + 1];
    memset(&shared, 0, sizeof(shared));
    fixture_init(&shared.fixture, *state, &limits);
    note_who_hears(&shared);
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.shared = &shared, .place = i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_along, &readers[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[READERS], NULL, look_around, &shared), 0);
    append_all(&shared);
    for (int i = 0; i < READERS + 1; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < READERS; i++) {
        if (readers[i].wrong) {
            fail_msg("%s: %s", HEARD[i], readers[i].wrong);
        }
        assert_true(readers[i].got > 0);
    }
    fixture_finish(&shared.fixture);
}

int threads_run(const struct backend *backend) {
    union {
        const struct backend *backend;
        void *state;
    } pass = {.backend = backend}; // cmocka's state is not const
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(nothing_is_missed_untold, pass.state),
    };
    return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}
