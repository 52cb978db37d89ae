// What a WebSocket client says: one JSON object a message, each answered by one. To publish is to
// make the exchange that POST /events would have made, and to put its answer into a message; so what
// a publisher may say is decided in one place.
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "server/publish.h"
#include "server/session_ws.h"
#include "server/worker.h"

enum { DEPTH_MAX = 64, REF_MAX = 256 };

// What a message asks for, as slices of it.
struct request {
    struct bytes ref, publish; // .at NULL: not there
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

// --- publishing ---

struct publish {
    struct exchange exchange;
    struct session_ws *ws;
    struct list link; // among those that wait for the disk
    bool in_step;     // within a call of the handler: freeing has to wait
    size_t ref_len;
    char ref[];
};

static void drop_publish(struct publish *publish) {
    const struct handler *handler = publish->exchange.handler;
    if (!list_empty(&publish->link)) {
        publish->ws->waiting_count--;
    }
    list_remove(&publish->link);
    handler->drop(&publish->exchange);
    free(publish);
}

static void publish_reply(struct exchange *exchange, const struct reply *reply) {
    struct publish *publish = exchange->carrier;
    const char *name = reply->status == 200 ? "published" : "error";
    exchange->answered = true;
    answer(publish->ws, bytes_make(publish->ref, publish->ref_len), name, without_end(reply->body));
    if (!publish->in_step) {
        drop_publish(publish);
    }
}

static struct peer publish_peer(const struct exchange *exchange) {
    return exchange->client;
}

static const struct exchange_ops publish_ops = {
    .reply = publish_reply,
    .peer = publish_peer,
    .protocol = "ws",
};

static struct publish *publish_create(struct session_ws *ws, struct bytes ref) {
    struct publish *publish = calloc(1, sizeof(*publish) + ref.len);
    if (publish) {
        publish->exchange = (struct exchange){
            .worker = ws->stream->worker,
            .ops = &publish_ops,
            .handler = &publish_json_handler,
            .carrier = publish,
            .client = ws->stream->ops->peer(ws->stream),
        };
        publish->ws = ws;
        publish->in_step = true;
        list_init(&publish->link);
        publish->ref_len = ref.len;
        memcpy(publish->ref, ref.len ? ref.at : "", ref.len);
    }
    return publish;
}

static void begin_publish(struct session_ws *ws, const struct request *request) {
    const struct publish_target target = {.content_type = bytes_of("application/json")};
    if (ws->waiting_count == WS_WAITING_MAX) {
        answer_problem(ws, request->ref, 429,
                       "too many publishes wait for the disk; wait for their answers");
        return;
    }
    struct publish *publish = publish_create(ws, request->ref);
    if (!publish) {
        ws_give_up(ws);
        return;
    }
    struct exchange *exchange = &publish->exchange;
    int rc = publish_json_begin(exchange, &target);
    rc = rc ? rc : exchange->handler->body(exchange, request->publish);
    if (rc == 0 && !exchange->answered) {
        rc = exchange->handler->end(exchange);
    }
    if (rc && !exchange->answered) {
        exchange_refuse(exchange, rc);
    }
    publish->in_step = false;
    if (exchange->answered) {
        drop_publish(publish);
    } else {
        list_push_back(&ws->waiting, &publish->link);
        ws->waiting_count++;
    }
}

void ws_drop_waiting(struct session_ws *ws) {
    while (!list_empty(&ws->waiting)) {
        drop_publish(container_of(ws->waiting.next, struct publish, link));
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

static void take_member(struct request *request, struct bytes name, struct bytes value) {
    if (bytes_is(name, "ref")) {
        set_ref(request, value);
    } else if (bytes_is(name, "publish") && !request->publish.at) {
        request->publish = value;
    } else {
        request->problem = "a message has the member publish, and perhaps ref, each once";
    }
}

// Reads all of it, so that what is refused is refused by its name.
static int read_request(struct request *request, struct bytes object, struct buf *name) {
    struct json_iter iter;
    struct bytes value;
    int more = json_object_init(&iter, object) ? 0 : 1;
    request->problem = more ? NULL : "a message is a JSON object: {\"publish\":{…}}";
    while (more == 1 && (more = json_object_next(&iter, name, &value)) == 1) {
        take_member(request, buf_bytes(name), value);
    }
    if (more == 0 && !request->problem && !request->publish.at) {
        request->problem = "a message needs the member publish";
    }
    return more;
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
    int rc = read_request(&request, value, &name);
    buf_finish(&name);
    if (rc < 0) {
        ws_give_up(ws);
    } else if (request.problem) {
        answer_problem(ws, request.ref, 400, request.problem);
    } else {
        begin_publish(ws, &request);
    }
}
