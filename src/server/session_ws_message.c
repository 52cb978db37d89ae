// What a WebSocket client says: one JSON object a message, each answered by one. To publish is to
// make the exchange that POST /events would have made, to change topics or to show another token that
// of POST /api/connections/<name>/topics or …/token; the answer is put into a message. So what a
// client may say is decided in one place.
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "server/access.h"
#include "server/auth_hook.h"
#include "server/publish.h"
#include "server/routes.h"
#include "server/session_ws.h"
#include "server/stream_name.h"
#include "server/worker.h"

enum { DEPTH_MAX = 64, REF_MAX = 256 };

// What a message asks for, as slices of it.
struct request {
    struct bytes ref, publish, token; // .at NULL: not there; the last one as JSON
    struct buf change; // add, remove and after, as an object of their own; empty: none
    const char *problem;
};

// --- answers ---

static struct bytes without_end(struct bytes body) {
    bool line = body.len && body.at[body.len - 1] == '\n';
    return bytes_make(body.at, body.len - line);
}

// {"ref":…,"<name>":<body>}
static void answer(struct session_ws *ws, struct bytes ref, const char *name, struct bytes body) {
    struct buf *text = &ws->stream->worker->head;
    buf_clear(text);
    int rc = buf_append_text(text, "{");
    if (ref.len) {
        rc = rc ? rc : buf_append_text(text, "\"ref\":");
        rc = rc ? rc : buf_append(text, ref.at, ref.len);
        rc = rc ? rc : buf_append_text(text, ",");
    }
    rc = rc ? rc : buf_printf(text, "\"%s\":", name);
    rc = rc ? rc : buf_append(text, body.at, body.len);
    rc = rc ? rc : buf_append_text(text, "}");
    if (rc) {
        ws_give_up(ws);
    } else {
        ws_say(ws, buf_bytes(text));
    }
}

static void answer_problem(struct session_ws *ws, struct bytes ref, int status,
                           const char *detail) {
    struct worker *worker = ws->stream->worker;
    buf_clear(&worker->body);
    hub_count(&worker->counters.refused, 1);
    if (http_problem_body(&worker->body, status, bytes_of(detail))) {
        ws_give_up(ws);
    } else {
        answer(ws, ref, "error", without_end(buf_bytes(&worker->body)));
    }
}

// --- exchanges ---

// A request of the client, as the routes know it.
struct asked {
    struct exchange exchange;
    struct session_ws *ws;
    struct list link;   // among those that wait
    const char *answer; // the member that its answer is
    bool in_step;       // within a call of the handler: freeing has to wait
    size_t kept;        // bytes of it, counted by the session
    struct bytes token; // as JSON; while it begins
    size_t ref_len;
    char ref[];
};

static void drop_asked(struct asked *asked) {
    asked->ws->waiting_count -= !list_empty(&asked->link);
    asked->ws->waiting_bytes -= asked->kept;
    list_remove(&asked->link);
    exchange_finish(&asked->exchange);
    free(asked);
}

static void on_reply(struct exchange *exchange, const struct reply *reply) {
    struct asked *asked = exchange->carrier;
    const char *name = reply->status == 200 ? asked->answer : "error";
    exchange->answered = true;
    answer(asked->ws, bytes_make(asked->ref, asked->ref_len), name, without_end(reply->body));
    if (!asked->in_step) {
        drop_asked(asked);
    }
}

static struct peer asked_peer(const struct exchange *exchange) {
    return exchange->client;
}

static const struct exchange_ops asked_ops = {
    .reply = on_reply,
    .peer = asked_peer,
    .protocol = "ws",
};

static struct asked *asked_create(struct session_ws *ws, const struct request *request,
                                  const struct handler *handler, const char *name) {
    struct bytes ref = request->ref;
    struct asked *asked = calloc(1, sizeof(*asked) + ref.len);
    if (asked) {
        asked->exchange = (struct exchange){
            .worker = ws->stream->worker,
            .ops = &asked_ops,
            .handler = handler,
            .carrier = asked,
            .client = ws->stream->ops->peer(ws->stream),
            .identity = identity_ref(ws->identity),
        };
        asked->ws = ws;
        asked->answer = name;
        asked->token = request->token;
        list_init(&asked->link);
        asked->ref_len = ref.len;
        memcpy(asked->ref, ref.len ? ref.at : "", ref.len);
    }
    return asked;
}

static int begin_publish(struct exchange *exchange) {
    const struct publish_target target = {.content_type = bytes_of("application/json")};
    return publish_json_begin(exchange, &target);
}

// What is asked for by the name of the connection, which one that was never told of it may not have.
static int begin_by_name(struct exchange *exchange, const struct handler *handler,
                         const char *what) {
    const struct asked *asked = exchange->carrier;
    struct stream *stream = asked->ws->stream;
    struct stream_name *name = stream->name;
    struct http_request req = {.method = HTTP_POST, .minor = 1};
    char path[64];
    if (!name) {
        int rc = stream_name_create(&name, stream->worker);
        rc = rc ? rc : stream_name_give(name, stream);
        if (rc) {
            return rc;
        }
    }
    struct bytes text = stream_name_text(name);
    req.path = bytes_make(path, (size_t)snprintf(path, sizeof(path), "/api/connections/%.*s/%s",
                                                 (int)text.len, text.at, what));
    return handler->begin(exchange, &req);
}

static int begin_change(struct exchange *exchange) {
    return begin_by_name(exchange, &route_change, "topics");
}

// Who asks is who the new token says, not who spoke before.
static int begin_renewal(struct exchange *exchange) {
    const struct asked *asked = exchange->carrier;
    struct buf token;
    identity_unref(exchange->identity);
    exchange->identity = NULL;
    buf_init(&token, &mem_libc, 0);
    int rc = json_string_decode(asked->token, &token);
    bool taken = rc == 0 &&
                 (!exchange->worker->server->access.on || access_take(exchange, buf_bytes(&token)));
    buf_finish(&token);
    return rc || !taken ? rc : begin_by_name(exchange, &route_renew, "token");
}

static int send_body(struct exchange *exchange, struct bytes body) {
    int rc = exchange->answered ? 0 : exchange->handler->body(exchange, body);
    bool ends = rc == 0 && !exchange->answered && exchange->handler->end;
    return ends ? exchange->handler->end(exchange) : rc;
}

static void ask(struct session_ws *ws, struct asked *asked, int (*begin)(struct exchange *),
                struct bytes body) {
    if (!asked) {
        ws_give_up(ws);
        return;
    }
    struct exchange *exchange = &asked->exchange;
    asked->in_step = true;
    int rc = auth_hook_recall(exchange, buf_bytes(&ws->shown));
    rc = rc ? rc : begin(exchange);
    rc = rc ? rc : send_body(exchange, body);
    if (rc && !exchange->answered) {
        exchange_refuse(exchange, rc);
    }
    asked->in_step = false;
    if (exchange->answered) {
        drop_asked(asked);
    } else {
        list_push_back(&ws->waiting, &asked->link);
        ws->waiting_count++;
        asked->kept = auth_hook_waits(exchange) ? body.len : 0;
        ws->waiting_bytes += asked->kept;
    }
}

void ws_drop_waiting(struct session_ws *ws) {
    while (!list_empty(&ws->waiting)) {
        drop_asked(container_of(ws->waiting.next, struct asked, link));
    }
}

// --- messages ---

static void set_ref(struct request *request, struct bytes value) {
    enum json_kind kind = json_kind(value);
    if ((kind == JSON_STRING || kind == JSON_NUMBER) && value.len <= REF_MAX) {
        request->ref = value;
    } else {
        request->problem = "`ref` is a string or a number, of up to 256 bytes";
    }
}

static int keep_change(struct request *request, struct bytes name, struct bytes value) {
    struct buf *change = &request->change;
    int rc = buf_append_text(change, change->len ? ",\"" : "{\"");
    rc = rc ? rc : buf_append(change, name.at, name.len);
    rc = rc ? rc : buf_append_text(change, "\":");
    return rc ? rc : buf_append(change, value.at, value.len);
}

static int take_member(struct request *request, struct bytes name, struct bytes value) {
    if (bytes_is(name, "add") || bytes_is(name, "remove") || bytes_is(name, "after")) {
        return keep_change(request, name, value);
    }
    if (bytes_is(name, "ref")) {
        set_ref(request, value);
    } else if (bytes_is(name, "publish") && !request->publish.at) {
        request->publish = value;
    } else if (bytes_is(name, "token") && !request->token.at && json_kind(value) == JSON_STRING) {
        request->token = value;
    } else {
        request->problem = "a message has the member publish, or add, remove and after, or token, "
                           "which is a string; and perhaps ref; each once";
    }
    return 0;
}

// Reads all of it, so that what is refused is refused by its name.
static int read_request(struct request *request, struct bytes object, struct buf *name) {
    struct json_iter iter;
    struct bytes value;
    int rc = 0, more = json_object_init(&iter, object) ? 0 : 1;
    request->problem = more ? NULL : "a message is a JSON object: {\"publish\":{…}}";
    while (rc == 0 && more == 1 && (more = json_object_next(&iter, name, &value)) == 1) {
        rc = take_member(request, buf_bytes(name), value);
    }
    int kinds =
        (request->publish.at != NULL) + (request->change.len > 0) + (request->token.at != NULL);
    if (rc == 0 && more == 0 && !request->problem && kinds != 1) {
        request->problem =
            "a message publishes, or changes topics, or shows another token: it has the member "
            "publish, or add, remove and after, or token";
    }
    rc = rc || !request->change.len ? rc : buf_append_text(&request->change, "}");
    return rc ? rc : more;
}

// What waits for the backend of --auth-url is kept whole until then: one message's worth of it.
static bool may_keep(const struct session_ws *ws, size_t len) {
    uint64_t most = ws->stream->worker->server->settings->max_body;
    return !ws->waiting_bytes || ws->waiting_bytes + len <= most;
}

static void act(struct session_ws *ws, struct request *request) {
    bool publishes = request->publish.at != NULL;
    struct bytes body = publishes           ? request->publish
                        : request->token.at ? bytes_make("", 0)
                                            : buf_bytes(&request->change);
    if (ws->waiting_count == WS_WAITING_MAX || !may_keep(ws, body.len)) {
        answer_problem(ws, request->ref, 429,
                       "too many requests wait for their answers; wait for some of them");
        return;
    }
    if (publishes) {
        ask(ws, asked_create(ws, request, &publish_json_handler, "published"), begin_publish, body);
    } else if (request->token.at) {
        ask(ws, asked_create(ws, request, &route_renew, "renewed"), begin_renewal, body);
    } else {
        ask(ws, asked_create(ws, request, &route_change, "changed"), begin_change, body);
    }
}

void ws_take_message(struct session_ws *ws, struct bytes text) {
    struct request request = {.problem = NULL};
    struct bytes value;
    struct buf name;
    hub_count(&ws->stream->worker->counters.requests, 1);
    if (json_validate(text, DEPTH_MAX, &value)) {
        answer_problem(ws, request.ref, 400, "the message is not valid JSON, or nests too deep");
        return;
    }
    buf_init(&name, &mem_libc, 0);
    buf_init(&request.change, &mem_libc, 0);
    int rc = read_request(&request, value, &name);
    if (rc < 0) {
        ws_give_up(ws);
    } else if (request.problem) {
        answer_problem(ws, request.ref, 400, request.problem);
    } else {
        act(ws, &request);
    }
    buf_finish(&request.change);
    buf_finish(&name);
}
