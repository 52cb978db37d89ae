// The members of an event object. Unknown ones are refused: a publisher that misspells `event`
// should hear of it.
#include "server/publish_item.h"

#include "base/error.h"
#include "base/json.h"
#include "server/publish.h"

// What the members said. Texts are decoded into one buffer and found again by place and length,
// because the buffer may move while it grows.
struct span {
    size_t at, len;
    bool given;
};

enum member { TOPIC, TOPICS, DATA, EVENT, ID, KEY, RETRY, PRIVATE, AT, MEMBER_COUNT };

static const char *const member_names[MEMBER_COUNT] = {
    [TOPIC] = "topic", [TOPICS] = "topics", [DATA] = "data",       [EVENT] = "event", [ID] = "id",
    [KEY] = "key",     [RETRY] = "retry",   [PRIVATE] = "private", [AT] = "at",
};

struct fields {
    struct buf *text;
    bool seen[MEMBER_COUNT];
    struct span topics[FRAME_TOPICS_MAX];
    size_t topic_count;
    struct span data, type, id, key;
    int64_t retry;
    event_id at;
    bool private;
    const char *problem;
};

static int put_string(struct fields *f, struct bytes value, struct span *span) {
    size_t at = f->text->len;
    int rc = json_string_decode(value, f->text);
    *span = (struct span){.at = at, .len = f->text->len - at, .given = true};
    return rc == ERR_INVALID ? 0 : rc;
}

static int read_text(struct fields *f, struct bytes value, struct span *span, const char *problem) {
    enum json_kind kind = json_kind(value);
    if (kind == JSON_NULL) {
        return 0;
    }
    if (kind != JSON_STRING) {
        f->problem = problem;
        return 0;
    }
    return put_string(f, value, span);
}

static int read_topic(struct fields *f, struct bytes value) {
    if (json_kind(value) != JSON_STRING) {
        f->problem = "`topic` is a string, `topics` an array of strings";
        return 0;
    }
    if (f->topic_count == FRAME_TOPICS_MAX) {
        f->problem = "an event goes to at most 64 topics; publish it several times";
        return 0;
    }
    return put_string(f, value, &f->topics[f->topic_count++]);
}

static int read_topics(struct fields *f, struct bytes value) {
    struct json_iter iter;
    struct bytes element;
    if (json_array_init(&iter, value)) {
        f->problem = "`topic` is a string, `topics` an array of strings";
        return 0;
    }
    int rc = 0;
    while (rc == 0 && !f->problem && json_array_next(&iter, &element) == 1) {
        rc = read_topic(f, element);
    }
    return rc;
}

static int read_data(struct fields *f, struct bytes value) {
    if (json_kind(value) == JSON_STRING) {
        return put_string(f, value, &f->data);
    }
    size_t at = f->text->len;
    int rc = json_compact(value, f->text);
    f->data = (struct span){.at = at, .len = f->text->len - at, .given = true};
    return rc;
}

static int read_retry(struct fields *f, struct bytes value) {
    uint64_t ms;
    if (json_kind(value) == JSON_NULL) {
        return 0;
    }
    if (!bytes_to_u64(value, INT32_MAX, &ms)) {
        f->problem = "`retry` is a whole number of milliseconds";
        return 0;
    }
    f->retry = (int64_t)ms;
    return 0;
}

static void read_private(struct fields *f, struct bytes value) {
    enum json_kind kind = json_kind(value);
    if (kind != JSON_BOOL && kind != JSON_NULL) {
        f->problem = "`private` is true or false";
    }
    f->private = bytes_is(value, "true");
}

static int read_at(struct fields *f, struct bytes value) {
    struct span span = {0};
    int rc = read_text(f, value, &span, "");
    struct bytes text = bytes_make(f->text->at ? f->text->at + span.at : "", span.len);
    if (rc == 0 && json_kind(value) != JSON_NULL && (!span.given || !id_parse(text, &f->at))) {
        f->problem = "`at` is the place that an event had, as an export tells it: "
                     "\"<milliseconds>-<counter>\"";
    }
    return rc;
}

static enum member member_of(struct bytes key) {
    int member = 0;
    while (member < MEMBER_COUNT && !bytes_is(key, member_names[member])) {
        member++;
    }
    return (enum member)member;
}

static int read_member(struct fields *f, struct bytes key, struct bytes value) {
    enum member member = member_of(key);
    if (member == MEMBER_COUNT) {
        f->problem =
            "an event has the members topic or topics, data, event, id, key, retry, private and "
            "at, no others";
        return 0;
    }
    if (f->seen[member]) {
        f->problem = "a member comes twice";
        return 0;
    }
    f->seen[member] = true;
    switch (member) {
    case TOPIC:
        return read_topic(f, value);
    case TOPICS:
        return read_topics(f, value);
    case DATA:
        return read_data(f, value);
    case EVENT:
        return read_text(f, value, &f->type, "`event` is a string");
    case ID:
        return read_text(f, value, &f->id, "`id` is a string");
    case KEY:
        return read_text(f, value, &f->key, "`key` is a string");
    case PRIVATE:
        read_private(f, value);
        return 0;
    case AT:
        return read_at(f, value);
    default:
        return read_retry(f, value);
    }
}

static int read_members(struct fields *f, struct bytes object, struct buf *key) {
    struct json_iter iter;
    struct bytes value;
    if (json_object_init(&iter, object)) {
        f->problem = "an event is a JSON object: {\"topic\":…,\"data\":…}";
        return 0;
    }
    int rc = 0;
    while (rc == 0 && !f->problem) {
        int more = json_object_next(&iter, key, &value);
        if (more <= 0) {
            return more;
        }
        rc = read_member(f, buf_bytes(key), value);
    }
    return rc;
}

static struct freshet_text text_at(const struct fields *f, struct span span) {
    struct freshet_text none = {0};
    return span.given ? (struct freshet_text){.at = f->text->at ? f->text->at + span.at : "",
                                              .len = span.len}
                      : none;
}

static int make_frame(const struct hash_key *key, const struct fields *f,
                      struct publish_item *item) {
    struct bytes topics[FRAME_TOPICS_MAX];
    for (size_t i = 0; i < f->topic_count; i++) {
        topics[i] = bytes_make(f->text->at + f->topics[i].at, f->topics[i].len);
    }
    struct freshet_event event = {
        .type = text_at(f, f->type), .data = text_at(f, f->data), .retry = f->retry};
    if (f->id.len) {
        event.id = text_at(f, f->id);
    }
    if (!f->data.given) {
        item->problem = "an event needs `data`";
        return 0;
    }
    item->at = f->at;
    struct bytes event_key =
        f->key.len ? bytes_make(f->text->at + f->key.at, f->key.len) : bytes_make(NULL, 0);
    int rc = publish_keyed_frame(key, topics, f->topic_count, &event, event_key, &item->frame,
                                 &item->problem);
    if (rc == 0) {
        item->frame->private = f->private;
    }
    return rc == ERR_NOMEM ? rc : 0;
}

int publish_item_read(struct buf *text, const struct hash_key *key, struct bytes value,
                      struct publish_item *item) {
    struct fields fields = {.text = text, .retry = -1};
    struct buf name;
    buf_clear(text);
    buf_init(&name, &mem_libc, 0);
    int rc = read_members(&fields, value, &name);
    buf_finish(&name);
    if (rc == 0 && fields.problem) {
        item->problem = fields.problem;
        return 0;
    }
    return rc ? rc : make_frame(key, &fields, item);
}
