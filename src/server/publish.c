// The rules for what publishers send, each with the sentence that a publisher reads when it breaks
// them.
#include "server/publish.h"

#include "base/error.h"
#include "base/json.h"
#include "server/worker.h"

static bool breaks_lines(struct freshet_text text) {
    return text.len && (memchr(text.at, '\r', text.len) || memchr(text.at, '\n', text.len) ||
                        memchr(text.at, '\0', text.len));
}

static bool is_utf8(struct freshet_text text) {
    return freshet_utf8_check(text) == text.len;
}

static struct bytes bytes_in(struct freshet_text text) {
    return bytes_make(text.at, text.len);
}

static const char *topics_problem(const struct bytes *topics, size_t count) {
    if (count == 0) {
        return "name a topic: in the path, or as `topic` or `topics`";
    }
    if (count > FRAME_TOPICS_MAX) {
        return "an event goes to at most 64 topics; publish it several times";
    }
    for (size_t i = 0; i < count; i++) {
        const char *problem = topic_problem(topics[i]);
        if (problem) {
            return problem;
        }
        if (topic_is_pattern(topics[i])) {
            return "events are published to topics, not to patterns; write the topic's whole name";
        }
    }
    return NULL;
}

static const char *id_problem(struct freshet_text id) {
    if (id.len > PUBLISH_ID_MAX) {
        return "an id has at most 256 bytes";
    }
    if (breaks_lines(id) || !is_utf8(id)) {
        return "an id is UTF-8 without CR, LF and NUL";
    }
    if (id_looks_like_one(bytes_in(id))) {
        return "ids of the form <digits>-<digits> are freshet's own; choose another form";
    }
    return NULL;
}

const char *publish_type_problem(struct freshet_text type) {
    if (type.len > PUBLISH_TYPE_MAX) {
        return "an event's type has at most 256 bytes";
    }
    if (breaks_lines(type) || !is_utf8(type)) {
        return "an event's type is UTF-8 without CR, LF and NUL";
    }
    if (bytes_starts_with(bytes_in(type), "freshet.")) {
        return "event types that begin with `freshet.` are freshet's own; choose another";
    }
    return NULL;
}

static const char *key_problem(struct bytes key) {
    struct freshet_text text = {.at = key.at, .len = key.len};
    if (key.len > FRAME_KEY_MAX) {
        return "an event's key has at most 255 bytes";
    }
    if (breaks_lines(text) || !is_utf8(text)) {
        return "an event's key is UTF-8 without CR, LF and NUL";
    }
    return NULL;
}

static const char *event_problem(const struct freshet_event *event) {
    const char *problem = id_problem(event->id);
    problem = problem ? problem : publish_type_problem(event->type);
    if (!problem && !is_utf8(event->data)) {
        problem = "the data is not valid UTF-8; send binary data as Base64";
    }
    return problem;
}

// An event is published once to a topic, however often it names it.
static size_t fill_topics(const struct hash_key *key, const struct bytes *topics, size_t count,
                          struct topic_name *out) {
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        size_t seen = 0;
        while (seen < filled && !bytes_equal(out[seen].text, topics[i])) {
            seen++;
        }
        if (seen == filled) {
            uint64_t hash = hash_bytes(key, topics[i].at, topics[i].len);
            out[filled++] = (struct topic_name){.text = topics[i], .hash = hash};
        }
    }
    return filled;
}

int publish_frame(const struct hash_key *key, const struct bytes *topics, size_t topic_count,
                  const struct freshet_event *event, struct frame **out, const char **problem) {
    return publish_keyed_frame(key, topics, topic_count, event, bytes_make(NULL, 0), out, problem);
}

int publish_keyed_frame(const struct hash_key *key, const struct bytes *topics, size_t topic_count,
                        const struct freshet_event *event, struct bytes event_key,
                        struct frame **out, const char **problem) {
    struct topic_name names[FRAME_TOPICS_MAX];
    *problem = topics_problem(topics, topic_count);
    *problem = *problem ? *problem : event_problem(event);
    *problem = *problem ? *problem : key_problem(event_key);
    if (*problem) {
        return ERR_INVALID;
    }
    size_t count = fill_topics(key, topics, topic_count, names);
    int rc = frame_create_keyed(out, &mem_libc, names, count, event, event_key);
    if (rc && rc != ERR_NOMEM) {
        *problem = "the event cannot be written as an event stream";
    }
    return rc;
}

struct bytes publish_id(const struct frame *frame, char *out) {
    struct bytes own = frame_own_id(frame);
    return own.len ? own : bytes_make(out, id_format(frame->id, out));
}

static void answer_too_large(struct exchange *exchange) {
    worker_limit_hit(exchange->worker, LIMIT_BODY);
    exchange_problem(exchange, 413,
                     "the body is larger than %llu bytes; send less at a time, stream it as "
                     "text/event-stream, or raise --max-body",
                     (unsigned long long)exchange->worker->server->settings->max_body);
}

bool publish_refuse_length(struct exchange *exchange, const struct http_request *req) {
    if (req->body == BODY_LENGTH &&
        req->content_length > exchange->worker->server->settings->max_body) {
        answer_too_large(exchange);
        return true;
    }
    return false;
}

int publish_keep(struct exchange *exchange, struct buf *body, struct bytes piece) {
    int rc = buf_append(body, piece.at, piece.len);
    if (rc == ERR_TOO_LARGE) {
        answer_too_large(exchange);
        return 0;
    }
    return rc;
}

void publish_answer_id(struct exchange *exchange, const struct frame *frame) {
    if (publish_was_refused(frame)) {
        exchange_problem(exchange, 422, "%s", publish_key_problem);
        return;
    }
    char text[PUBLISH_ID_MAX];
    struct buf *body = &exchange->worker->body;
    buf_clear(body);
    int rc = buf_append_text(body, "{\"id\":");
    rc = rc ? rc : json_append_string(body, publish_id(frame, text));
    rc = rc ? rc : buf_append_text(body, "}");
    if (rc) {
        exchange_refuse(exchange, rc);
    } else {
        exchange_answer(exchange, 200, "application/json", buf_bytes(body));
    }
}
