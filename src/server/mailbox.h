// A worker's mailbox: calls from other threads, run on the worker's own thread in the order in
// which they were posted. For what is rare (drain, the API); events take the inbox.
#ifndef SERVER_MAILBOX_H
#define SERVER_MAILBOX_H

#include <pthread.h>

struct worker;
struct task;
typedef void task_run(struct worker *worker, struct task *task);

// Embedded in whatever the call needs; owned by whoever posted it until it runs, then by `run`.
struct task {
    struct task *next;
    task_run *run;
    void (*cancel)(struct task *task); // frees it when the worker ended before it could run
};

struct mailbox {
    pthread_mutex_t lock;
    struct task *first, **last;
};

// 0 or ERR_SYSTEM.
int mailbox_init(struct mailbox *mailbox);
void mailbox_finish(struct mailbox *mailbox);

// Any thread. The worker must be woken by the caller.
void mailbox_post(struct mailbox *mailbox, struct task *task);

// The worker's thread: everything posted so far, oldest first.
struct task *mailbox_take(struct mailbox *mailbox);

#endif
