// Writing and reading records. The layout:
//
//     0  check (4)       of all that follows
//     4  stream size (4)
//     8  own id length (4), type's place (4), its length (4), data's place (4), in the stream
//    24  flags (1)       1: a key against repetition follows the topics; 2: the length of a key does;
//                        4: it is private
//    25  reserved (1)
//    26  topics (2)
//    28  each topic: hash (8), length (2)
//        the key against repetition (16), the length of the key (1), the names, the key, the stream
//
// The check is a keyed hash with a known key, cut to 32 bits: as good as a CRC against what disks
// do, it is here already, and needs neither tables nor a special instruction to be fast.
#include "hub/frame_record.h"

#include "base/error.h"

enum {
    HEAD = 28,
    TOPIC_SIZE = 10,
    ONCE_SIZE = 16,
    FLAG_ONCE = 1,
    FLAG_KEY = 2,
    FLAG_PRIVATE = 4,
    OWN_ID_AT = 4,
};

static const char DATA_FIELD[] = "data:";

static void put_number(char *at, uint64_t number, size_t size) {
    for (size_t i = 0; i < size; i++) {
        at[i] = (char)(number >> (8 * i));
    }
}

static uint64_t get_number(const char *at, size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number |= (uint64_t)(unsigned char)at[i] << (8 * i);
    }
    return number;
}

static uint32_t get_u32(const char *at) {
    return (uint32_t)get_number(at, 4);
}

static uint32_t check_of(struct bytes bytes) {
    static const struct hash_key known = {0, 0};
    return (uint32_t)hash_bytes(&known, bytes.at, bytes.len);
}

static bool has_once(const struct frame *frame) {
    return frame->once.a || frame->once.b;
}

static size_t names_size(const struct frame *frame) {
    size_t size = 0;
    for (uint16_t i = 0; i < frame->topic_count; i++) {
        size += frame->topics[i].len;
    }
    return size;
}

size_t frame_record_size(const struct frame *frame) {
    return HEAD + (size_t)frame->topic_count * TOPIC_SIZE + (has_once(frame) ? ONCE_SIZE : 0) +
           (frame->key_len ? 1U + frame->key_len : 0) + names_size(frame) + frame->size;
}

static char *write_topics(const struct frame *frame, char *at) {
    for (uint16_t i = 0; i < frame->topic_count; i++, at += TOPIC_SIZE) {
        put_number(at, frame->topics[i].hash, 8);
        put_number(at + 8, frame->topics[i].len, 2);
    }
    if (has_once(frame)) {
        put_number(at, frame->once.a, 8);
        put_number(at + 8, frame->once.b, 8);
        at += ONCE_SIZE;
    }
    if (frame->key_len) {
        *at++ = (char)frame->key_len;
    }
    for (uint16_t i = 0; i < frame->topic_count; i++) {
        struct bytes name = frame_topic(frame, i).text;
        memcpy(at, name.at, name.len);
        at += name.len;
    }
    if (frame->key_len) {
        memcpy(at, frame_key(frame).at, frame->key_len);
    }
    return at + frame->key_len;
}

void frame_record_write(const struct frame *frame, char *out) {
    put_number(out + 4, frame->size, 4);
    put_number(out + 8, frame->own_id_len, 4);
    put_number(out + 12, frame->type_len ? frame->type_at - frame->start : 0, 4);
    put_number(out + 16, frame->type_len, 4);
    put_number(out + 20, frame->data_at - frame->start, 4);
    out[24] = (char)((has_once(frame) ? FLAG_ONCE : 0) | (frame->key_len ? FLAG_KEY : 0) |
                     (frame->private ? FLAG_PRIVATE : 0));
    out[25] = 0;
    put_number(out + 26, frame->topic_count, 2);
    char *at = write_topics(frame, out + HEAD);
    struct bytes stream = frame_bytes(frame);
    memcpy(at, stream.at, stream.len);
    put_number(out, check_of(bytes_make(out + 4, (size_t)(at + stream.len - out) - 4)), 4);
}

static bool lies_in(uint32_t at, uint32_t len, size_t size) {
    return at <= size && len <= size - at;
}

// Lines of data, each ended, then an empty one and nothing more: what frame_next_line walks.
static bool data_is_whole(struct bytes stream, uint32_t at) {
    static const size_t field = sizeof(DATA_FIELD) - 1;
    while (at < stream.len && stream.at[at] != '\n') {
        if (stream.len - at < field || memcmp(stream.at + at, DATA_FIELD, field) != 0) {
            return false;
        }
        const char *end = memchr(stream.at + at, '\n', stream.len - at);
        if (!end) {
            return false;
        }
        at = (uint32_t)(end - stream.at) + 1;
    }
    return at + 1 == stream.len;
}

static int open_names(struct frame_record *record, struct bytes rest, size_t stream_size) {
    size_t names = 0;
    for (uint16_t i = 0; i < record->topic_count; i++) {
        size_t len = get_number(record->topics + (size_t)i * TOPIC_SIZE + 8, 2);
        if (len == 0 || len > TOPIC_NAME_MAX) {
            return ERR_INVALID;
        }
        names += len;
    }
    size_t before = names + record->key.len;
    if (rest.len < before || rest.len - before != stream_size) {
        return ERR_INVALID;
    }
    record->names = bytes_make(rest.at, names);
    record->key.at = rest.at + names;
    record->stream = bytes_make(rest.at + before, stream_size);
    return 0;
}

static int check_parts(const struct frame_record *record) {
    size_t size = record->stream.len;
    bool fine = record->own_id_len <= FRAME_FIELD_MAX && record->type_len <= FRAME_FIELD_MAX &&
                (record->own_id_len == 0 || lies_in(OWN_ID_AT, record->own_id_len, size)) &&
                lies_in(record->type_at, record->type_len, size) && size <= UINT32_MAX / 2 &&
                data_is_whole(record->stream, record->data_at);
    return fine ? 0 : ERR_INVALID;
}

int frame_record_open(struct frame_record *record, struct bytes bytes) {
    const char *at = bytes.at;
    if (bytes.len < HEAD || (at[24] & ~(FLAG_ONCE | FLAG_KEY | FLAG_PRIVATE)) || at[25]) {
        return ERR_INVALID;
    }
    *record = (struct frame_record){
        .own_id_len = get_u32(at + 8),
        .type_at = get_u32(at + 12),
        .type_len = get_u32(at + 16),
        .data_at = get_u32(at + 20),
        .topic_count = (uint16_t)get_number(at + 26, 2),
        .private = at[24] & FLAG_PRIVATE,
        .check = get_u32(at),
        .topics = at + HEAD,
        .checked = bytes_make(at + 4, bytes.len - 4),
    };
    size_t head = HEAD + (size_t)record->topic_count * TOPIC_SIZE;
    size_t once = at[24] & FLAG_ONCE ? ONCE_SIZE : 0, key = at[24] & FLAG_KEY ? 1 : 0;
    if (record->topic_count > FRAME_TOPICS_MAX || bytes.len < head + once + key) {
        return ERR_INVALID;
    }
    if (once) {
        record->once.a = get_number(at + head, 8);
        record->once.b = get_number(at + head + 8, 8);
    }
    head += once;
    record->key.len = key ? (unsigned char)at[head] : 0;
    head += key;
    int rc = open_names(record, bytes_make(at + head, bytes.len - head), get_u32(at + 4));
    return rc ? rc : check_parts(record);
}

bool frame_record_intact(const struct frame_record *record) {
    return record->check == check_of(record->checked);
}

bool frame_record_next_topic(const struct frame_record *record, struct frame_record_topics *walk,
                             struct topic_name *topic) {
    if (walk->place == record->topic_count) {
        return false;
    }
    const char *entry = record->topics + (size_t)walk->place++ * TOPIC_SIZE;
    topic->hash = get_number(entry, 8);
    topic->text = bytes_make(record->names.at + walk->at, get_number(entry + 8, 2));
    walk->at += (uint32_t)topic->text.len;
    return true;
}

struct bytes frame_record_own_id(const struct frame_record *record) {
    return record->own_id_len ? bytes_make(record->stream.at + OWN_ID_AT, record->own_id_len)
                              : bytes_make(NULL, 0);
}

struct bytes frame_record_type(const struct frame_record *record) {
    return record->type_len ? bytes_make(record->stream.at + record->type_at, record->type_len)
                            : bytes_make(NULL, 0);
}

static void set_topics(const struct frame_record *record, struct frame *frame) {
    struct frame_record_topics walk = {0};
    struct topic_name topic;
    for (uint32_t at = 0; frame_record_next_topic(record, &walk, &topic); at = walk.at) {
        frame->topics[walk.place - 1] =
            (struct frame_topic){.hash = topic.hash, .at = at, .len = (uint32_t)topic.text.len};
    }
}

int frame_record_frame(const struct frame_record *record, const struct mem *mem, event_id id,
                       struct frame **out) {
    uint32_t start = (uint32_t)(record->names.len + record->key.len);
    size_t tail = start + record->stream.len;
    struct frame *frame =
        mem_alloc(mem, sizeof(*frame) + record->topic_count * sizeof(frame->topics[0]) + tail);
    if (!frame) {
        return ERR_NOMEM;
    }
    *frame = (struct frame){
        .mem = mem,
        .id = id,
        .once = record->once,
        .start = start,
        .size = (uint32_t)record->stream.len,
        .own_id_at = record->own_id_len ? start + OWN_ID_AT : 0,
        .own_id_len = (uint16_t)record->own_id_len,
        .type_at = record->type_len ? start + record->type_at : 0,
        .type_len = (uint16_t)record->type_len,
        .data_at = start + record->data_at,
        .topic_count = record->topic_count,
        .private = record->private,
        .key_len = (uint8_t)record->key.len,
    };
    atomic_init(&frame->refs, 1);
    atomic_init(&frame->pins, 0);
    set_topics(record, frame);
    // The names, the key and the stream lie side by side in both.
    memcpy((char *)(frame->topics + record->topic_count), record->names.at, tail);
    *out = frame;
    return 0;
}
