// Who waits for the disk. With --durability commit the answer to a publish is sent when everything
// that it published is stored, and that to a purge when it is; with any other history at once. Each
// worker keeps the exchanges that wait, in the order in which they began to. The worker's thread,
// but for commit_moved.
#ifndef SERVER_COMMIT_H
#define SERVER_COMMIT_H

#include <stdatomic.h>

#include "base/list.h"
#include "server/exchange.h"

struct server;

// A worker's.
struct commits {
    struct list waiting; // struct commit, of publishers
    struct list purges;  // the same, of purges
    atomic_bool awaited; // wake this worker when more is stored
};

// What one exchange publishes or purges; part of the state that its route keeps.
struct commit {
    struct list link; // among those that wait
    struct exchange *exchange;
    int (*answer)(struct exchange *exchange);
    event_id upto;      // the last event that it has published
    uint64_t published; // how many
    uint64_t purge;     // the last that it waits for, as history numbers them; 0: none
    bool lost;          // history had no room for one of them
};

void commits_init(struct commits *commits);

void commit_init(struct commit *commit, struct exchange *exchange);

// Answers with 507 when nothing can be stored just now and publishers are promised that it is.
// Nothing of what is still to come has been published then. True when it answered.
bool commit_refuse(struct exchange *exchange, uint64_t published);

// The same, of a purge that has not begun.
bool commit_refuse_purge(struct exchange *exchange);

// Publishes frames, one at least: they have their ids when it returns. The caller keeps its references.
void commit_publish(struct commit *commit, struct frame *const *frames, size_t count);

// Calls `answer` as soon as everything that was published or purged is stored, within the call when it is
// already or nobody waits for the disk; or answers with 507 when it cannot be stored now. 0, or the
// error of an `answer` within the call; the error of a later one is refused as a session would.
int commit_answer(struct commit *commit, int (*answer)(struct exchange *exchange));

// The exchange is over, answered or not.
void commit_leave(struct commit *commit);

// Answers those who waited long enough. In every turn of the worker.
void commit_settle(struct worker *worker);

// More is stored, or whether it can be has changed: wakes the workers that asked for it. Any thread.
void commit_moved(struct server *server);

#endif
