// What is charged to whom, to the event: the clock stands still.
#include "server/fake.h"

#include "server/rates.h"

static struct bytes text(const char *s) {
    return bytes_make(s, strlen(s));
}

static void publish(struct fake_server *fake, const char *target, const char *data, int status) {
    struct fake_exchange x;
    fake_ask(&x, fake, "POST", target, "", text(data), 1024);
    assert_int_equal(x.status, status);
    if (status == 429) {
        fake_assert_problem(&x, 429, "Retry-After");
    }
    fake_exchange_finish(&x);
}

static void test_a_burst_and_no_more(void **state) {
    (void)state;
    struct fake_server fake;
    struct fake_exchange x;
    fake_server_init(&fake);
    fake.settings.rate_publisher_events = 2;
    fake.settings.rate_burst = 2;
    fake_server_open(&fake);
    for (int i = 0; i < 4; i++) {
        publish(&fake, "/events/a", "x", 200);
    }
    fake_later(&fake, 499);
    fake_ask(&x, &fake, "POST", "/events/b", "", text("x"), 1);
    fake_assert_problem(&x, 429, "Retry-After");
    assert_string_equal(fake_header(&x, "Retry-After"), "1");
    fake_exchange_finish(&x);
    fake_later(&fake, 1);
    publish(&fake, "/events/b", "x", 200);
    publish(&fake, "/events/b", "x", 429);
    assert_int_equal(fake_limit_hits(&fake, LIMIT_PUBLISHER_EVENTS), 2);
    fake_server_finish(&fake);
}

static void test_all_pay_or_nobody(void **state) {
    (void)state;
    struct fake_server fake;
    struct fake_exchange x;
    const char *json = "Content-Type: application/json\r\n";
    fake_server_init(&fake);
    fake.settings.rate_publisher_events = fake.settings.rate_address_events = 4;
    fake.settings.rate_topic_events = 2;
    fake.settings.rate_burst = 1;
    fake_server_open(&fake);
    publish(&fake, "/events/a", "x", 200);
    publish(&fake, "/events/a", "x", 200);
    for (int i = 0; i < 5; i++) {
        fake_ask(&x, &fake, "POST", "/events", json,
                 text("{\"topics\":[\"b\",\"c\",\"a\"],\"data\":\"x\"}"), 1024);
        fake_assert_problem(&x, 429, "Retry-After");
        fake_exchange_finish(&x);
    }
    assert_int_equal(fake_limit_hits(&fake, LIMIT_TOPIC_EVENTS), 5);
    assert_int_equal(fake_limit_hits(&fake, LIMIT_PUBLISHER_EVENTS), 0);
    publish(&fake, "/events/b", "x", 200);
    publish(&fake, "/events/b", "x", 200);
    publish(&fake, "/events/c", "x", 429); // the publisher's four
    assert_int_equal(fake_limit_hits(&fake, LIMIT_PUBLISHER_EVENTS), 1);
    fake_server_finish(&fake);
}

static void test_a_batch_item_by_item(void **state) {
    (void)state;
    struct fake_server fake;
    struct fake_exchange x;
    fake_server_init(&fake);
    fake.settings.rate_topic_events = 1;
    fake.settings.rate_burst = 1;
    fake_server_open(&fake);
    fake_ask(&x, &fake, "POST", "/events", "Content-Type: application/json\r\n",
             text("[{\"topic\":\"a\",\"data\":\"1\"},{\"topic\":\"a\",\"data\":\"2\"},"
                  "{\"topic\":\"b\",\"data\":\"3\"}]"),
             1024);
    fake_assert_answer(&x, 200,
                       "[{\"id\":\"#\"},{\"error\":\"more is being published than the limits of "
                       "the publisher, the address or the topic allow; publish it again after the "
                       "time that Retry-After says\",\"status\":429,\"retry_after\":1},"
                       "{\"id\":\"#\"}]");
    fake_exchange_finish(&x);
    fake_server_finish(&fake);
}

static void test_a_stream_up_to_there(void **state) {
    (void)state;
    struct fake_server fake;
    struct fake_exchange listener, x;
    fake_server_init(&fake);
    fake.settings.rate_topic_events = 2;
    fake.settings.rate_burst = 1;
    fake_server_open(&fake);
    fake_listen(&listener, &fake, "/events/a");
    fake_ask(&x, &fake, "POST", "/events/a", "Content-Type: text/event-stream\r\n",
             text("data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n"), 1024);
    fake_assert_problem(&x, 429, "2 events before it were published");
    assert_string_equal(fake_header(&x, "Retry-After"), "1");
    fake_exchange_finish(&x);
    fake_turn(&fake);
    fake_assert_heard(&listener, "id: #\ndata: 1\n\nid: #\ndata: 2\n\n");
    fake_exchange_finish(&listener);
    fake_server_finish(&fake);
}

static void test_bytes_are_those_of_listeners(void **state) {
    (void)state;
    struct fake_server fake;
    fake_server_init(&fake);
    fake.settings.rate_topic_bytes = 100;
    fake.settings.rate_burst = 1;
    fake_server_open(&fake);
    publish(&fake, "/events/a", "", 200);
    struct rate *rate = &fake.server.rates.of[RATE_TOPIC_BYTES];
    assert_int_equal(rate_buckets(rate), 1);
    assert_int_equal(rate_buckets(&fake.server.rates.of[RATE_ADDRESS_BYTES]), 0);
    publish(&fake, "/events/a",
            "0123456789012345678901234567890123456789012345678901234567890123456789"
            "012345678901234567890123456789",
            429); // only from a full bucket
    publish(&fake, "/events/b",
            "0123456789012345678901234567890123456789012345678901234567890123456789"
            "012345678901234567890123456789",
            200);
    publish(&fake, "/events/b", "", 429);
    assert_int_equal(fake_limit_hits(&fake, LIMIT_TOPIC_BYTES), 2);
    fake_server_finish(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_and_no_more),
        cmocka_unit_test(test_all_pay_or_nobody),
        cmocka_unit_test(test_a_batch_item_by_item),
        cmocka_unit_test(test_a_stream_up_to_there),
        cmocka_unit_test(test_bytes_are_those_of_listeners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
