// The round: home posts to the first worker, each passes it on to the next, the last one posts it
// home. One owner at a time, so nothing in it needs a lock.
#include "server/gather.h"

#include "server/worker.h"

static void come_home(struct worker *worker, struct task *task) {
    struct gather *gather = container_of(task, struct gather, task);
    (void)worker;
    if (gather->exchange) {
        struct exchange *exchange = gather->exchange;
        exchange->state = NULL;
        gather->ops->answer(gather, exchange);
    }
    gather->ops->destroy(gather);
}

static void visit(struct worker *worker, struct task *task) {
    struct gather *gather = container_of(task, struct gather, task);
    struct server *server = worker->server;
    if (!gather->ops->ask(gather, worker)) {
        worker_post(worker, task);
    } else if (++gather->next < gather->end) {
        worker_post(server->workers[gather->next], task);
    } else {
        gather->task.run = come_home;
        worker_post(gather->home, task);
    }
}

static void cancel(struct task *task) {
    struct gather *gather = container_of(task, struct gather, task);
    gather->ops->destroy(gather);
}

static void start(struct gather *gather, struct exchange *exchange, const struct gather_ops *ops,
                  unsigned first, unsigned end) {
    gather->task = (struct task){.run = visit, .cancel = cancel};
    gather->ops = ops;
    gather->home = exchange->worker;
    gather->exchange = exchange;
    gather->next = first;
    gather->end = end;
    exchange->state = gather;
    worker_post(exchange->worker->server->workers[first], &gather->task);
}

void gather_start(struct gather *gather, struct exchange *exchange, const struct gather_ops *ops) {
    start(gather, exchange, ops, 0, exchange->worker->server->worker_count);
}

void gather_from(struct gather *gather, struct exchange *exchange, const struct gather_ops *ops,
                 const struct worker *worker) {
    start(gather, exchange, ops, worker->index, worker->index + 1);
}

void gather_drop(struct exchange *exchange) {
    struct gather *gather = exchange->state;
    if (gather) {
        gather->exchange = NULL; // it is on its way; come_home frees it
    }
}
