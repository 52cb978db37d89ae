// Waiting in line for the disk. The ids that one worker publishes rise, so who is stored stands at
// the front; one that began to wait later than it published stands behind higher ids, and waits a
// moment longer than it must. A worker is woken only while someone waits.
#include "server/commit.h"

#include "base/error.h"
#include "server/publish.h"
#include "server/worker.h"

void commits_init(struct commits *commits) {
    list_init(&commits->waiting);
    atomic_init(&commits->awaited, false);
}

void commit_init(struct commit *commit, struct exchange *exchange) {
    *commit = (struct commit){.exchange = exchange};
    list_init(&commit->link);
}

void commit_leave(struct commit *commit) {
    list_remove(&commit->link);
}

static bool is_stored(const struct server *server, event_id upto) {
    return upto <= server->history->stored(server->history);
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

bool commit_refuse(struct exchange *exchange, uint64_t published) {
    struct worker *worker = exchange->worker;
    enum history_state state =
        worker->server->promises_disk ? state_of(worker->server) : HISTORY_FINE;
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

// It is out, and cannot be called back.
static void refuse_late(struct commit *commit) {
    struct exchange *exchange = commit->exchange;
    struct worker *worker = exchange->worker;
    hub_count(&worker->counters.unstored, 1);
    exchange_problem(exchange, 507,
                     "%s: listeners may have heard what was published, and it may yet be stored, "
                     "but that is not sure. Publish it again later; with the same Idempotency-Key "
                     "that is harmless",
                     trouble(state_of(worker->server)));
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
        refuse_late(commit);
        return 0;
    }
    if (is_stored(worker->server, commit->upto)) {
        return answer(commit->exchange);
    }
    commit->answer = answer;
    list_push_back(&worker->commits.waiting, &commit->link);
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

static void refuse_now(struct commit *commit) {
    commit_leave(commit);
    refuse_late(commit);
}

void commit_settle(struct worker *worker) {
    struct commits *commits = &worker->commits;
    struct list *waiting = &commits->waiting;
    if (list_empty(waiting)) {
        return;
    }
    // Before looking, and by an exchange on both sides: what is stored after this look is told by a
    // wake, what was stored before is seen here.
    atomic_exchange(&commits->awaited, true);
    while (!list_empty(waiting)) {
        struct commit *commit = container_of(waiting->next, struct commit, link);
        if (is_stored(worker->server, commit->upto)) {
            answer_now(commit);
        } else if (state_of(worker->server) != HISTORY_FINE) {
            refuse_now(commit);
        } else {
            return;
        }
    }
}

void commit_moved(struct server *server) {
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = server->workers[i];
        if (atomic_exchange(&worker->commits.awaited, false)) {
            uv_async_send(&worker->wake);
        }
    }
}
