// A frame: one event, encoded once. It holds the exact event-stream bytes that every listener gets,
// and beside them what a reader of other representations needs: the topics, and where the parts
// lie.
//
// Life: frame_create (one reference, the caller's) -> frame_seal (the sequencer gives it its id and
// writes the id line) -> shared between threads, immutable -> the last frame_unref frees it.
#ifndef HUB_FRAME_H
#define HUB_FRAME_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/mem.h"
#include "freshet/event.h"
#include "hub/id.h"
#include "hub/topic.h"

enum { FRAME_TOPICS_MAX = 64, FRAME_KEY_MAX = 255, FRAME_FIELD_MAX = UINT16_MAX };

// What tells one publish from another: hashes of the key that the publisher gave it, and of its
// content. {0, 0}: it has no key, and may be repeated.
struct once {
    uint64_t a, b;
};

static inline bool once_is_set(const struct once *once) {
    return once->a || once->b;
}

struct frame_topic {
    uint64_t hash;
    uint32_t at, len; // in the tail
};

struct frame {
    atomic_uint refs;
    atomic_uint pins; // listeners that have sent only a part of it
    const struct mem *mem;
    event_id id; // 0 until it is sealed, and for ever in a control frame
    struct once once;
    uint32_t start, size; // the event-stream bytes, in the tail
    uint32_t own_id_at;   // the publisher's id
    uint32_t type_at;
    uint32_t data_at; // the first `data` line
    uint32_t stamp; // when it was published: the low bits of some clock's microseconds; 0: unknown
    uint16_t own_id_len; // 0: it brought none
    uint16_t type_len, topic_count;
    bool raw : 1;                // not an event: the same bytes in every encoding
    bool private : 1;            // only for whom a token lets hear it; set before it is sealed
    uint8_t key_len;             // 0: it has no key
    struct frame_topic topics[]; // then the names, the key, room for an id line, the stream
};

// Encodes the event for these topics (control frames have none). The event's id is the publisher's
// own; absent or empty, it brought none. 0, ERR_NOMEM, ERR_TOO_LARGE, or ERR_INVALID for what the
// writer refuses. An id or a type longer than FRAME_FIELD_MAX is too large.
int frame_create(struct frame **out, const struct mem *mem, const struct topic_name *topics,
                 size_t topic_count, const struct freshet_event *event);

// The same with a key (of no bytes: none), of which later events with it are newer values. It is no
// part of the event-stream bytes. ERR_TOO_LARGE when it is longer than FRAME_KEY_MAX.
int frame_create_keyed(struct frame **out, const struct mem *mem, const struct topic_name *topics,
                       size_t topic_count, const struct freshet_event *event, struct bytes key);

// A frame of bytes that are no event (a heartbeat): 0 or ERR_NOMEM.
int frame_create_raw(struct frame **out, const struct mem *mem, struct bytes bytes);

// The same with something in front of the bytes, at the start of the tail, that is not sent.
int frame_create_headed(struct frame **out, const struct mem *mem, struct bytes head,
                        struct bytes bytes);

// Gives the frame its id, once, before anyone else can see it.
void frame_seal(struct frame *frame, event_id id);

// A reference more, a reference less. Any thread.
struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame);

static inline const char *frame_tail(const struct frame *frame) {
    return (const char *)(frame->topics + frame->topic_count);
}

// The event-stream bytes.
static inline struct bytes frame_bytes(const struct frame *frame) {
    return bytes_make(frame_tail(frame) + frame->start, frame->size);
}

struct topic_name frame_topic(const struct frame *frame, size_t place);
struct bytes frame_key(const struct frame *frame);
struct bytes frame_own_id(const struct frame *frame);
struct bytes frame_type(const struct frame *frame);

// The reconnection time that it brings, in milliseconds; -1: none.
int64_t frame_retry(const struct frame *frame);

// What it occupies, for the budgets.
size_t frame_cost(const struct frame *frame);

// Walks the lines of the data: start with *place = 0; false after the last. The lines, joined by
// LF, are the data.
bool frame_next_line(const struct frame *frame, uint32_t *place, struct bytes *line);

#endif
