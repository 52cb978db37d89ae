// Building a frame. The id is not known until the sequencer's turn, and formatting a whole event
// under its lock would make every publisher wait; so the event is written beforehand with room in
// front, and sealing only writes the few bytes of the id line backwards into that room.
#include "hub/frame.h"

#include "base/error.h"
#include "freshet/writer.h"

enum { ID_LINE_ROOM = 4 + ID_TEXT_MAX + 1 }; // "id: ", the text, LF

static const char ID_FIELD[] = "id: ";
static const char TYPE_FIELD[] = "event: ";
static const char DATA_FIELD[] = "data:";

static size_t names_size(const struct topic_name *topics, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += topics[i].text.len;
    }
    return size;
}

static void copy_names(struct frame *frame, char *tail, const struct topic_name *topics) {
    uint32_t at = 0;
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct bytes text = topics[i].text;
        frame->topics[i] =
            (struct frame_topic){.hash = topics[i].hash, .at = at, .len = (uint32_t)text.len};
        memcpy(tail + at, text.at, text.len);
        at += (uint32_t)text.len;
    }
}

// The writer's field order is fixed (id, event, retry, data), so the parts are found by counting.
static void note_parts(struct frame *frame, const char *tail, const struct freshet_event *event) {
    uint32_t at = frame->start;
    if (event->id.at) {
        frame->own_id_at = at + (uint32_t)strlen(ID_FIELD);
        frame->own_id_len = (uint16_t)event->id.len;
        at = frame->own_id_at + frame->own_id_len + 1;
    }
    if (event->type.len) {
        frame->type_at = at + (uint32_t)strlen(TYPE_FIELD);
        frame->type_len = (uint16_t)event->type.len;
        at = frame->type_at + frame->type_len + 1;
    }
    if (event->retry >= 0) {
        at += (uint32_t)((const char *)memchr(tail + at, '\n', frame->size) - (tail + at)) + 1;
    }
    frame->data_at = at;
}

int frame_create(struct frame **out, const struct mem *mem, const struct topic_name *topics,
                 size_t topic_count, const struct freshet_event *event) {
    return frame_create_keyed(out, mem, topics, topic_count, event, bytes_make(NULL, 0));
}

int frame_create_keyed(struct frame **out, const struct mem *mem, const struct topic_name *topics,
                       size_t topic_count, const struct freshet_event *given, struct bytes key) {
    struct freshet_event event = *given;
    if (event.id.len == 0) {
        event.id.at = NULL; // a line for it would clear the listeners' cursors
    }
    int64_t size = freshet_event_size(&event);
    if (size < 0) {
        return size == FRESHET_ERR_NOMEM       ? ERR_NOMEM
               : size == FRESHET_ERR_TOO_LARGE ? ERR_TOO_LARGE
                                               : ERR_INVALID;
    }
    size_t names = names_size(topics, topic_count) + key.len;
    if (topic_count > FRAME_TOPICS_MAX || key.len > FRAME_KEY_MAX ||
        event.id.len > FRAME_FIELD_MAX || event.type.len > FRAME_FIELD_MAX ||
        (uint64_t)size > UINT32_MAX / 2) {
        return ERR_TOO_LARGE;
    }
    size_t tail = names + ID_LINE_ROOM + (size_t)size;
    struct frame *frame =
        mem_alloc(mem, sizeof(*frame) + topic_count * sizeof(frame->topics[0]) + tail);
    if (!frame) {
        return ERR_NOMEM;
    }
    *frame = (struct frame){
        .mem = mem, .topic_count = (uint16_t)topic_count, .key_len = (uint8_t)key.len};
    atomic_init(&frame->refs, 1);
    atomic_init(&frame->pins, 0);
    char *at = (char *)(frame->topics + topic_count);
    copy_names(frame, at, topics);
    if (key.len) {
        memcpy(at + names - key.len, key.at, key.len);
    }
    frame->start = (uint32_t)names + ID_LINE_ROOM;
    frame->size = (uint32_t)freshet_event_write(&event, at + frame->start);
    note_parts(frame, at, &event);
    *out = frame;
    return 0;
}

int frame_create_headed(struct frame **out, const struct mem *mem, struct bytes head,
                        struct bytes bytes) {
    struct frame *frame = mem_alloc(mem, sizeof(*frame) + head.len + bytes.len);
    if (!frame) {
        return ERR_NOMEM;
    }
    *frame = (struct frame){
        .mem = mem, .start = (uint32_t)head.len, .size = (uint32_t)bytes.len, .raw = true};
    atomic_init(&frame->refs, 1);
    atomic_init(&frame->pins, 0);
    char *tail = (char *)frame->topics;
    memcpy(tail, head.at, head.len);
    memcpy(tail + head.len, bytes.at, bytes.len);
    *out = frame;
    return 0;
}

int frame_create_raw(struct frame **out, const struct mem *mem, struct bytes bytes) {
    return frame_create_headed(out, mem, bytes_make("", 0), bytes);
}

void frame_seal(struct frame *frame, event_id id) {
    frame->id = id;
    if (frame->own_id_len) {
        return; // the line is there, in the publisher's words
    }
    char line[ID_LINE_ROOM];
    size_t len = sizeof(ID_FIELD) - 1;
    memcpy(line, ID_FIELD, len);
    len += id_format(id, line + len);
    line[len++] = '\n';
    frame->start -= (uint32_t)len;
    frame->size += (uint32_t)len;
    memcpy((char *)(frame->topics + frame->topic_count) + frame->start, line, len);
}

struct frame *frame_ref(struct frame *frame) {
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

void frame_unref(struct frame *frame) {
    // Release what this thread wrote; acquire what all others wrote, before the memory goes.
    if (frame && atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel) == 1) {
        mem_free(frame->mem, frame);
    }
}

struct topic_name frame_topic(const struct frame *frame, size_t place) {
    const struct frame_topic *topic = &frame->topics[place];
    return (struct topic_name){.text = bytes_make(frame_tail(frame) + topic->at, topic->len),
                               .hash = topic->hash};
}

struct bytes frame_key(const struct frame *frame) {
    if (frame->key_len == 0) {
        return bytes_make(NULL, 0);
    }
    const struct frame_topic *last = frame->topics + frame->topic_count - 1;
    size_t at = frame->topic_count ? last->at + last->len : 0;
    return bytes_make(frame_tail(frame) + at, frame->key_len);
}

struct bytes frame_own_id(const struct frame *frame) {
    return bytes_make(frame_tail(frame) + frame->own_id_at, frame->own_id_len);
}

struct bytes frame_type(const struct frame *frame) {
    return bytes_make(frame_tail(frame) + frame->type_at, frame->type_len);
}

// The line before the data, if it is of that field: no other that may stand there begins like it.
int64_t frame_retry(const struct frame *frame) {
    static const char field[] = "\nretry: ";
    const char *bytes = frame_tail(frame), *end = bytes + frame->data_at - 1;
    const char *line =
        frame->raw || frame->data_at <= frame->start
            ? NULL
            : memrchr(bytes + frame->start, '\n', (size_t)(end - bytes) - frame->start);
    size_t len = sizeof(field) - 1;
    uint64_t ms;
    if (!line || (size_t)(end - line) <= len || memcmp(line, field, len) != 0 ||
        !bytes_to_u64(bytes_make(line + len, (size_t)(end - line) - len), INT64_MAX, &ms)) {
        return -1;
    }
    return (int64_t)ms;
}

size_t frame_cost(const struct frame *frame) {
    return sizeof(*frame) + frame->topic_count * sizeof(frame->topics[0]) + frame->start +
           frame->size;
}

bool frame_next_line(const struct frame *frame, uint32_t *place, struct bytes *line) {
    const char *tail = frame_tail(frame);
    uint32_t end = frame->start + frame->size;
    uint32_t at = *place ? *place : frame->data_at;
    if (at >= end || tail[at] == '\n') {
        return false;
    }
    at += (uint32_t)strlen(DATA_FIELD);
    at += tail[at] == ' ';
    const char *stop = memchr(tail + at, '\n', end - at);
    *line = bytes_make(tail + at, (size_t)(stop - tail) - at);
    *place = (uint32_t)(stop - tail) + 1;
    return true;
}
