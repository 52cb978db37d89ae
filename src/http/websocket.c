// The handshake's headers. Whatever occurs twice, or is nearly right, is refused: a peer that does
// not know what it says is no browser, and a proxy in between may have understood something else.
#include "http/websocket.h"

#include <openssl/evp.h>

#include "base/error.h"
#include "http/token.h"

enum { KEY_LEN = 24, SHA1_LEN = 20 };

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static const char *const names[] = {
    [WEBSOCKET_JSON] = "freshet.json",
    [WEBSOCKET_STREAM] = "freshet.stream",
};

bool websocket_wanted(const struct http_request *req) {
    return req->method == HTTP_GET && req->minor == 1 &&
           http_request_lists(req, "connection", "upgrade") &&
           http_request_lists(req, "upgrade", "websocket");
}

static size_t count_headers(const struct http_request *req, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < req->header_count; i++) {
        count += bytes_equal_nocase(req->headers[i].name, bytes_of(name));
    }
    return count;
}

static bool is_base64(char c) {
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

// Sixteen bytes in Base64.
static bool is_key(struct bytes key) {
    size_t i = 0;
    while (i < key.len && is_base64(key.at[i])) {
        i++;
    }
    return key.len == KEY_LEN && i == KEY_LEN - 2 && key.at[i] == '=' && key.at[i + 1] == '=';
}

struct http_problem websocket_check(const struct http_request *req, bool keyed) {
    if (count_headers(req, "sec-websocket-version") != 1 ||
        !bytes_is(http_request_header(req, "sec-websocket-version"), "13")) {
        return (struct http_problem){426, "WebSocket is spoken here in version 13; send "
                                          "Sec-WebSocket-Version: 13, once."};
    }
    if (keyed && (count_headers(req, "sec-websocket-key") != 1 ||
                  !is_key(http_request_header(req, "sec-websocket-key")))) {
        return (struct http_problem){400, "A WebSocket handshake has one Sec-WebSocket-Key, which "
                                          "is 16 bytes in Base64."};
    }
    return (struct http_problem){0, NULL};
}

int websocket_accept(struct bytes key, char out[WEBSOCKET_ACCEPT_LEN]) {
    unsigned char digest[SHA1_LEN], text[WEBSOCKET_ACCEPT_LEN + 1];
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    bool fine =
        sum && EVP_DigestInit_ex(sum, EVP_sha1(), NULL) && EVP_DigestUpdate(sum, key.at, key.len) &&
        EVP_DigestUpdate(sum, GUID, sizeof(GUID) - 1) && EVP_DigestFinal_ex(sum, digest, NULL);
    EVP_MD_CTX_free(sum);
    if (!fine) {
        return ERR_NOMEM;
    }
    EVP_EncodeBlock(text, digest, SHA1_LEN);
    memcpy(out, text, WEBSOCKET_ACCEPT_LEN);
    return 0;
}

const char *websocket_protocol_name(enum websocket_protocol protocol) {
    return names[protocol];
}

static enum websocket_protocol protocol_of(struct bytes name) {
    return bytes_is(name, names[WEBSOCKET_JSON])     ? WEBSOCKET_JSON
           : bytes_is(name, names[WEBSOCKET_STREAM]) ? WEBSOCKET_STREAM
                                                     : WEBSOCKET_NONE;
}

enum websocket_protocol websocket_choose(const struct http_request *req) {
    for (size_t i = 0; i < req->header_count; i++) {
        struct bytes list = req->headers[i].value, name;
        if (!bytes_equal_nocase(req->headers[i].name, bytes_of("sec-websocket-protocol"))) {
            continue;
        }
        while (http_list_next(&list, ',', &name)) {
            enum websocket_protocol protocol = protocol_of(name);
            if (protocol) {
                return protocol;
            }
        }
    }
    return WEBSOCKET_NONE;
}
