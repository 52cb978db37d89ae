// Who counts as the same address; and that whatever a listener took is given back, however it ends.
#include "server/fake.h"

#include "server/limit_keys.h"
#include "server/quotas.h"

static uint64_t key_of(const struct server *server, const char *ip) {
    struct address address;
    uint64_t key = 0;
    assert_null(address_parse(ip, &address));
    struct peer peer = peer_of(&address);
    assert_true(limit_key_address(server, &peer, &key));
    return key;
}

static void test_the_network_of_an_address(void **state) {
    (void)state;
    struct fake_server fake;
    fake_server_init(&fake);
    fake_server_open(&fake);
    const struct server *server = &fake.server;
    struct peer local = {0};
    uint64_t key;
    assert_true(key_of(server, "192.0.2.1:1") == key_of(server, "192.0.2.1:65535"));
    assert_true(key_of(server, "192.0.2.1:1") != key_of(server, "192.0.2.2:1"));
    assert_true(key_of(server, "[2001:db8::1]:1") == key_of(server, "[2001:db8::ffff:0:0:2]:1"));
    assert_true(key_of(server, "[2001:db8::1]:1") != key_of(server, "[2001:db8:0:1::1]:1"));
    assert_false(limit_key_address(server, &local, &key));
    fake_server_finish(&fake);
}

static void open_limited(struct fake_server *fake) {
    fake_server_init(fake);
    fake->settings.max_listeners_per_address = 2;
    fake->settings.max_listeners_per_topic = 1;
    fake_server_open(fake);
}

static void test_all_or_nothing(void **state) {
    (void)state;
    struct fake_server fake;
    struct fake_exchange first, second, third;
    open_limited(&fake);
    struct quotas *quotas = &fake.server.quotas;
    fake_listen(&first, &fake, "/events?topic=a&topic=a&topic=b");
    assert_int_equal(quota_keys(&quotas->by_topic), 2);
    fake_get(&second, &fake, "/events?topic=c&topic=b", "Accept: application/json\r\n");
    fake_assert_problem(&second, 503, "as many listeners as it may");
    assert_int_equal(quota_keys(&quotas->by_topic), 2);
    assert_int_equal(fake_limit_hits(&fake, LIMIT_TOPIC_LISTENERS), 1);
    fake_listen(&third, &fake, "/events/c");
    fake_exchange_finish(&first);
    fake_exchange_finish(&second);
    fake_exchange_finish(&third);
    assert_int_equal(quota_keys(&quotas->by_topic), 0);
    assert_int_equal(quota_keys(&quotas->by_address), 0);
    fake_server_finish(&fake);
}

static void test_polls_give_back_with_their_answer(void **state) {
    (void)state;
    struct fake_server fake;
    struct fake_exchange x;
    open_limited(&fake);
    struct quotas *quotas = &fake.server.quotas;
    fake_get(&x, &fake, "/events/a?wait=5", "Accept: application/json\r\n");
    assert_int_equal(x.replies, 0);
    assert_int_equal(quota_keys(&quotas->by_topic), 1);
    fake_exchange_finish(&x);
    assert_int_equal(quota_keys(&quotas->by_topic), 0);
    for (int i = 0; i < 5; i++) {
        fake_get(&x, &fake, "/events/a", "Accept: application/json\r\n");
        fake_assert_answer(&x, 200, "[]");
        fake_exchange_finish(&x);
    }
    assert_int_equal(quota_keys(&quotas->by_address), 0);
    fake_server_finish(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_network_of_an_address),
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_polls_give_back_with_their_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
