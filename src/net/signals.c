// A thread that does nothing but sigwait. Its one policy: handlers are never installed, because what
// runs in one may interrupt anything, and the thread sanitizer's runtime loses some of them. It does
// not know what a signal means.
#include "net/signals.h"

#include "base/error.h"
#include "base/thread.h"

static void *wait_for_signals(void *ctx) {
    struct signals *signals = ctx;
    int number;
    while (sigwait(&signals->wanted, &number) == 0 && !atomic_load(&signals->ending)) {
        atomic_fetch_add(&signals->counts[number], 1);
        uv_async_send(&signals->wake);
    }
    return NULL;
}

static void on_wake(uv_async_t *wake) {
    struct signals *signals = wake->data;
    for (int number = 1; number < SIGNALS_MAX; number++) {
        for (unsigned left = atomic_exchange(&signals->counts[number], 0); left; left--) {
            signals->received(signals->ctx, number);
        }
    }
}

void signals_init(struct signals *signals, const sigset_t *wanted,
                  void (*received)(void *ctx, int number), void *ctx) {
    *signals = (struct signals){.received = received, .ctx = ctx, .wanted = *wanted};
    pthread_sigmask(SIG_BLOCK, wanted, &signals->before);
}

int signals_start(struct signals *signals, uv_loop_t *loop) {
    if (uv_async_init(loop, &signals->wake, on_wake)) {
        return ERR_SYSTEM;
    }
    signals->wake.data = signals;
    if (thread_start(&signals->thread, wait_for_signals, signals)) {
        uv_close((uv_handle_t *)&signals->wake, NULL);
        return ERR_SYSTEM;
    }
    return 0;
}

void signals_stop(struct signals *signals) {
    int any = 1;
    while (!sigismember(&signals->wanted, any)) {
        any++;
    }
    atomic_store(&signals->ending, true);
    pthread_kill(signals->thread, any);
    pthread_join(signals->thread, NULL);
    uv_close((uv_handle_t *)&signals->wake, NULL);
}

void signals_finish(struct signals *signals) {
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}
