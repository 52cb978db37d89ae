// The handshake.
#include "support.h"

#include <stdio.h>

#include "http/http_support.h"
#include "http/websocket.h"

static const char good[] = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
                           "Sec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
static char text[1024];

static struct http_request parse(const char *line, const char *headers) {
    struct http_request req;
    size_t scanned = 0;
    snprintf(text, sizeof(text), "%s\r\nHost: h\r\n%s\r\n", line, headers);
    assert_int_equal(http_request_parse(&req, roomy, text, strlen(text), &scanned), strlen(text));
    return req;
}

static struct http_request get(const char *headers) {
    return parse("GET /events HTTP/1.1", headers);
}

static void test_wanted(void **state) {
    struct http_request req = get(good);
    assert_true(websocket_wanted(&req));
    req = parse("GET /events HTTP/1.0", good);
    assert_false(websocket_wanted(&req));
    req = parse("POST /events HTTP/1.1", good);
    assert_false(websocket_wanted(&req));
    req = get("Upgrade: websocket\r\n");
    assert_false(websocket_wanted(&req));
    req = get("Connection: upgrade\r\nUpgrade: h2c\r\n");
    assert_false(websocket_wanted(&req));
}

static void assert_checks(const char *headers, bool keyed, int status) {
    struct http_request req = get(headers);
    assert_int_equal(websocket_check(&req, keyed).status, status);
}

static void test_check(void **state) {
    assert_checks(good, true, 0);
    assert_checks("Sec-WebSocket-Version: 13\r\n", false, 0);
    assert_checks("Sec-WebSocket-Version: 13\r\n", true, 400);
    assert_checks("", false, 426);
    assert_checks("Sec-WebSocket-Version: 8\r\n", false, 426);
    assert_checks("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n", false, 426);
    static const char *const keys[] = {
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhl!HNhbXBsZSBub25jZQ==",
        "",
        "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char headers[256];
        snprintf(headers, sizeof(headers), "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
                 keys[i]);
        assert_checks(headers, true, 400);
    }
}

// The example of RFC 6455, 1.3.
static void test_accept(void **state) {
    char accept[WEBSOCKET_ACCEPT_LEN];
    assert_int_equal(websocket_accept(bytes_of("dGhlIHNhbXBsZSBub25jZQ=="), accept), 0);
    assert_memory_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sizeof(accept));
}

static void assert_chooses(const char *headers, enum websocket_protocol protocol) {
    struct http_request req = get(headers);
    assert_int_equal(websocket_choose(&req), protocol);
}

static void test_protocols(void **state) {
    assert_chooses("", WEBSOCKET_NONE);
    assert_chooses("Sec-WebSocket-Protocol: mqtt\r\n", WEBSOCKET_NONE);
    assert_chooses("Sec-WebSocket-Protocol: Freshet.Stream\r\n", WEBSOCKET_NONE);
    assert_chooses("Sec-WebSocket-Protocol: a, freshet.stream, freshet.json\r\n", WEBSOCKET_STREAM);
    assert_chooses("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: freshet.json\r\n",
                   WEBSOCKET_JSON);
    assert_string_equal(websocket_protocol_name(WEBSOCKET_STREAM), "freshet.stream");
    assert_null(websocket_protocol_name(WEBSOCKET_NONE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
