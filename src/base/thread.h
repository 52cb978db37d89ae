// Threads that leave every signal to the main thread. Whoever starts one joins it (pthread_join).
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

// 0, or ERR_SYSTEM when the operating system gives no thread; `run` is then never called. The new
// thread has every signal blocked from its first instruction: it never takes one that the main
// thread waits for. Any thread.
int thread_start(pthread_t *thread, void *(*run)(void *ctx), void *ctx);

#endif
