// The log's chunks. An event may leave from the middle (its topics have their own limits), and
// leaves a hole; two neighbours that together hold half a chunk become one without holes. So the
// memory follows what is held, even when one old event of a quiet topic outlives a million of a
// busy one. The alternative, one ring with tombstones, needs compactions that stall the sequencer
// for the whole of the log; closing each hole at once moves kilobytes of cold memory a drop.
#include "history/memory_log.h"

#include "base/error.h"

enum { CHUNKS_FIRST = 16 };

void memory_log_init(struct memory_log *log, const struct mem *mem) {
    *log = (struct memory_log){.mem = mem};
}

void memory_log_finish(struct memory_log *log) {
    while (log->events) {
        frame_unref(memory_log_pop(log));
    }
    mem_free(log->mem, log->spare);
    mem_free(log->mem, log->slots);
    memory_log_init(log, log->mem);
}

static struct log_chunk *chunk_at(const struct memory_log *log, size_t place) {
    return log->slots[log->first + place].chunk;
}

static bool has_room(const struct memory_log *log) {
    return log->count && chunk_at(log, log->count - 1)->end < LOG_CHUNK;
}

// A slot in the directory, so that linking a chunk cannot fail.
static int reserve_slot(struct memory_log *log) {
    if (log->first + log->count < log->cap) {
        return 0;
    }
    if (log->first > log->count) {
        memmove(log->slots, log->slots + log->first, log->count * sizeof(log->slots[0]));
        log->first = 0;
        return 0;
    }
    size_t cap = log->cap ? log->cap * 2 : CHUNKS_FIRST;
    struct log_slot *slots = mem_resize(log->mem, log->slots, cap * sizeof(slots[0]));
    if (!slots) {
        return ERR_NOMEM;
    }
    log->slots = slots;
    log->cap = cap;
    return 0;
}

int memory_log_reserve(struct memory_log *log) {
    if (has_room(log)) {
        return 0;
    }
    if (!log->spare) {
        log->spare = mem_alloc(log->mem, sizeof(*log->spare));
    }
    return log->spare ? reserve_slot(log) : ERR_NOMEM;
}

static void put(struct log_chunk *chunk, event_id id, struct frame *frame, uint8_t holders) {
    chunk->ids[chunk->end] = id;
    chunk->frames[chunk->end] = frame;
    chunk->holders[chunk->end] = holders;
    chunk->end++;
    chunk->held++;
}

void memory_log_push(struct memory_log *log, struct frame *frame, size_t holders) {
    if (!has_room(log)) {
        log->spare->first = log->spare->end = log->spare->held = 0;
        log->slots[log->first + log->count++] =
            (struct log_slot){.from = frame->id, .chunk = log->spare};
        log->spare = NULL;
    }
    put(chunk_at(log, log->count - 1), frame->id, frame_ref(frame), (uint8_t)holders);
    log->events++;
}

static void unlink_chunk(struct memory_log *log, size_t place) {
    struct log_chunk *chunk = chunk_at(log, place);
    if (place == 0) {
        log->first++;
    } else {
        struct log_slot *at = log->slots + log->first + place;
        memmove(at, at + 1, (log->count - place - 1) * sizeof(*at));
    }
    log->count--;
    if (log->spare) {
        mem_free(log->mem, chunk);
    } else {
        log->spare = chunk;
    }
}

// What is held in [first, end) of `from`, put after what `to` has; they may be the same chunk,
// which is then closed up.
static void put_held(struct log_chunk *to, const struct log_chunk *from, uint32_t first,
                     uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        if (from->frames[i]) {
            put(to, from->ids[i], from->frames[i], from->holders[i]);
        }
    }
}

// Half a chunk and not a whole one: a merge is then always paid for by the many appends or removals
// that have to come before the next.
static bool merge(struct memory_log *log, size_t place) {
    struct log_chunk *to = chunk_at(log, place), *from = chunk_at(log, place + 1);
    if (to->held + from->held > LOG_CHUNK / 2) {
        return false;
    }
    uint32_t first = to->first, end = to->end;
    to->first = to->end = to->held = 0;
    put_held(to, to, first, end);
    put_held(to, from, from->first, from->end);
    unlink_chunk(log, place + 1);
    return true;
}

static struct frame *take_out(struct log_chunk *chunk, uint32_t at) {
    struct frame *frame = chunk->frames[at];
    chunk->frames[at] = NULL;
    chunk->held--;
    while (chunk->first < chunk->end && !chunk->frames[chunk->first]) {
        chunk->first++;
    }
    while (chunk->first < chunk->end && !chunk->frames[chunk->end - 1]) {
        chunk->end--;
    }
    return frame;
}

static struct frame *remove_at(struct memory_log *log, struct log_place place) {
    struct log_chunk *chunk = chunk_at(log, place.chunk);
    struct frame *frame = take_out(chunk, place.at);
    log->events--;
    if (chunk->held == 0) {
        unlink_chunk(log, place.chunk);
    } else if (place.chunk + 1 == log->count || !merge(log, place.chunk)) {
        (void)(place.chunk && merge(log, place.chunk - 1));
    }
    return frame;
}

struct frame *memory_log_oldest(const struct memory_log *log) {
    return log->count ? chunk_at(log, 0)->frames[chunk_at(log, 0)->first] : NULL;
}

struct frame *memory_log_pop(struct memory_log *log) {
    return remove_at(log, (struct log_place){.chunk = 0, .at = chunk_at(log, 0)->first});
}

// The last chunk that may have ids up to `after`, the first one when none may. Only the directory
// is touched: the chunks themselves are cold.
static size_t seek_chunk(const struct memory_log *log, event_id after) {
    const struct log_slot *slots = log->slots + log->first;
    size_t low = 0, high = log->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (slots[middle].from > after) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

static uint32_t seek_in_chunk(const struct log_chunk *chunk, event_id after) {
    uint32_t low = chunk->first, high = chunk->end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (chunk->ids[middle] > after) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

struct frame *memory_log_let_go(struct memory_log *log, event_id id) {
    struct log_place place = {.chunk = seek_chunk(log, id)};
    struct log_chunk *chunk = chunk_at(log, place.chunk);
    place.at = seek_in_chunk(chunk, id - 1);
    return --chunk->holders[place.at] ? NULL : remove_at(log, place);
}

struct log_place memory_log_seek(const struct memory_log *log, event_id after) {
    struct log_place place = {0};
    if (log->count) {
        place.chunk = seek_chunk(log, after);
        place.at = seek_in_chunk(chunk_at(log, place.chunk), after);
    }
    return place;
}

struct frame *memory_log_next(const struct memory_log *log, struct log_place *place) {
    while (place->chunk < log->count) {
        const struct log_chunk *chunk = chunk_at(log, place->chunk);
        place->at = place->at < chunk->first ? chunk->first : place->at;
        while (place->at < chunk->end) {
            struct frame *frame = chunk->frames[place->at++];
            if (frame) {
                return frame;
            }
        }
        place->chunk++;
        place->at = 0;
    }
    return NULL;
}

struct frame *memory_log_prev(const struct memory_log *log, struct log_place *place) {
    while (log->count) {
        if (place->chunk == log->count || place->at <= chunk_at(log, place->chunk)->first) {
            if (place->chunk == 0) {
                return NULL;
            }
            place->chunk--;
            place->at = chunk_at(log, place->chunk)->end;
        }
        struct frame *frame = chunk_at(log, place->chunk)->frames[--place->at];
        if (frame) {
            return frame;
        }
    }
    return NULL;
}
