// The global order of what is held: every event once, ascending by id, however many topics hold it.
// It is kept in chunks, so that no call ever touches more than two of them.
// Not locked: the history around it is.
#ifndef HISTORY_MEMORY_LOG_H
#define HISTORY_MEMORY_LOG_H

#include "hub/frame.h"

enum { LOG_CHUNK = 256 };

// Three arrays and not one of structs: a search touches only the ids.
struct log_chunk {
    uint32_t first, end; // what is held is in [first, end): the ends are held, between may be holes
    uint32_t held;       // never 0
    event_id ids[LOG_CHUNK];         // of holes too, so that they can be searched
    struct frame *frames[LOG_CHUNK]; // NULL: a hole
    uint8_t holders[LOG_CHUNK];      // topics that still have the event; FRAME_TOPICS_MAX fits
};

struct log_slot {
    event_id from; // no id of the chunk is lower, none of the chunk before is as high
    struct log_chunk *chunk;
};

struct memory_log {
    const struct mem *mem;
    struct log_slot *slots; // [first, first + count)
    size_t first, count, cap;
    struct log_chunk *spare; // so that a push after a reserve cannot fail
    uint64_t events;
};

// Where an event stands; valid until the log changes.
struct log_place {
    size_t chunk;
    uint32_t at;
};

void memory_log_init(struct memory_log *log, const struct mem *mem);

// Gives back the frames that are left.
void memory_log_finish(struct memory_log *log);

// Room for one more event: 0 or ERR_NOMEM.
int memory_log_reserve(struct memory_log *log);

// The new last event, after a reserve: takes a reference. Its id is above all others.
void memory_log_push(struct memory_log *log, struct frame *frame, size_t holders);

// The oldest frame, NULL when there is none.
struct frame *memory_log_oldest(const struct memory_log *log);

// Takes the oldest event out and hands its reference to the caller; there must be one.
struct frame *memory_log_pop(struct memory_log *log);

// One holder fewer. When it was the last, the event leaves and its reference goes to the caller;
// otherwise NULL.
struct frame *memory_log_let_go(struct memory_log *log, event_id id);

// The first event above `after`; the end of the log when there is none.
struct log_place memory_log_seek(const struct memory_log *log, event_id after);

// The frame at the place, which then moves one on; NULL at the end.
struct frame *memory_log_next(const struct memory_log *log, struct log_place *place);

// The frame before the place, which then moves there; NULL at the beginning.
struct frame *memory_log_prev(const struct memory_log *log, struct log_place *place);

#endif
