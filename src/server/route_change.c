// POST /api/connections/<name>/topics: changes what an open stream hears, whichever worker has it.
// Whoever knows the name of a connection speaks for its listener; all that it may ask for it must
// be allowed to ask for itself. Refuses to say anything of a name but whether it is one.
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "http/negotiate.h"
#include "hub/change.h"
#include "server/access.h"
#include "server/auth_hook.h"
#include "server/gather.h"
#include "server/live_change.h"
#include "server/publish.h"
#include "server/routes.h"
#include "server/stream.h"
#include "server/stream_name.h"
#include "server/worker.h"

static const char PREFIX[] = "/api/connections/", SUFFIX[] = "/topics";

enum { DEPTH_MAX = 2 }; // an object of arrays of strings

struct change_request {
    struct gather gather;
    bool asked; // the workers have it
    char name[STREAM_NAME_LEN];
    struct buf body;
    struct live_change change;
};

static struct change_request *request_of(struct gather *gather) {
    return container_of(gather, struct change_request, gather);
}

static struct bytes name_of(const struct change_request *request) {
    return bytes_make(request->name, STREAM_NAME_LEN);
}

static void release(struct change_request *request) {
    buf_finish(&request->body);
    live_change_finish(&request->change);
    free(request);
}

// --- the worker that has the connection ---

static bool ask(struct gather *gather, struct worker *worker) {
    struct change_request *request = request_of(gather);
    struct stream *stream = stream_name_find(worker, name_of(request));
    if (stream) {
        // So that its cursor lags only if its connection is slow.
        worker_catch_up(worker);
        hub_serve(&stream->subscriber);
        stream = stream_name_find(worker, name_of(request)); // that may have been its end
    }
    if (!stream) {
        live_change_gone(&request->change);
        return true;
    }
    return live_change_apply(&request->change, stream);
}

// --- the exchange ---

static void answer_refused(struct exchange *exchange, const struct live_change *change) {
    if (change->too_many) {
        worker_limit_hit(exchange->worker, LIMIT_TOPICS);
    }
    exchange_problem(exchange, change->status, "%s", change->problem);
}

static void answer(struct gather *gather, struct exchange *exchange) {
    const struct live_change *change = &request_of(gather)->change;
    if (change->status == 200) {
        exchange_answer(exchange, 200, "application/json", buf_bytes(&change->body));
    } else {
        answer_refused(exchange, change);
    }
}

static void destroy(struct gather *gather) {
    release(request_of(gather));
}

static const struct gather_ops change_ops = {.ask = ask, .answer = answer, .destroy = destroy};

// The name in the path; empty when the path has another form.
static struct bytes name_in(struct bytes path) {
    size_t prefix = strlen(PREFIX), suffix = strlen(SUFFIX);
    if (path.len < prefix + suffix ||
        !bytes_equal(bytes_make(path.at + path.len - suffix, suffix), bytes_of(SUFFIX))) {
        return bytes_make("", 0);
    }
    return bytes_make(path.at + prefix, path.len - prefix - suffix);
}

static bool takes_type(struct bytes type) {
    return http_media_essence(type).len == 0 || http_media_is(type, "application/json") ||
           http_media_is(type, "application/x-www-form-urlencoded"); // what curl -d says
}

static void answer_unknown(struct exchange *exchange) {
    struct live_change none = {0};
    live_change_gone(&none);
    answer_refused(exchange, &none);
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    struct bytes name = name_in(req->path);
    if (!stream_name_worker(exchange->worker->server, name)) {
        answer_unknown(exchange);
        return 0;
    }
    if (!takes_type(http_request_header(req, "content-type"))) {
        exchange_problem(exchange, 415, "a change is sent as application/json");
        return 0;
    }
    if (publish_refuse_length(exchange, req)) {
        return 0;
    }
    struct change_request *request = calloc(1, sizeof(*request));
    if (!request) {
        return ERR_NOMEM;
    }
    memcpy(request->name, name.at, STREAM_NAME_LEN);
    buf_init(&request->body, &mem_libc, exchange->worker->server->settings->max_body);
    live_change_init(&request->change);
    exchange->state = request;
    return auth_hook_remember(exchange, req);
}

static int body(struct exchange *exchange, struct bytes piece) {
    struct change_request *request = exchange->state;
    return publish_keep(exchange, &request->body, piece);
}

// 0; 1 when the exchange was answered; or a negative error.
static int read_change(struct exchange *exchange, struct change_request *request) {
    struct bytes object;
    if (json_validate(buf_bytes(&request->body), DEPTH_MAX, &object)) {
        exchange_problem(
            exchange, 400,
            "the body is not a JSON object such as {\"add\":[\"news\"],\"remove\":[]}");
        return 1;
    }
    int rc = live_change_read(&request->change, exchange->worker->server, object);
    if (rc && request->change.status) {
        answer_refused(exchange, &request->change);
        return 1;
    }
    buf_finish(&request->body); // there may be many who wait
    return rc;
}

// The backend of --auth-url is asked for what the one who asks may not do of itself, and answers by a
// second call.
static int end(struct exchange *exchange) {
    struct change_request *request = exchange->state;
    struct server *server = exchange->worker->server;
    int rc = request->change.add ? 0 : read_change(exchange, request);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    if (!access_want_all(exchange, request->change.add, RIGHT_SUBSCRIBE) ||
        auth_hook_holds_end(exchange)) {
        return 0;
    }
    request->change.identity = identity_ref(exchange->identity);
    request->change.lasts_ms = access_granted_ms(exchange);
    access_make_privy(server, exchange->identity, request->change.add);
    access_make_privy(server, exchange->vouched, request->change.add);
    request->asked = true;
    gather_from(&request->gather, exchange, &change_ops,
                stream_name_worker(server, name_of(request)));
    return 0;
}

static void drop(struct exchange *exchange) {
    struct change_request *request = exchange->state;
    if (request && request->asked) {
        gather_drop(exchange);
    } else if (request) {
        release(request);
    }
}

const struct handler route_change = {
    .begin = begin, .body = body, .end = end, .drop = drop, .finishes = true};
