// A started thread has every signal blocked, and its starter keeps the mask that it had.
#include "support.h"

#include <signal.h>

#include "base/thread.h"

static void *look(void *ctx) {
    pthread_sigmask(SIG_SETMASK, NULL, ctx);
    return NULL;
}

static void test_thread_takes_no_signal(void **state) {
    (void)state;
    pthread_t thread;
    sigset_t seen;
    assert_int_equal(thread_start(&thread, look, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(sigismember(&seen, SIGTERM));
    assert_true(sigismember(&seen, SIGINT));
    assert_true(sigismember(&seen, SIGHUP));
}

static void test_starter_keeps_its_mask(void **state) {
    (void)state;
    pthread_t thread;
    sigset_t seen, mine, after;
    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    assert_int_equal(thread_start(&thread, look, &seen), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_true(sigismember(&after, SIGUSR1));
    assert_false(sigismember(&after, SIGTERM));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_takes_no_signal),
        cmocka_unit_test(test_starter_keeps_its_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
