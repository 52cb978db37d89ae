// POST /events: reads the head and picks the form in which the body brings its events.
#include "base/error.h"
#include "http/negotiate.h"
#include "http/url.h"
#include "server/access.h"
#include "server/auth_hook.h"
#include "server/commit.h"
#include "server/publish.h"
#include "server/routes.h"
#include "server/wish.h"
#include "server/worker.h"

static bool take_retry(struct exchange *exchange, struct bytes value, int64_t *retry) {
    uint64_t ms;
    if (!bytes_to_u64(value, INT32_MAX, &ms)) {
        exchange_problem(exchange, 400,
                         "the query parameter `retry` takes a whole number of milliseconds");
        return false;
    }
    *retry = (int64_t)ms;
    return true;
}

static bool take_private(struct exchange *exchange, struct bytes value, bool *private) {
    *private = bytes_is(value, "1");
    if (!*private && !bytes_is(value, "0")) {
        exchange_problem(exchange, 400, "the query parameter `private` takes 1 or 0");
        return false;
    }
    if (*private && !access_keeps_private(exchange->worker->server)) {
        exchange_problem(exchange, 400, "%s", access_private_problem);
        return false;
    }
    return true;
}

static bool take_query(struct exchange *exchange, struct bytes query, struct buf *text,
                       struct publish_target *target) {
    struct http_query_iter iter;
    struct bytes name, value;
    int rc = http_query_init(&iter, query, text);
    while (rc == 0 && (rc = http_query_next(&iter, &name, &value)) == 1) {
        rc = 0;
        if (bytes_is(name, "event")) {
            target->type = value;
        } else if (bytes_is(name, "id")) {
            target->id = value;
        } else if (bytes_is(name, "key")) {
            target->event_key = value;
        } else if (bytes_is(name, "private")) {
            if (!take_private(exchange, value, &target->private)) {
                return false;
            }
        } else if (bytes_is(name, "retry") && !take_retry(exchange, value, &target->retry)) {
            return false;
        }
    }
    if (rc) {
        exchange_problem(exchange, rc == ERR_INVALID ? 400 : 503,
                         "the query could not be read; a %% in it is written %%25");
    }
    return rc == 0;
}

// curl -d calls what it sends a form, whatever it is; so JSON under that name is taken as JSON.
static bool is_json(struct bytes type) {
    struct bytes essence = http_media_essence(type);
    static const char suffix[] = "+json";
    size_t len = sizeof(suffix) - 1;
    return essence.len == 0 || http_media_is(type, "application/json") ||
           http_media_is(type, "application/x-www-form-urlencoded") || http_media_is_ndjson(type) ||
           (essence.len > len &&
            bytes_equal_nocase(bytes_make(essence.at + essence.len - len, len), bytes_of(suffix)));
}

static int begin_form(struct exchange *exchange, const struct http_request *req,
                      const struct publish_target *target) {
    bool stream = http_media_is(target->content_type, "text/event-stream");
    if (!target->topic.at && !is_json(target->content_type)) {
        exchange_problem(exchange, 415,
                         "POST /events takes application/json or application/x-ndjson; plain data "
                         "and event streams go to /events/<topic>");
        return 0;
    }
    if (target->topic.at && stream) {
        exchange->handler = &publish_stream_handler;
        return publish_stream_begin(exchange, target);
    }
    if (publish_refuse_length(exchange, req)) {
        return 0;
    }
    if (target->topic.at) {
        exchange->handler = &publish_raw_handler;
        return publish_raw_begin(exchange, target);
    }
    exchange->handler = &publish_json_handler;
    int rc = publish_json_begin(exchange, target);
    return rc ? rc : auth_hook_remember(exchange, req); // the topics come with the body
}

// What is wrong with the head is said before the body comes.
static bool check_target(struct exchange *exchange, const struct publish_target *target) {
    const char *problem = target->topic.at ? topic_problem(target->topic) : NULL;
    if (!problem && target->topic.at && topic_is_pattern(target->topic)) {
        problem = "events are published to topics, not to patterns; write the topic's whole name";
    }
    if (problem) {
        exchange_problem(exchange, 400, "%s", problem);
        return false;
    }
    return !target->topic.at || access_want(exchange, target->topic, RIGHT_PUBLISH);
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    struct publish_target target = {.retry = -1,
                                    .content_type = http_request_header(req, "content-type")};
    struct buf text;
    int rc = 0;
    buf_init(&text, &mem_libc, 0);
    // One buffer for all, with its room before the first slice is made.
    rc = buf_reserve(&text, req->path.len + req->query.len + 1);
    if (rc == 0 && wish_path_topic(exchange, req->path, &text, &target.topic) &&
        publish_take_key(exchange, req, &target.key) &&
        take_query(exchange, req->query, &text, &target) && check_target(exchange, &target) &&
        !auth_hook_holds_begin(exchange, req) && !commit_refuse(exchange, 0)) {
        rc = begin_form(exchange, req, &target);
    }
    buf_finish(&text);
    return rc;
}

static int no_body(struct exchange *exchange, struct bytes piece) {
    (void)exchange;
    (void)piece;
    return 0;
}

// Until the form is known; begin_form puts the form's own handler in its place.
const struct handler route_publish = {.begin = begin, .body = no_body};
