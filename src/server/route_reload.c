// POST /api/reload: as SIGHUP, but the answer says what has changed, or what is wrong. The main thread
// reloads; the question goes there and comes back, and has one owner at a time.
#include <stdlib.h>

#include "base/error.h"
#include "server/reload.h"
#include "server/routes.h"
#include "server/worker.h"

struct asking {
    struct task task;
    struct worker *home;
    struct exchange *exchange; // home's; NULL: it is over
    int rc;
    struct reload_notes notes;
};

static void destroy(struct asking *asking) {
    reload_notes_finish(&asking->notes);
    free(asking);
}

static void cancel(struct task *task) {
    destroy(container_of(task, struct asking, task));
}

static void answer(const struct asking *asking, struct exchange *exchange) {
    struct buf *body = &exchange->worker->body;
    buf_clear(body);
    exchange->state = NULL;
    if (asking->rc) {
        exchange_problem(exchange, 422, "nothing was changed: %s", asking->notes.problem);
    } else if (reload_notes_json(&asking->notes, body)) {
        exchange_refuse(exchange, ERR_NOMEM);
    } else {
        exchange_answer(exchange, 200, "application/json", buf_bytes(body));
    }
}

static void come_home(struct worker *worker, struct task *task) {
    struct asking *asking = container_of(task, struct asking, task);
    (void)worker;
    if (asking->exchange) {
        answer(asking, asking->exchange);
    }
    destroy(asking);
}

// The main thread.
static void reload(struct worker *none, struct task *task) {
    struct asking *asking = container_of(task, struct asking, task);
    (void)none;
    asking->rc = reload_run(asking->home->server, &asking->notes);
    task->run = come_home;
    worker_post(asking->home, task);
}

static int begin(struct exchange *exchange, const struct http_request *req) {
    (void)req;
    if (server_is_draining(exchange->worker->server)) {
        exchange_problem(exchange, 503, "the server is ending");
        return 0;
    }
    struct asking *asking = calloc(1, sizeof(*asking));
    if (!asking) {
        return ERR_NOMEM;
    }
    *asking = (struct asking){
        .task = {.run = reload, .cancel = cancel}, .home = exchange->worker, .exchange = exchange};
    reload_notes_init(&asking->notes);
    exchange->state = asking;
    server_post(exchange->worker->server, &asking->task);
    return 0;
}

// A body says nothing, and is passed over.
static int on_body(struct exchange *exchange, struct bytes piece) {
    (void)exchange;
    (void)piece;
    return 0;
}

static void drop(struct exchange *exchange) {
    struct asking *asking = exchange->state;
    if (asking) {
        asking->exchange = NULL; // it is on its way, and frees itself
    }
}

const struct handler route_reload = {
    .begin = begin, .body = on_body, .drop = drop, .finishes = true};
