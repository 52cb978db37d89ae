// Waiting in line for the disk. The ids that one worker publishes rise, so who is stored stands at
// the front; one that began to wait later than it published stands behind higher ids, and waits a
// moment longer than it must. Purges are counted apart, and so stand in a line of their own. A worker
// is woken only while someone waits.
#include "server/commit.h"

#include "base/error.h"
#include "server/publish.h"
#include "server/worker.h"

void commits_init(struct commits *commits) {
    list_init(&commits->waiting);
    list_init(&commits->purges);
    atomic_init(&commits->awaited, false);
}

void commit_init(struct commit *commit, struct exchange *exchange) {
    *commit = (struct commit){.exchange = exchange};
    list_init(&commit->link);
}

void commit_leave(struct commit *commit) {
    list_remove(&commit->link);
}

static bool is_stored(const struct commit *commit) {
    const struct history *history = commit->exchange->worker->server->history;
    return commit->upto <= history->stored(history) && commit->purge <= history->purged(history);
}

static enum history_state state_of(const struct server *server) {
    return server->history->state(server->history);
}

static const char *trouble(enum history_state state) {
    switch (state) {
    case HISTORY_FULL:
        return "there is no room on the server's disk";
    case HISTORY_FAILING:
        return "the server's disk refuses writes";
    default:
        return "more waits for the server's disk than --history-queue-bytes allows";
    }
}

// What stands in the way of a promise.
static enum history_state trouble_of(const struct exchange *exchange) {
    const struct server *server = exchange->worker->server;
    return server->promises_disk ? state_of(server) : HISTORY_FINE;
}

bool commit_refuse_purge(struct exchange *exchange) {
    enum history_state state = trouble_of(exchange);
    if (state == HISTORY_FINE) {
        return false;
    }
    exchange_problem(exchange, 507, "%s, so nothing was purged; try again later", trouble(state));
    return true;
}

bool commit_refuse(struct exchange *exchange, uint64_t published) {
    struct worker *worker = exchange->worker;
    enum history_state state = trouble_of(exchange);
    if (state == HISTORY_FINE) {
        return false;
    }
    hub_count(&worker->counters.unstored, 1);
    if (published) {
        exchange_problem(exchange, 507,
                         "%s, so nothing more is taken; %llu events before were published, of "
                         "which the last may not be stored. Try again later",
                         trouble(state), (unsigned long long)published);
    } else {
        exchange_problem(exchange, 507, "%s, so nothing was published; try again later",
                         trouble(state));
    }
    return true;
}

static void refuse_purge_late(struct commit *commit, enum history_state state) {
    exchange_problem(commit->exchange, 507,
                     "%s: nobody gets the events any more, but should the server end before the "
                     "purge is on disk, they may be back. It is written as soon as that works "
                     "again; purge again later to be sure, a 404 says that it is done",
                     trouble(state));
}

// It is out, and cannot be called back.
static void refuse_late(struct commit *commit, enum history_state state) {
    struct exchange *exchange = commit->exchange;
    hub_count(&exchange->worker->counters.unstored, 1);
    exchange_problem(exchange, 507,
                     "%s: listeners may have heard what was published, and it may yet be stored, "
                     "but that is not sure. Publish it again later; with the same Idempotency-Key "
                     "that is harmless",
                     trouble(state));
}

void commit_publish(struct commit *commit, struct frame *const *frames, size_t count) {
    struct worker *worker = commit->exchange->worker;
    const struct history *history = worker->server->history;
    worker_publish(worker, frames, count);
    for (size_t i = 0; i < count; i++) {
        event_id id = frames[i]->id;
        // One that was published before has the lower id of then, which may not be stored yet either.
        commit->upto = commit->upto < id ? id : commit->upto;
        commit->published += !publish_was_refused(frames[i]);
        commit->lost |= worker->server->promises_disk && history->lost(history, id);
    }
}

int commit_answer(struct commit *commit, int (*answer)(struct exchange *exchange)) {
    struct worker *worker = commit->exchange->worker;
    if (!worker->server->promises_disk) {
        return answer(commit->exchange);
    }
    if (commit->lost) {
        refuse_late(commit, state_of(worker->server));
        return 0;
    }
    if (is_stored(commit)) {
        return answer(commit->exchange);
    }
    commit->answer = answer;
    list_push_back(commit->purge ? &worker->commits.purges : &worker->commits.waiting,
                   &commit->link);
    return 0;
}

// Both ways the exchange, and the commit with it, may be gone afterwards.
static void answer_now(struct commit *commit) {
    struct exchange *exchange = commit->exchange;
    commit_leave(commit);
    int rc = commit->answer(exchange);
    if (rc) {
        exchange_refuse(exchange, rc);
    }
}

static void refuse_now(struct commit *commit, enum history_state state) {
    commit_leave(commit);
    if (commit->purge) {
        refuse_purge_late(commit, state);
    } else {
        refuse_late(commit, state);
    }
}

static void settle(struct worker *worker, struct list *waiting) {
    while (!list_empty(waiting)) {
        struct commit *commit = container_of(waiting->next, struct commit, link);
        enum history_state state = state_of(worker->server);
        if (is_stored(commit)) {
            answer_now(commit);
        } else if (state != HISTORY_FINE) {
            refuse_now(commit, state);
        } else {
            return;
        }
    }
}

void commit_settle(struct worker *worker) {
    struct commits *commits = &worker->commits;
    if (list_empty(&commits->waiting) && list_empty(&commits->purges)) {
        return;
    }
    // Before looking, and by an exchange on both sides: what is stored after this look is told by a
    // wake, what was stored before is seen here.
    atomic_exchange(&commits->awaited, true);
    settle(worker, &commits->waiting);
    settle(worker, &commits->purges);
}

void commit_moved(struct server *server) {
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = server->workers[i];
        if (atomic_exchange(&worker->commits.awaited, false)) {
            uv_async_send(&worker->wake);
        }
    }
}
