// Who may open a WebSocket, and what is answered.
#include "server/fake.h"

#define HANDSHAKE "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define VERSION   "Sec-WebSocket-Version: 13\r\n"
#define KEY       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct fake_server fake;
static struct fake_exchange x;

static int setup(void **state) {
    static char origin[] = "https://page.example";
    static char *origins[] = {origin};
    fake_server_init(&fake);
    fake.settings.cors_origin = (struct texts){.items = origins, .count = 1};
    fake_server_open(&fake);
    return 0;
}

static int teardown(void **state) {
    fake_server_finish(&fake);
    return 0;
}

static void assert_answers(const char *headers, int status, const char *header) {
    fake_get(&x, &fake, "/events/a", headers);
    assert_int_equal(x.status, status);
    assert_non_null(memmem(x.headers.at, x.headers.len, header, strlen(header)));
    assert_true((x.stream != NULL) == (status == 101));
    fake_exchange_finish(&x);
}

static void test_accepted(void **state) {
    assert_answers(HANDSHAKE VERSION KEY, 101,
                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n");
    assert_answers(HANDSHAKE VERSION KEY "Sec-WebSocket-Protocol: x, freshet.stream\r\n", 101,
                   "Sec-WebSocket-Protocol: freshet.stream\n");
    assert_answers(HANDSHAKE VERSION KEY "Accept: text/html\r\n", 101, "Upgrade: websocket\n");
}

static void test_refused(void **state) {
    assert_answers(HANDSHAKE KEY, 426, "Sec-WebSocket-Version: 13\n");
    assert_answers(HANDSHAKE VERSION, 400, "");
    assert_answers(HANDSHAKE VERSION "Sec-WebSocket-Key: x\r\n", 400, "");
}

static void test_origins(void **state) {
    assert_answers(HANDSHAKE VERSION KEY "Origin: https://page.example\r\n", 101, "");
    assert_answers(HANDSHAKE VERSION KEY "Origin: http://h\r\n", 101, "");
    assert_answers(HANDSHAKE VERSION KEY "Origin: http://h:1\r\n", 403, "");
    assert_answers(HANDSHAKE VERSION KEY "Origin: https://evil.example\r\n", 403, "");
    assert_answers(HANDSHAKE VERSION KEY "Origin: null\r\n", 403, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(test_accepted), TEST(test_refused), TEST(test_origins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
