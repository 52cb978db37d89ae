// A history under test with everything around it that has to be counted: the allocator, the key,
// the limits. Selections and topic lists are written as one string, names divided by spaces; a word
// `~type` among them is the event's type, or one that the selection lets through; `^key` is its key,
// and in a selection `+` says that only the newest of each key is wanted. `!` makes an event private,
// and all of a selection privy.
#ifndef TESTS_HISTORY_PAST_H
#define TESTS_HISTORY_PAST_H

#include "support.h"

#include "history/history.h"

// How to make a history of one kind.
struct backend {
    const char *name;
    int (*create)(struct history **out, const struct mem *mem, const struct hash_key *key,
                  const struct history_limits *limits);
    // For one that does things later: waits until it has. And what is left to clean up afterwards.
    void (*settle)(struct history *history);
    void (*clean)(void);
    uint64_t least_bytes; // the smallest budget that it keeps to
};

enum { NAMES_MAX = 256 };

struct fixture {
    struct test_mem mem;    // the history's
    struct test_mem frames; // apart, so that only the history's allocations are counted and fail
    struct hash_key key;
    const struct backend *backend;
    struct history *history;
};

static const struct history_limits AMPLE = {.topic.count = 1 << 20, .bytes = 1 << 30};

void fixture_init(struct fixture *fixture, const struct backend *backend,
                  const struct history_limits *limits);
// Destroys the history and asserts that nothing is left.
void fixture_finish(struct fixture *fixture);

// Waits until what was asked of the history is done. Every question below does so first.
void fixture_settle(const struct fixture *fixture);

// An event like those that publishers bring. own_id may be NULL.
struct frame *make_event(const struct fixture *fixture, event_id id, const char *topics,
                         const char *own_id, size_t data_size);
struct selection *select_names(const struct fixture *fixture, const char *names);
struct topic_name name_of(const struct fixture *fixture, const char *name);

// Appends an event of a few bytes, at the time of its id.
void append_event(struct fixture *fixture, event_id id, const char *topics);
void append_own(struct fixture *fixture, event_id id, const char *topics, const char *own_id);
void append_sized(struct fixture *fixture, event_id id, const char *topics, size_t size);

// Reads to the end in as many calls as it takes; asserts the order and the progress, and that the
// events are exactly `expected`, ids divided by spaces. Returns the highest floor it was told.
event_id assert_reads(struct fixture *fixture, const char *selection, event_id after, event_id upto,
                      const char *expected);
// The same of what is the newest of its key.
void assert_values(struct fixture *fixture, const char *selection, event_id after, event_id upto,
                   const char *expected);
event_id floor_of(struct fixture *fixture, const char *selection);
event_id last_of(struct fixture *fixture, const char *selection, size_t count, event_id upto);
// 0 when it is not found.
event_id find_own(struct fixture *fixture, const char *selection, const char *own_id);
struct history_stats stats_of(struct fixture *fixture);

#endif
