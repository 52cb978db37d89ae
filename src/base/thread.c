// Starting a thread. Its one policy: the mask is set around the creation and inherited, because a
// thread that blocks signals itself may take one before it gets there. It does not join, name or
// detach anything.
#include "base/thread.h"

#include <signal.h>

#include "base/error.h"

int thread_start(pthread_t *thread, void *(*run)(void *ctx), void *ctx) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, run, ctx);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? ERR_SYSTEM : 0;
}
