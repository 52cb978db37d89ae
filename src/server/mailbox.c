// A locked list. It is taken whole, so the lock is held for two assignments.
#include "server/mailbox.h"

#include "base/error.h"

int mailbox_init(struct mailbox *mailbox) {
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    return pthread_mutex_init(&mailbox->lock, NULL) ? ERR_SYSTEM : 0;
}

void mailbox_finish(struct mailbox *mailbox) {
    pthread_mutex_destroy(&mailbox->lock);
}

void mailbox_post(struct mailbox *mailbox, struct task *task) {
    task->next = NULL;
    pthread_mutex_lock(&mailbox->lock);
    *mailbox->last = task;
    mailbox->last = &task->next;
    pthread_mutex_unlock(&mailbox->lock);
}

struct task *mailbox_take(struct mailbox *mailbox) {
    pthread_mutex_lock(&mailbox->lock);
    struct task *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}
