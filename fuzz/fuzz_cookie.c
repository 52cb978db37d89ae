// Cookies under a fuzzer: an input is which cookie is looked for, and lines, each a header. What is found
// lies in one of them and is a whole value; the first one counts, whatever comes behind it; and what a
// cookie of another name says changes nothing.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/cookie.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "cookie";

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

static void add(struct http_request *req, const char *name, const char *at, size_t len) {
    if (req->header_count < HTTP_MAX_HEADERS) {
        req->headers[req->header_count++] =
            (struct http_header){bytes_of(name), bytes_trim(bytes_make(at, len))};
    }
}

// The lines of the text, every fourth of them another header.
static void fill(struct http_request *req, const char *at, size_t len) {
    for (unsigned i = 0; len; i++) {
        const char *end = memchr(at, '\n', len);
        size_t line = end ? (size_t)(end - at) : len;
        add(req, i % 4 == 3 ? "Cookies" : i % 2 ? "COOKIE" : "cookie", at, line);
        size_t taken = line + (end ? 1 : 0);
        at += taken;
        len -= taken;
    }
}

static bool lies_in(struct bytes value, const struct http_header *header) {
    return bytes_is(header->name, "Cookies") == false && header->value.at <= value.at &&
           value.at + value.len <= header->value.at + header->value.len;
}

static void check_place(const struct http_request *req, struct bytes value) {
    bool found = false;
    for (size_t i = 0; i < req->header_count; i++) {
        found = found || (req->headers[i].value.at && lies_in(value, &req->headers[i]));
    }
    require(found && !(value.len && memchr(value.at, ';', value.len)));
}

// In front of everything else, in a header of its own.
static struct bytes find_behind(const struct http_request *req, const char *first,
                                struct bytes name) {
    static struct http_request other;
    other.header_count = 0;
    add(&other, "Cookie", first, strlen(first));
    for (size_t i = 0; i < req->header_count && other.header_count < HTTP_MAX_HEADERS; i++) {
        other.headers[other.header_count++] = req->headers[i];
    }
    return http_cookie(&other, name);
}

static void check(struct http_request *req, struct bytes name) {
    struct bytes value = http_cookie(req, name);
    if (value.at) {
        check_place(req, value);
    }
    if (req->header_count == HTTP_MAX_HEADERS) {
        return; // no room for one more
    }
    struct bytes same = find_behind(req, "x=1; y=\"a; =b; z; A=2", name);
    require(same.at == value.at && same.len == value.len);
    require(bytes_is(
        find_behind(req, "x=1; a=first; freshet_token=\"first\"; __Host-t=first", name), "first"));
    add(req, "Cookie", "a=last; freshet_token=last; __Host-t=last", 41);
    same = http_cookie(req, name);
    require(value.at ? same.at == value.at && same.len == value.len : bytes_is(same, "last"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    static const char *const names[] = {"a", "freshet_token", "__Host-t"};
    static struct http_request req;
    if (len < 1 || len > 4096) {
        return 0;
    }
    char *text = malloc(len); // of its own, so that a step outside is seen
    require(text != NULL);
    memcpy(text, bytes, len);
    req.header_count = 0;
    fill(&req, text + 1, len - 1);
    check(&req, bytes_of(names[bytes[0] % 3]));
    free(text);
    return 0;
}
