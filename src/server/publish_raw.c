// POST /events/<topic>: the body is the data, byte for byte. The request needs no state of its own
// beyond the names in its head and the body.
#include <stdlib.h>

#include "base/error.h"
#include "server/commit.h"
#include "server/publish.h"
#include "server/worker.h"

struct raw {
    struct buf names; // topic, type, id and the event's key, one behind the other
    size_t topic_len, type_len, id_len, event_key_len;
    int64_t retry;
    bool private;
    uint64_t key;
    struct buf body;
    struct frame *frame; // once it is published
    struct commit commit;
};

int publish_raw_begin(struct exchange *exchange, const struct publish_target *target) {
    struct raw *raw = calloc(1, sizeof(*raw));
    if (!raw) {
        return ERR_NOMEM;
    }
    exchange->state = raw;
    commit_init(&raw->commit, exchange);
    raw->topic_len = target->topic.len;
    raw->type_len = target->type.len;
    raw->id_len = target->id.len;
    raw->event_key_len = target->event_key.len;
    raw->retry = target->retry;
    raw->private = target->private;
    raw->key = target->key;
    buf_init(&raw->names, &mem_libc, 0);
    buf_init(&raw->body, &mem_libc, exchange->worker->server->settings->max_body);
    int rc = buf_append(&raw->names, target->topic.at, target->topic.len);
    rc = rc ? rc : buf_append(&raw->names, target->type.at, target->type.len);
    rc = rc ? rc : buf_append(&raw->names, target->id.at, target->id.len);
    return rc ? rc : buf_append(&raw->names, target->event_key.at, target->event_key.len);
}

static int on_body(struct exchange *exchange, struct bytes piece) {
    struct raw *raw = exchange->state;
    return publish_keep(exchange, &raw->body, piece);
}

static int make_frame(struct worker *worker, struct raw *raw, const char **problem) {
    const char *names = raw->names.at;
    struct bytes topic = bytes_make(names, raw->topic_len);
    struct freshet_event event = {
        .type = {.at = names + raw->topic_len, .len = raw->type_len},
        .data = {.at = raw->body.len ? raw->body.at : "", .len = raw->body.len},
        .retry = raw->retry,
    };
    if (raw->id_len) {
        event.id =
            (struct freshet_text){.at = names + raw->topic_len + raw->type_len, .len = raw->id_len};
    }
    struct bytes event_key =
        bytes_make(names + raw->names.len - raw->event_key_len, raw->event_key_len);
    int rc = publish_keyed_frame(&worker->server->hash_key, &topic, 1, &event, event_key,
                                 &raw->frame, problem);
    if (rc == 0) {
        raw->frame->private = raw->private;
    }
    return rc;
}

static int answer(struct exchange *exchange) {
    const struct raw *raw = exchange->state;
    publish_answer_id(exchange, raw->frame);
    return 0;
}

static int on_end(struct exchange *exchange) {
    struct raw *raw = exchange->state;
    const char *problem;
    if (commit_refuse(exchange, 0)) {
        return 0;
    }
    int rc = make_frame(exchange->worker, raw, &problem);
    if (rc) {
        if (problem) {
            exchange_problem(exchange, 400, "%s", problem);
        }
        return rc;
    }
    if (rates_refuse(exchange, raw->frame)) {
        return 0;
    }
    publish_identify(exchange->worker, raw->frame, raw->key, 0);
    commit_publish(&raw->commit, &raw->frame, 1);
    buf_finish(&raw->body); // there may be many who wait
    return commit_answer(&raw->commit, answer);
}

static void on_drop(struct exchange *exchange) {
    struct raw *raw = exchange->state;
    if (raw) {
        commit_leave(&raw->commit);
        frame_unref(raw->frame);
        buf_finish(&raw->names);
        buf_finish(&raw->body);
        free(raw);
    }
}

const struct handler publish_raw_handler = {
    .body = on_body, .end = on_end, .drop = on_drop, .finishes = true};
