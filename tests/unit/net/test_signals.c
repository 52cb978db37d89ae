// Signals reach the loop, as often as they were sent, and end nothing before anyone listens.
#include "support.h"

#include <unistd.h>

#include "net/signals.h"

enum { PATIENCE_MS = 10000 };

struct place {
    uv_loop_t loop;
    struct signals signals;
    uv_timer_t late;
    int first, second, seen;
};

static void on_late(uv_timer_t *late) {
    (void)late;
    fail_msg("no signal came");
}

static void on_received(void *ctx, int number) {
    struct place *place = ctx;
    *(place->seen++ ? &place->second : &place->first) = number;
    uv_stop(&place->loop);
}

static void open_place(struct place *place) {
    *place = (struct place){0};
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGHUP);
    signals_init(&place->signals, &wanted, on_received, place);
    assert_int_equal(uv_loop_init(&place->loop), 0);
    uv_timer_init(&place->loop, &place->late);
    uv_timer_start(&place->late, on_late, PATIENCE_MS, 0);
}

static void close_place(struct place *place) {
    signals_stop(&place->signals);
    uv_close((uv_handle_t *)&place->late, NULL);
    uv_run(&place->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&place->loop), 0);
    signals_finish(&place->signals);
}

static void test_one_from_before_the_start(void **state) {
    (void)state;
    struct place place;
    open_place(&place);
    kill(getpid(), SIGTERM);
    assert_int_equal(signals_start(&place.signals, &place.loop), 0);
    uv_run(&place.loop, UV_RUN_DEFAULT);
    assert_int_equal(place.first, SIGTERM);
    assert_int_equal(place.seen, 1);
    close_place(&place);
}

static void test_one_after_the_other(void **state) {
    (void)state;
    struct place place;
    open_place(&place);
    assert_int_equal(signals_start(&place.signals, &place.loop), 0);
    kill(getpid(), SIGHUP);
    uv_run(&place.loop, UV_RUN_DEFAULT);
    kill(getpid(), SIGTERM);
    uv_run(&place.loop, UV_RUN_DEFAULT);
    assert_int_equal(place.first, SIGHUP);
    assert_int_equal(place.second, SIGTERM);
    assert_int_equal(place.seen, 2);
    close_place(&place);
}

static void test_stopped_without_any(void **state) {
    (void)state;
    struct place place;
    open_place(&place);
    assert_int_equal(signals_start(&place.signals, &place.loop), 0);
    close_place(&place);
    assert_int_equal(place.seen, 0);
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    assert_false(sigismember(&now, SIGTERM));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_from_before_the_start),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_stopped_without_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
