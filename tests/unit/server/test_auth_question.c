// What the backend of --auth-url is told, and what it is not.
#include "server/fake.h"

#include <string.h>

#include "server/auth_question.h"

// The headers that are passed on, with | for the NUL behind each.
static void assert_headers(struct texts list, const char *headers, const char *expected) {
    struct fake_server fake;
    struct fake_exchange x;
    struct buf out;
    fake_server_init(&fake);
    fake.settings.auth_forward = list;
    fake_server_open(&fake);
    fake_prepare(&x, &fake, "GET", "/events/a", headers);
    buf_init(&out, &mem_libc, 0);
    assert_int_equal(auth_question_headers(&out, &x.exchange, &x.req), 0);
    for (size_t i = 0; i < out.len; i++) {
        out.at[i] = out.at[i] ? out.at[i] : '|';
    }
    assert_true(bytes_is(buf_bytes(&out), expected));
    buf_finish(&out);
    fake_exchange_finish(&x);
    fake_server_finish(&fake);
}

static void cookies_and_authorization_without_a_list(void **state) {
    const struct texts none = {0};
    assert_headers(none, "", "");
    assert_headers(none, "COOKIE: a=1\r\nX: 1\r\nauthorization: Basic x\r\n",
                   "Cookie: a=1|Authorization: Basic x|");
    assert_headers(none, "Cookie: a=1\r\nCookie: b=2\r\n", "Cookie: a=1|Cookie: b=2|");
    assert_headers(none, "Cookie:\r\n", "");
}

static void what_is_on_the_list(void **state) {
    static char x_key[] = "X-Key";
    static char *items[] = {x_key};
    const struct texts list = {.items = items, .count = 1};
    assert_headers(list, "Cookie: a=1\r\nx-key: 7\r\nX-Keys: 8\r\n", "X-Key: 7|");
}

static void no_cookies_of_pages_of_other_sites(void **state) {
    const struct texts none = {0};
    assert_headers(none, "Cookie: a=1\r\nOrigin: https://evil.example\r\n", "");
    assert_headers(none, "Cookie: a=1\r\nOrigin: null\r\n", "");
    assert_headers(none, "Cookie: a=1\r\nSec-Fetch-Site: cross-site\r\nAuthorization: b\r\n",
                   "Authorization: b|");
    assert_headers(none, "Cookie: a=1\r\nSec-Fetch-Site: same-site\r\n", "");
    assert_headers(none, "Cookie: a=1\r\nSec-Fetch-Site: same-origin\r\n", "Cookie: a=1|");
}

static void headers_of_the_connection_are_never_passed_on(void **state) {
    static const char *const not [] = {
        "host", "Content-Length", "connection", "Transfer-Encoding", "expect", "", "a b",
        "a:b",  "a\r\nb"};
    for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
        assert_false(auth_question_may_forward(bytes_of(not [i])));
    }
    assert_true(auth_question_may_forward(bytes_of("Cookie")));
    assert_true(auth_question_may_forward(bytes_of("X-Real-IP")));
}

static void assert_body(const char *headers, const char *peer_says, const char *expected) {
    struct fake_server fake;
    struct fake_exchange x;
    struct auth_text text;
    struct grants names;
    fake_server_init(&fake);
    fake_server_open(&fake);
    fake_prepare(&x, &fake, "GET", "/events/a", headers);
    struct address address;
    if (peer_says) {
        assert_null(address_parse(peer_says, &address));
        x.exchange.client = peer_of(&address);
    } else {
        x.exchange.client = (struct peer){.port = 0};
    }
    auth_text_init(&text);
    grants_init(&names);
    assert_int_equal(grants_add(&names, bytes_of("a\"\\"), RIGHT_PUBLISH), 0);
    assert_int_equal(grants_add(&names, bytes_of("b"), RIGHT_PUBLISH), 0);
    assert_int_equal(auth_question_body(&text, &x.exchange, &names, RIGHT_PUBLISH), 0);
    assert_true(bytes_is(buf_bytes(&text.body), expected));
    auth_text_finish(&text);
    grants_finish(&names);
    fake_exchange_finish(&x);
    fake_server_finish(&fake);
}

static void the_body_is_json(void **state) {
    assert_body(
        "", "192.0.2.7:80",
        "{\"action\":\"publish\",\"topics\":[\"a\\\"\\\\\",\"b\"],\"address\":\"192.0.2.7\"}");
    assert_body(
        "", "[2001:db8::1]:80",
        "{\"action\":\"publish\",\"topics\":[\"a\\\"\\\\\",\"b\"],\"address\":\"2001:db8::1\"}");
    assert_body("", NULL, "{\"action\":\"publish\",\"topics\":[\"a\\\"\\\\\",\"b\"]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_and_authorization_without_a_list),
        cmocka_unit_test(what_is_on_the_list),
        cmocka_unit_test(no_cookies_of_pages_of_other_sites),
        cmocka_unit_test(headers_of_the_connection_are_never_passed_on),
        cmocka_unit_test(the_body_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
