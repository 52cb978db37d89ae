// POST /events: one JSON object, an array of them, or one on each line. Values of `data` are passed
// on as the text that they are. A batch is answered item by item: one bad item stops no other.
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "http/negotiate.h"
#include "server/access.h"
#include "server/auth_hook.h"
#include "server/commit.h"
#include "server/publish.h"
#include "server/publish_item.h"
#include "server/worker.h"

enum { DEPTH_MAX = 64 };

static const char too_deep[] = "the JSON nests deeper than 64 levels";

struct batch {
    struct buf body;
    bool lines; // each line is an item, whatever the whole looks like
    bool private;
    struct publish_item *items;
    size_t count, room;
    uint64_t key;
    struct commit commit;
};

int publish_json_begin(struct exchange *exchange, const struct publish_target *target) {
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch) {
        return ERR_NOMEM;
    }
    exchange->state = batch;
    batch->key = target->key;
    batch->private = target->private;
    commit_init(&batch->commit, exchange);
    batch->lines = http_media_is_ndjson(target->content_type);
    buf_init(&batch->body, &mem_libc, exchange->worker->server->settings->max_body);
    return 0;
}

static int on_body(struct exchange *exchange, struct bytes piece) {
    struct batch *batch = exchange->state;
    return publish_keep(exchange, &batch->body, piece);
}

static int add_item(struct batch *batch, struct publish_item **item) {
    if (batch->count == batch->room) {
        size_t room = batch->room ? batch->room * 2 : 16;
        struct publish_item *items = realloc(batch->items, room * sizeof(*items));
        if (!items) {
            return ERR_NOMEM;
        }
        batch->items = items;
        batch->room = room;
    }
    *item = &batch->items[batch->count++];
    **item = (struct publish_item){0};
    return 0;
}

// The place that an exported event had means nothing here: it gets a new one.
static bool may_publish(struct exchange *exchange, const struct frame *frame) {
    for (size_t i = 0; i < frame->topic_count; i++) {
        struct bytes topic = frame_topic(frame, i).text;
        if (!access_allows(exchange, topic, RIGHT_PUBLISH) &&
            !auth_hook_note(exchange, topic, RIGHT_PUBLISH)) {
            return false;
        }
    }
    return true;
}

static void refuse_item(struct publish_item *item, int status, const char *problem) {
    frame_unref(item->frame);
    *item = (struct publish_item){.status = status, .problem = problem};
}

static void check_private(const struct exchange *exchange, struct publish_item *item) {
    const struct batch *batch = exchange->state;
    item->frame->private |= batch->private;
    if (item->frame->private && !access_keeps_private(exchange->worker->server)) {
        refuse_item(item, 400, access_private_problem);
    }
}

static int read_item(struct exchange *exchange, struct bytes value, struct publish_item *item) {
    struct worker *worker = exchange->worker;
    int rc = publish_item_read(&worker->item, &worker->server->hash_key, value, item);
    if (rc == 0 && item->frame) {
        check_private(exchange, item);
    }
    if (rc == 0 && item->frame && !may_publish(exchange, item->frame)) {
        refuse_item(item, exchange->identity ? 403 : 401,
                    !exchange->identity
                        ? "to publish this event, send a token in Authorization: Bearer"
                    : exchange->vouched
                        ? "the backend of this server does not let you publish to every topic of "
                          "this event"
                    : exchange->identity->by_key
                        ? "the API key does not let you publish to every topic of this event"
                        : "the token does not let you publish to every topic of this event");
    }
    if (rc == 0) {
        rates_refuse_item(exchange, item);
    }
    return rc;
}

static int read_lines(struct exchange *exchange, struct batch *batch) {
    struct bytes rest = buf_bytes(&batch->body);
    int rc = 0;
    while (rc == 0 && rest.len) {
        const char *end = memchr(rest.at, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.at) : rest.len;
        struct bytes line = bytes_trim(bytes_make(rest.at, len)), value;
        size_t used = end ? len + 1 : len;
        rest = bytes_make(rest.at + used, rest.len - used);
        if (line.len == 0 || (line.len == 1 && line.at[0] == '\r')) {
            continue;
        }
        struct publish_item *item;
        rc = add_item(batch, &item);
        int valid = rc ? 0 : json_validate(line, DEPTH_MAX, &value);
        if (valid) {
            item->problem = valid == ERR_TOO_LARGE ? too_deep : "the line is not valid JSON";
        } else if (rc == 0) {
            rc = read_item(exchange, value, item);
        }
    }
    return rc;
}

static int read_array(struct exchange *exchange, struct batch *batch, struct bytes array) {
    struct json_iter iter;
    struct bytes value;
    int rc = json_array_init(&iter, array);
    while (rc == 0 && json_array_next(&iter, &value) == 1) {
        struct publish_item *item;
        rc = add_item(batch, &item);
        rc = rc ? rc : read_item(exchange, value, item);
    }
    return rc;
}

// Groups, so that no other publisher waits for the whole batch.
static void publish_all(struct batch *batch) {
    struct frame *group[PUBLISH_GROUP];
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].frame) {
            publish_identify(batch->commit.exchange->worker, batch->items[i].frame, batch->key, i);
            group[count++] = batch->items[i].frame;
        }
        if (count == PUBLISH_GROUP || (i + 1 == batch->count && count)) {
            commit_publish(&batch->commit, group, count);
            count = 0;
        }
    }
}

static int append_answer(struct buf *out, const struct publish_item *item) {
    char text[PUBLISH_ID_MAX];
    bool reused = item->frame && publish_was_refused(item->frame);
    const char *problem = reused ? publish_key_problem : item->problem;
    struct bytes value = problem ? bytes_of(problem) : publish_id(item->frame, text);
    int rc = buf_append_text(out, problem ? "{\"error\":" : "{\"id\":");
    rc = rc ? rc : json_append_string(out, value);
    rc = rc || !problem ? rc
                        : buf_printf(out, ",\"status\":%d",
                                     reused         ? 422
                                     : item->status ? item->status
                                                    : 400);
    if (rc == 0 && item->retry_after) {
        rc = buf_printf(out, ",\"retry_after\":%d", item->retry_after);
    }
    return rc ? rc : buf_append_text(out, "}");
}

static int answer_list(struct exchange *exchange) {
    const struct batch *batch = exchange->state;
    struct buf *body = &exchange->worker->body;
    buf_clear(body);
    int rc = buf_append_text(body, "[");
    for (size_t i = 0; rc == 0 && i < batch->count; i++) {
        rc = i ? buf_append_text(body, ",") : 0;
        rc = rc ? rc : append_answer(body, &batch->items[i]);
    }
    rc = rc ? rc : buf_append_text(body, "]");
    if (rc == 0) {
        exchange_answer(exchange, 200, "application/json", buf_bytes(body));
    }
    return rc;
}

static int finish_list(struct exchange *exchange, struct batch *batch) {
    if (auth_hook_holds_end(exchange) || commit_refuse(exchange, 0)) {
        return 0;
    }
    publish_all(batch);
    buf_finish(&batch->body); // there may be many who wait
    return commit_answer(&batch->commit, answer_list);
}

static int answer_single(struct exchange *exchange) {
    const struct batch *batch = exchange->state;
    publish_answer_id(exchange, batch->items[0].frame);
    return 0;
}

static void answer_refused(struct exchange *exchange, const struct publish_item *item) {
    if (item->status == 401) {
        access_challenge(exchange, item->problem);
    } else if (item->retry_after) {
        rates_answer(exchange, item->retry_after, 0);
    } else {
        exchange_problem(exchange, item->status ? item->status : 400, "%s", item->problem);
    }
}

static int finish_single(struct exchange *exchange, struct batch *batch, struct bytes object) {
    struct publish_item *item;
    int rc = add_item(batch, &item);
    rc = rc ? rc : read_item(exchange, object, item);
    if (rc) {
        return rc;
    }
    if (item->problem) {
        answer_refused(exchange, item);
        return 0;
    }
    if (auth_hook_holds_end(exchange) || commit_refuse(exchange, 0)) {
        return 0;
    }
    publish_identify(exchange->worker, item->frame, batch->key, 0);
    commit_publish(&batch->commit, &item->frame, 1);
    return commit_answer(&batch->commit, answer_single);
}

static void drop_items(struct batch *batch) {
    while (batch->count) {
        frame_unref(batch->items[--batch->count].frame);
    }
}

static int on_end(struct exchange *exchange) {
    struct batch *batch = exchange->state;
    drop_items(
        batch); // of the time before, if it had to be found out whether they may be published
    struct bytes text = buf_bytes(&batch->body), value;
    int valid = json_validate(text, DEPTH_MAX, &value);
    bool whole = !batch->lines && valid == 0;
    if (whole && json_kind(value) == JSON_ARRAY) {
        int rc = read_array(exchange, batch, value);
        return rc ? rc : finish_list(exchange, batch);
    }
    if (whole) {
        return finish_single(exchange, batch, value);
    }
    // Lines, too, when nobody said so but the first of several is an object by itself.
    const char *end = text.len ? memchr(text.at, '\n', text.len) : NULL;
    bool looks_like_lines =
        end && json_validate(bytes_make(text.at, (size_t)(end - text.at)), DEPTH_MAX, &value) == 0;
    if (batch->lines || looks_like_lines) {
        int rc = read_lines(exchange, batch);
        return rc ? rc : finish_list(exchange, batch);
    }
    if (valid == ERR_TOO_LARGE) {
        exchange_problem(exchange, 400, "%s", too_deep);
        return 0;
    }
    exchange_problem(exchange, 400,
                     "the body is not valid JSON; send {\"topic\":…,\"data\":…}, an array of such "
                     "objects or one a line, or post plain data to /events/<topic>");
    return 0;
}

static void on_drop(struct exchange *exchange) {
    struct batch *batch = exchange->state;
    if (batch) {
        commit_leave(&batch->commit);
        drop_items(batch);
        free(batch->items);
        buf_finish(&batch->body);
        free(batch);
    }
}

const struct handler publish_json_handler = {
    .body = on_body, .end = on_end, .drop = on_drop, .finishes = true};
