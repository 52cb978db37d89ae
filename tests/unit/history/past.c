// The few words in which the tests of history speak.
#include "past.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "freshet/event.h"

void fixture_init(struct fixture *fixture, const struct backend *backend,
                  const struct history_limits *limits) {
    test_mem_init(&fixture->mem);
    test_mem_init(&fixture->frames);
    fixture->key = (struct hash_key){.k0 = 1, .k1 = 2};
    fixture->backend = backend;
    assert_int_equal(backend->create(&fixture->history, &fixture->mem.mem, &fixture->key, limits),
                     0);
}

void fixture_finish(struct fixture *fixture) {
    history_destroy(&fixture->history);
    assert_null(fixture->history);
    if (fixture->backend->clean) {
        fixture->backend->clean();
    }
    test_mem_finish(&fixture->mem);
    test_mem_finish(&fixture->frames);
}

void fixture_settle(const struct fixture *fixture) {
    if (fixture->backend->settle) {
        fixture->backend->settle(fixture->history);
    }
}

// The words with this mark, or those with none.
static size_t split(const char *names, char mark, struct bytes *out) {
    size_t count = 0;
    while (*names) {
        size_t len = strcspn(names, " "), skip = mark != 0;
        assert_true(count < NAMES_MAX);
        if (mark ? *names == mark : !strchr("~^+!", *names)) {
            out[count++] = bytes_make(names + skip, len - skip);
        }
        names += len + (names[len] == ' ');
    }
    return count;
}

static size_t split_names(const char *names, struct bytes *out) {
    return split(names, 0, out);
}

struct topic_name name_of(const struct fixture *fixture, const char *name) {
    struct bytes text = bytes_of(name);
    return (struct topic_name){.text = text, .hash = hash_bytes(&fixture->key, text.at, text.len)};
}

struct frame *make_event(const struct fixture *fixture, event_id id, const char *topics,
                         const char *own_id, size_t data_size) {
    struct bytes texts[NAMES_MAX];
    struct topic_name names[NAMES_MAX];
    size_t count = split_names(topics, texts);
    for (size_t i = 0; i < count; i++) {
        names[i] = (struct topic_name){
            .text = texts[i],
            .hash = hash_bytes(&fixture->key, texts[i].at, texts[i].len),
        };
    }
    char *data = malloc(data_size + 1);
    assert_non_null(data);
    memset(data, 'x', data_size + 1);
    struct freshet_event event = FRESHET_EVENT_INIT;
    event.data.at = data;
    event.data.len = data_size;
    if (own_id) {
        event.id.at = own_id;
        event.id.len = strlen(own_id);
    }
    struct bytes types[NAMES_MAX];
    if (split(topics, '~', types)) {
        event.type = (struct freshet_text){.at = types[0].at, .len = types[0].len};
    }
    struct bytes keys[NAMES_MAX], key = {0};
    if (split(topics, '^', keys)) {
        key = keys[0];
    }
    struct frame *frame;
    assert_int_equal(frame_create_keyed(&frame, &fixture->frames.mem, names, count, &event, key),
                     0);
    frame->private = strchr(topics, '!') != NULL;
    frame_seal(frame, id);
    free(data);
    return frame;
}

struct selection *select_names(const struct fixture *fixture, const char *names) {
    struct bytes texts[NAMES_MAX], types[NAMES_MAX];
    struct selection *selection;
    size_t count = split_names(names, texts);
    struct selection_filter filter = {.types = types,
                                      .type_count = split(names, '~', types),
                                      .latest = strchr(names, '+') != NULL};
    assert_int_equal(
        selection_create_filtered(&selection, &mem_libc, &fixture->key, texts, count, &filter), 0);
    for (uint32_t i = 0; strchr(names, '!') && i < selection->count; i++) {
        selection_set_privy(selection, i);
    }
    return selection;
}

static void append_and_unref(struct fixture *fixture, struct frame *frame) {
    fixture->history->append(fixture->history, frame, id_to_ms(frame->id));
    frame_unref(frame);
}

void append_event(struct fixture *fixture, event_id id, const char *topics) {
    append_and_unref(fixture, make_event(fixture, id, topics, NULL, 5));
}

void append_own(struct fixture *fixture, event_id id, const char *topics, const char *own_id) {
    append_and_unref(fixture, make_event(fixture, id, topics, own_id, 5));
}

void append_sized(struct fixture *fixture, event_id id, const char *topics, size_t size) {
    append_and_unref(fixture, make_event(fixture, id, topics, NULL, size));
}

static void compare_batch(const struct past_batch *batch, const char **expected, event_id *before) {
    for (size_t i = 0; i < batch->count; i++) {
        char *rest;
        uint64_t id = strtoull(*expected, &rest, 10);
        assert_true(rest != *expected); // else there is an event more than expected
        assert_int_equal(batch->frames[i]->id, id);
        assert_true(batch->frames[i]->id > *before);
        *before = batch->frames[i]->id;
        *expected = rest;
    }
}

typedef int read_past(struct past *past, const struct selection *selection, event_id after,
                      event_id upto, size_t max_bytes, struct past_batch *batch);

static event_id assert_all(struct fixture *fixture, read_past *read, const char *names,
                           event_id after, event_id upto, const char *expected) {
    struct selection *selection = select_names(fixture, names);
    struct past *past = &fixture->history->past;
    struct past_batch batch;
    fixture_settle(fixture);
    event_id floor = 0, before = after;
    do {
        assert_int_equal(read(past, selection, after, upto, SIZE_MAX, &batch), 0);
        compare_batch(&batch, &expected, &before);
        floor = floor < batch.floor ? batch.floor : floor;
        assert_true(batch.reached >= before);
        assert_true(batch.reached > after || batch.reached >= upto);
        after = batch.reached;
        past_batch_release(&batch);
    } while (after < upto);
    assert_int_equal(strspn(expected, " "), strlen(expected)); // else an event is missing
    selection_destroy(&selection);
    return floor;
}

event_id assert_reads(struct fixture *fixture, const char *names, event_id after, event_id upto,
                      const char *expected) {
    return assert_all(fixture, fixture->history->past.read, names, after, upto, expected);
}

void assert_values(struct fixture *fixture, const char *names, event_id after, event_id upto,
                   const char *expected) {
    (void)assert_all(fixture, fixture->history->past.values, names, after, upto, expected);
}

event_id floor_of(struct fixture *fixture, const char *names) {
    struct selection *selection = select_names(fixture, names);
    struct past_batch batch;
    fixture_settle(fixture);
    fixture->history->past.read(&fixture->history->past, selection, UINT64_MAX, UINT64_MAX,
                                SIZE_MAX, &batch);
    assert_int_equal(batch.count, 0);
    selection_destroy(&selection);
    return batch.floor;
}

event_id last_of(struct fixture *fixture, const char *names, size_t count, event_id upto) {
    struct selection *selection = select_names(fixture, names);
    fixture_settle(fixture);
    event_id at = fixture->history->past.last(&fixture->history->past, selection, count, upto);
    selection_destroy(&selection);
    return at;
}

event_id find_own(struct fixture *fixture, const char *names, const char *own_id) {
    struct selection *selection = select_names(fixture, names);
    event_id at = 0;
    fixture_settle(fixture);
    int result =
        fixture->history->past.find(&fixture->history->past, selection, bytes_of(own_id), &at);
    selection_destroy(&selection);
    assert_true(result == 0 || at == 0);
    return at;
}

struct history_stats stats_of(struct fixture *fixture) {
    struct history_stats stats;
    fixture_settle(fixture);
    fixture->history->stats(fixture->history, &stats);
    return stats;
}
