// Parsing a head every way it can arrive: whole, in two pieces cut anywhere, one byte at a time.
// Each attempt gets its bytes in memory of exactly their size, at a new address, so that a
// sanitizer sees a byte read too far and a slice kept too long.
#ifndef TESTS_HTTP_SUPPORT_H
#define TESTS_HTTP_SUPPORT_H

#include "support.h"

#include "http/request.h"

static const struct http_limits roomy = {.max_head = 16384};

// What one parse came to: the answer, and how many bytes had to be there for it.
struct outcome {
    int rc;
    size_t at;
};

// Offers the head in pieces of `step` bytes, the first of `first`. *req has slices into *kept,
// which the caller frees.
struct outcome parse_in_pieces(struct bytes head, struct http_limits limits, size_t first,
                               size_t step, struct http_request *req, char **kept);

// Parses it every way, asserts that all agree, and returns the answer. *req has slices into *kept,
// which the caller frees.
int parse_every_way(struct bytes head, struct http_limits limits, struct http_request *req,
                    char **kept);

void assert_bytes(struct bytes got, const char *want);

#endif
