// Forwarded and X-Forwarded-For under a fuzzer: an input is which of the two, how many of the last
// words are believed, and lines of the header's value. Whatever a stranger wrote in front of the
// words that are believed changes nothing; and no client that comes out can be taken for a Unix
// socket.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "http/forwarded.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "forwarded";

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

// Believes so many in a row.
static bool believes(void *ctx, const struct http_node *node) {
    unsigned *left = ctx;
    (void)node;
    return *left && (*left)--;
}

static const struct http_node peer = {.ip = {[15] = 1}, .port = 7};

static bool is_peer(const struct http_node *node) {
    return memcmp(node, &peer, sizeof(peer)) == 0;
}

// What a proxy writes that was reached from 192.0.2.9.
static const char *word(enum http_forwarded_kind kind) {
    return kind == HTTP_FORWARDED ? "for=192.0.2.9" : "192.0.2.9";
}

static int client(const struct http_request *req, enum http_forwarded_kind kind, unsigned hops,
                  struct http_node *node) {
    *node = peer;
    int rc = http_forwarded_client(req, kind, believes, &hops, node);
    require(rc == 0 || (rc == ERR_INVALID && is_peer(node)));
    return rc;
}

static void add(struct http_request *req, enum http_forwarded_kind kind, const char *at,
                size_t len) {
    const char *name = kind == HTTP_FORWARDED ? "Forwarded" : "X-forwarded-FOR";
    if (req->header_count < HTTP_MAX_HEADERS) {
        req->headers[req->header_count++] =
            (struct http_header){bytes_of(name), bytes_make(at, len)};
    }
}

// The lines of the text, a header each. A field value has no CR or NUL.
static void fill(struct http_request *req, enum http_forwarded_kind kind, const char *at,
                 size_t len) {
    while (len) {
        const char *end = memchr(at, '\n', len);
        size_t line = end ? (size_t)(end - at) : len;
        add(req, kind, at, line);
        size_t taken = line + (end ? 1 : 0);
        at += taken;
        len -= taken;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    static const uint8_t nobody[16];
    static struct http_request req;
    struct http_node node, same;
    if (len < 2 || len > 4096) {
        return 0;
    }
    enum http_forwarded_kind kind = bytes[0] % 2 ? HTTP_FORWARDED : HTTP_X_FORWARDED_FOR;
    unsigned hops = bytes[1] % 8;
    char *text = malloc(len - 2 ? len - 2 : 1);
    require(text != NULL);
    memcpy(text, bytes + 2, len - 2);
    req.header_count = 0;
    fill(&req, kind, text, len - 2);
    int rc = client(&req, kind, hops, &node);
    require(memcmp(node.ip, nobody, sizeof(nobody)) != 0);
    add(&req, kind, word(kind), strlen(word(kind)));
    if (req.header_count < HTTP_MAX_HEADERS) {
        // Behind one more proxy that is believed, the outcome is the same.
        require(client(&req, kind, hops + 1, &same) == rc);
        require(is_peer(&node) || memcmp(&same, &node, sizeof(node)) == 0);
        // Behind a stranger, nothing of it matters.
        require(client(&req, kind, 1, &same) == 0 && same.ip[12] == 192 && same.ip[15] == 9);
    }
    free(text);
    return 0;
}
