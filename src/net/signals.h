// The signals that a program waits for, told to a loop. They stay blocked in every thread, and a
// thread of their own accepts them: no code ever runs inside a signal handler.
#ifndef NET_SIGNALS_H
#define NET_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

enum { SIGNALS_MAX = 65 };

struct signals {
    void (*received)(void *ctx, int number);
    void *ctx;
    sigset_t wanted, before;
    pthread_t thread;
    uv_async_t wake;
    atomic_bool ending;
    atomic_uint counts[SIGNALS_MAX]; // received and not yet told
};

// From here on they are kept for signals_start, and end nothing. Call it before the first thread;
// signals_finish gives them back. `received` is called on the loop's thread, once for each signal.
void signals_init(struct signals *signals, const sigset_t *wanted,
                  void (*received)(void *ctx, int number), void *ctx);

// Starts to tell the loop: 0 or ERR_SYSTEM, and then nothing is left to stop.
int signals_start(struct signals *signals, uv_loop_t *loop);

// Nothing is told any more, and the handle is closing when it returns. On the loop's thread.
void signals_stop(struct signals *signals);

void signals_finish(struct signals *signals);

#endif
