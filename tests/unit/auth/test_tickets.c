// Tickets are good once, for a time, and for nobody else.
#include "support.h"

#include "auth/tickets.h"
#include "base/error.h"

static const struct hash_key key = {0};

static struct identity *somebody(void) {
    struct claims claims = {0};
    grants_init(&claims.grants);
    buf_init(&claims.subject, &mem_libc, 0);
    struct identity *identity = identity_create(&claims);
    assert_non_null(identity);
    return identity;
}

static struct bytes text_of(const char *text) {
    return bytes_make(text, TICKET_TEXT);
}

static void test_once(void **state) {
    (void)state;
    struct tickets tickets;
    struct identity *ann = somebody(), *ben = somebody();
    char first[TICKET_TEXT], second[TICKET_TEXT];
    tickets_init(&tickets, &key, 10);
    assert_int_equal(tickets_issue(&tickets, ann, 0, 1000, first), 0);
    assert_int_equal(tickets_issue(&tickets, ben, 0, 1000, second), 0);
    assert_memory_not_equal(first, second, TICKET_TEXT);
    assert_ptr_equal(tickets_redeem(&tickets, text_of(second), 999), ben);
    assert_null(tickets_redeem(&tickets, text_of(second), 999));
    assert_ptr_equal(tickets_redeem(&tickets, text_of(first), 999), ann);
    assert_null(tickets_redeem(&tickets, text_of(first), 999));
    identity_unref(ann);
    identity_unref(ben);
    identity_unref(ann);
    identity_unref(ben);
    tickets_finish(&tickets);
}

static void test_not_for_long(void **state) {
    (void)state;
    struct tickets tickets;
    struct identity *ann = somebody();
    char text[TICKET_TEXT];
    tickets_init(&tickets, &key, 10);
    assert_int_equal(tickets_issue(&tickets, ann, 5000, 1000, text), 0);
    assert_null(tickets_redeem(&tickets, text_of(text), 6000));
    assert_int_equal(tickets.map.count, 0);
    assert_int_equal(tickets_issue(&tickets, ann, 6000, 1000, text), 0); // left to the end
    identity_unref(ann);
    tickets_finish(&tickets);
}

static void test_as_many_as_may_be(void **state) {
    (void)state;
    struct tickets tickets;
    struct identity *ann = somebody();
    char text[TICKET_TEXT], last[TICKET_TEXT];
    tickets_init(&tickets, &key, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tickets_issue(&tickets, ann, i, 1000, text), 0);
    }
    assert_int_equal(tickets_issue(&tickets, ann, 999, 1000, last), ERR_TOO_LARGE);
    assert_null(tickets_redeem(&tickets, text_of(last), 999));
    assert_int_equal(tickets_issue(&tickets, ann, 1000, 1000, last), 0); // the oldest is gone
    identity_unref(tickets_redeem(&tickets, text_of(last), 1001));
    identity_unref(ann);
    tickets_finish(&tickets);
}

static void test_what_is_none(void **state) {
    (void)state;
    struct tickets tickets;
    struct identity *ann = somebody();
    char text[TICKET_TEXT];
    tickets_init(&tickets, &key, 3);
    assert_int_equal(tickets_issue(&tickets, ann, 0, 1000, text), 0);
    assert_null(tickets_redeem(&tickets, bytes_make(text, TICKET_TEXT - 1), 1));
    assert_null(tickets_redeem(&tickets, bytes_make("", 0), 1));
    text[5] = text[5] == 'A' ? 'B' : 'A';
    assert_null(tickets_redeem(&tickets, text_of(text), 1));
    identity_unref(ann);
    tickets_finish(&tickets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_not_for_long),
        cmocka_unit_test(test_as_many_as_may_be),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
