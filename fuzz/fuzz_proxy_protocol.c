// PROXY protocol headers under a fuzzer: an input is a header and what follows it. For any bytes
// the answer does not depend on how they are cut: each beginning of a good header is incomplete,
// nothing behind a header matters, and what is refused stays refused. No source that comes out can
// be taken for a Unix socket. The line of a good version 1 is read a second time, naively.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "net/proxy_protocol.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "proxy_protocol";

enum { LONGEST = PROXY_HEADER_MAX + 512, CUTS = 300 };

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

// From a copy of just these bytes, so that reading beyond them is seen.
static int parse(const uint8_t *bytes, size_t len, struct proxy_header *out) {
    char *copy = malloc(len ? len : 1);
    require(copy != NULL);
    if (len) {
        memcpy(copy, bytes, len);
    }
    int rc = proxy_protocol_parse(bytes_make(copy, len), out);
    free(copy);
    return rc;
}

static void check_good(const uint8_t *bytes, size_t header, const struct proxy_header *seen) {
    struct proxy_header again;
    require(parse(bytes, header, &again) == (int)header);
    require(again.known == seen->known);
    require(!seen->known || memcmp(&again.source, &seen->source, sizeof(again.source)) == 0);
    require(!seen->known || !peer_is_unix(&seen->source));
    require(parse(bytes, header - 1, &again) == 0);
    for (size_t cut = 0; cut < header && cut < CUTS; cut++) {
        require(parse(bytes, cut, &again) == 0);
    }
}

static void check_bad(const uint8_t *bytes, size_t len) {
    struct proxy_header out;
    bool refused = false;
    for (size_t cut = 0; cut <= len && cut < CUTS; cut++) {
        int rc = parse(bytes, cut, &out);
        require(rc <= 0);
        require(!refused || rc < 0);
        refused = rc < 0;
    }
}

// What was said of a source, written down again, is in the line.
static void check_v1(const uint8_t *bytes, size_t header, const struct proxy_header *seen) {
    char line[PROXY_V1_MAX + 1], host[64], target[64], family[8];
    unsigned port, target_port;
    int end = 0;
    memcpy(line, bytes, header);
    line[header] = '\0';
    require(strlen(line) == header);
    require(sscanf(line, "PROXY %7s %63s %63s %5u %5u\r\n%n", family, host, target, &port,
                   &target_port, &end) == 5);
    require((size_t)end == header && port <= 65535 && target_port <= 65535);
    require(seen->source.port == port);
    require(strcmp(family, "TCP6") == 0 ||
            (strcmp(family, "TCP4") == 0 && peer_is_v4(&seen->source)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct proxy_header out;
    if (len > LONGEST) {
        return 0;
    }
    int rc = parse(bytes, len, &out);
    require(rc <= PROXY_HEADER_MAX && (rc <= 0 || (size_t)rc <= len));
    if (rc > 0) {
        check_good(bytes, (size_t)rc, &out);
        if (bytes[0] == 'P' && out.known) {
            check_v1(bytes, (size_t)rc, &out);
        }
    } else {
        require(rc < 0 || len < PROXY_HEADER_MAX);
        check_bad(bytes, len);
    }
    return 0;
}
