// Reading a subscription's request. The header beats the query, because a browser that reconnects
// sends the header with the newer cursor to the old URL.
#include "server/wish.h"

#include <stdlib.h>

#include "base/error.h"
#include "http/time.h"
#include "http/url.h"
#include "server/access.h"
#include "server/compression.h"
#include "server/publish.h"
#include "server/worker.h"

static const char PREFIX[] = "/events/";

static const struct settings *settings_of(const struct exchange *exchange) {
    return exchange->worker->server->settings;
}

static bool refuse(struct exchange *exchange, const char *name, const char *accepts) {
    exchange_problem(exchange, 400, "the query parameter `%s` takes %s", name, accepts);
    return false;
}

bool wish_path_topic(struct exchange *exchange, struct bytes path, struct buf *into,
                     struct bytes *topic) {
    *topic = bytes_make(NULL, 0);
    if (!bytes_starts_with(path, PREFIX)) {
        return true;
    }
    size_t before = into->len, skip = strlen(PREFIX);
    if (buf_reserve(into, path.len)) {
        exchange_refuse(exchange, ERR_NOMEM);
        return false;
    }
    if (http_path_decode(bytes_make(path.at + skip, path.len - skip), into)) {
        exchange_problem(exchange, 400,
                         "the topic in the path has a bad percent escape; a %% is written %%25");
        return false;
    }
    *topic = bytes_make(into->at + before, into->len - before);
    return true;
}

const char *wish_topic_problem(struct bytes name) {
    return topic_problem(name);
}

static bool add_name(struct wish *wish, struct exchange *exchange, struct bytes name) {
    uint64_t most = settings_of(exchange)->max_topics;
    const char *problem = wish_topic_problem(name);
    if (problem) {
        exchange_problem(exchange, 400, "%s", problem);
        return false;
    }
    if (wish->name_count == most) {
        worker_limit_hit(exchange->worker, LIMIT_TOPICS);
        exchange_problem(exchange, 400,
                         "more than %llu topics on one connection; use a pattern, or several "
                         "connections, or raise --max-topics",
                         (unsigned long long)most);
        return false;
    }
    if (!access_want(exchange, name, RIGHT_SUBSCRIBE)) {
        return false;
    }
    struct bytes *names = realloc(wish->names, (wish->name_count + 1) * sizeof(*names));
    if (!names) {
        exchange_refuse(exchange, ERR_NOMEM);
        return false;
    }
    wish->names = names;
    names[wish->name_count++] = name;
    return true;
}

static bool set_cursor(struct wish *wish, struct bytes text) {
    if (text.len) {
        wish->start = bytes_is(text, "earliest") ? WISH_EARLIEST : WISH_AFTER;
        wish->cursor = text;
    }
    return true;
}

static bool set_since(struct wish *wish, struct exchange *exchange, struct bytes text) {
    if (http_time_parse(text, &wish->since_ms)) {
        return refuse(exchange, "since", "a time as 2026-01-31T12:00:00Z or Unix milliseconds");
    }
    // A cursor says more exactly what the same client has seen.
    wish->start = wish->start == WISH_AFTER ? WISH_AFTER : WISH_SINCE;
    return true;
}

static bool set_last(struct wish *wish, struct exchange *exchange, struct bytes text) {
    if (!bytes_to_u64(text, READ_EVENTS_MAX, &wish->last)) {
        return refuse(exchange, "last", "a number of events from 0 to 1000000");
    }
    wish->start = wish->start == WISH_AFTER ? WISH_AFTER : WISH_LAST;
    return true;
}

static bool set_limit(struct wish *wish, struct exchange *exchange, struct bytes text) {
    if (!bytes_to_u64(text, READ_EVENTS_MAX, &wish->limit) || wish->limit == 0) {
        return refuse(exchange, "limit", "a number of events from 1 to 1000000");
    }
    return true;
}

static bool set_wait(struct wish *wish, struct exchange *exchange, struct bytes text) {
    uint64_t seconds, most = (uint64_t)settings_of(exchange)->max_wait_ms;
    if (!bytes_to_u64(text, INT64_MAX, &seconds)) {
        return refuse(exchange, "wait", "a whole number of seconds");
    }
    wish->at_once = seconds == 0;
    wish->wait_ms = (int64_t)(seconds < most / 1000 ? seconds * 1000 : most);
    return true;
}

static bool set_control(struct wish *wish, struct exchange *exchange, struct bytes text) {
    if (!bytes_is(text, "1") && !bytes_is(text, "0")) {
        return refuse(exchange, "control", "1 or 0");
    }
    wish->control = text.at[0] == '1';
    return true;
}

static bool set_envelope(struct wish *wish, struct exchange *exchange, struct bytes text) {
    if (!bytes_is(text, "1") && !bytes_is(text, "0")) {
        return refuse(exchange, "envelope", "1 or 0");
    }
    wish->envelope = text.at[0] == '1';
    return true;
}

// A link to the next page of a snapshot has the place up to which it goes.
static bool set_latest(struct wish *wish, struct exchange *exchange, struct bytes text) {
    wish->snapshot = 0;
    wish->latest = bytes_is(text, "1") || id_parse(text, &wish->snapshot);
    return wish->latest || bytes_is(text, "0") || refuse(exchange, "latest", "1 or 0");
}

static bool add_type(struct wish *wish, struct exchange *exchange, struct bytes type) {
    const char *problem =
        type.len ? publish_type_problem((struct freshet_text){.at = type.at, .len = type.len})
                 : "`event` takes a type of events; of those without one it is `message`";
    if (!problem && wish->type_count == WISH_TYPES_MAX) {
        problem = "a connection hears at most 32 types of events; leave `event` out to hear all";
    }
    if (problem) {
        exchange_problem(exchange, 400, "%s", problem);
        return false;
    }
    wish->types[wish->type_count++] = type;
    return true;
}

// Parameters that freshet does not know are left alone: pages add some against caches.
static bool take_parameter(struct wish *wish, struct exchange *exchange, struct bytes name,
                           struct bytes value) {
    if (bytes_is(name, "topic")) {
        return add_name(wish, exchange, value);
    }
    if (bytes_is(name, "event")) {
        return add_type(wish, exchange, value);
    }
    if (bytes_is(name, "last_event_id")) {
        return set_cursor(wish, value);
    }
    if (bytes_is(name, "since")) {
        return set_since(wish, exchange, value);
    }
    if (bytes_is(name, "last")) {
        return set_last(wish, exchange, value);
    }
    if (bytes_is(name, "limit")) {
        return set_limit(wish, exchange, value);
    }
    if (bytes_is(name, "wait")) {
        return set_wait(wish, exchange, value);
    }
    if (bytes_is(name, "latest")) {
        return set_latest(wish, exchange, value);
    }
    if (bytes_is(name, "control")) {
        return set_control(wish, exchange, value);
    }
    if (bytes_is(name, "envelope")) {
        return set_envelope(wish, exchange, value);
    }
    return true;
}

static bool take_query(struct wish *wish, struct exchange *exchange, struct bytes query) {
    struct http_query_iter iter;
    struct bytes name, value;
    int rc = http_query_init(&iter, query, &wish->text);
    while (rc == 0 && (rc = http_query_next(&iter, &name, &value)) == 1) {
        if (!take_parameter(wish, exchange, name, value)) {
            return false;
        }
        rc = 0;
    }
    if (rc == ERR_INVALID) {
        exchange_problem(exchange, 400, "the query has a bad percent escape; a %% is written %%25");
    } else if (rc < 0) {
        exchange_refuse(exchange, rc);
    }
    return rc == 0;
}

static bool take_accept(struct wish *wish, struct exchange *exchange,
                        const struct http_request *req) {
    wish->websocket = exchange->connects || websocket_wanted(req);
    if (wish->websocket) {
        wish->protocol = websocket_choose(req);
        return true;
    }
    wish->representation = http_negotiate(http_request_header(req, "accept"));
    if (wish->representation == HTTP_NOT_ACCEPTABLE) {
        exchange_problem(exchange, 406,
                         "events come as text/event-stream, application/json or "
                         "application/x-ndjson; the Accept header takes none of them");
        return false;
    }
    return true;
}

static bool take_names(struct wish *wish, struct exchange *exchange,
                       const struct http_request *req) {
    struct bytes topic;
    return wish_path_topic(exchange, req->path, &wish->text, &topic) &&
           (!topic.at || add_name(wish, exchange, topic));
}

bool wish_read(struct wish *wish, struct exchange *exchange, const struct http_request *req) {
    *wish = (struct wish){.query = req->query,
                          .known = http_request_header(req, "if-none-match"),
                          .personal = http_request_header(req, "authorization").at ||
                                      http_request_header(req, "cookie").at};
    buf_init(&wish->text, &mem_libc, 0);
    buf_init(&wish->shown, &mem_libc, 0);
    // All slices point into one buffer, so it gets all its room before the first is made.
    if (buf_reserve(&wish->text, req->path.len + req->query.len + CURSOR_TEXT_MAX)) {
        exchange_refuse(exchange, ERR_NOMEM);
        return false;
    }
    if (!take_accept(wish, exchange, req) || !take_names(wish, exchange, req) ||
        !take_query(wish, exchange, req->query)) {
        return false;
    }
    struct bytes header = http_request_header(req, "last-event-id");
    if (header.len) {
        set_cursor(wish, header);
        wish->by_header = true;
    }
    if (wish->name_count == 0) {
        exchange_problem(exchange, 400,
                         "name a topic: /events/<topic>, or /events?topic=<topic> once or more");
        return false;
    }
    wish->gzip = !wish->websocket && compression_wanted(settings_of(exchange), wish, req);
    return true;
}

void wish_finish(struct wish *wish) {
    free(wish->names);
    buf_finish(&wish->text);
    buf_finish(&wish->shown);
}
