// Who lags is counted while somebody watches, once a second, and by a bounded number of looks.
#include "server/fake.h"

#include <stdlib.h>

static struct fake_server fake;
static struct fake_exchange slow, quick;

static int setup(void **state) {
    fake_server_init(&fake);
    fake_server_open(&fake);
    fake_listen(&slow, &fake, "/events/a");
    fake_listen(&quick, &fake, "/events/a");
    return 0;
}

static int teardown(void **state) {
    fake_exchange_finish(&slow);
    fake_exchange_finish(&quick);
    fake_server_finish(&fake);
    return 0;
}

static void publish(void) {
    struct fake_exchange post;
    fake_ask(&post, &fake, "POST", "/events/a", "", bytes_of("x"), 1);
    assert_int_equal(post.status, 200);
    fake_exchange_finish(&post);
    fake_turn(&fake);
}

static void assert_lagging(unsigned long long listeners) {
    fake_later(&fake, LAGGARDS_LOOK_MS);
    laggards_tick(fake.worker);
    assert_int_equal(atomic_load(&fake.worker->laggards.listeners), listeners);
}

static void test_stalled(void **state) {
    atomic_store(&fake.server.watched, 1);
    assert_lagging(0);
    slow.stream->room = 0;
    publish();
    assert_lagging(1);
    quick.stream->room = 0;
    publish();
    assert_lagging(2);
    slow.stream->room = SIZE_MAX;
    hub_writable(&slow.stream->stream.subscriber);
    fake_turn(&fake);
    assert_lagging(1);
    atomic_store(&fake.server.watched, 0);
}

static void test_not_while_nobody_watches(void **state) {
    slow.stream->room = 0;
    publish();
    assert_lagging(0);
}

static void test_once_a_second(void **state) {
    atomic_store(&fake.server.watched, 1);
    assert_lagging(0);
    slow.stream->room = 0;
    publish();
    fake_later(&fake, LAGGARDS_LOOK_MS - 1);
    laggards_tick(fake.worker);
    assert_int_equal(atomic_load(&fake.worker->laggards.listeners), 0);
    assert_lagging(1);
    atomic_store(&fake.server.watched, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stalled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_while_nobody_watches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_once_a_second, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
