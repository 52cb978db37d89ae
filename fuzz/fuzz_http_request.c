// Requests under a fuzzer: an input is a head and what follows it. For any bytes the answer does
// not depend on how they are cut; what is accepted satisfies a second, naive reading of the rules,
// and what that reading accepts is accepted; bodies decode to the same data however they arrive;
// what a server does next with the slices stays within them.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "http/body.h"
#include "http/negotiate.h"
#include "http/origin.h"
#include "http/request.h"
#include "http/time.h"
#include "http/url.h"

extern const char fuzz_corpus[];
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

const char fuzz_corpus[] = "http_request";

enum { MAX_HEAD = 2048, MAX_HEADERS = 8, MAX_TARGET = 256 };

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

// A copy of just these bytes, so that reading beyond them is seen.
static char *copy_of(const char *at, size_t len) {
    char *copy = calloc(1, len ? len : 1);
    require(copy != NULL);
    if (len) {
        memcpy(copy, at, len);
    }
    return copy;
}

// How long the next piece is: 0 for all the rest, 1 for single bytes, else a size that varies.
static size_t piece_size(unsigned way, size_t at) {
    return way == 0 ? SIZE_MAX : way == 1 ? 1 : 1 + (at * 7 + way) % 13;
}

static int parse(const char *text, size_t len, unsigned way, struct http_request *req,
                 char **kept) {
    struct http_limits limits = {MAX_HEAD, MAX_HEADERS, MAX_TARGET};
    size_t scanned = 0, there = 0;
    for (;;) {
        size_t piece = piece_size(way, there);
        there = piece < len - there ? there + piece : len;
        *kept = copy_of(text, there);
        int rc = http_request_parse(req, limits, *kept, there, &scanned);
        if (rc || there == len) {
            return rc;
        }
        free(*kept);
    }
}

// The naive reading. It works on whole lines, with the string functions of the C library.

static bool all_in(const char *text, const char *allowed) {
    return text[0] && text[strspn(text, allowed)] == '\0';
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool naive_host(char *host) {
    char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
    if (!end) {
        return false;
    }
    char *port = host[0] == '[' ? end + 1 : end;
    if (port[0] == ':') {
        if (!all_in(port + 1, DIGITS) || strlen(port + 1) > 5 || atoi(port + 1) > 65535) {
            return false;
        }
    } else if (port[0]) {
        return false;
    }
    *end = '\0';
    return host[0] == '[' ? strlen(host) > 2 && all_in(host + 1, DIGITS "abcdefABCDEF:.")
                          : all_in(host, DIGITS LETTERS "-._~");
}

static bool naive_target(const char *method, char *target, char *authority) {
    if (strlen(target) > MAX_TARGET || strchr(target, '#')) {
        return false;
    }
    for (const char *at = target; *at; at++) {
        if ((unsigned char)*at < 0x21 || (unsigned char)*at > 0x7e) {
            return false;
        }
    }
    if (strcmp(target, "*") == 0) {
        return strcmp(method, "OPTIONS") == 0;
    }
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    if (scheme) {
        char host[MAX_TARGET + 1];
        size_t len = strcspn(target + scheme, "/?");
        memcpy(authority, target + scheme, len);
        authority[len] = '\0';
        strcpy(host, authority);
        return naive_host(host);
    }
    return target[0] == '/';
}

struct naive {
    char host[MAX_HEAD], length[MAX_HEAD], coding[MAX_HEAD], expect[MAX_HEAD];
    int hosts, lengths, codings, expects, fields, minor;
    char authority[MAX_TARGET + 1];
};

static const char token[] = DIGITS LETTERS "!#$%&'*+-.^_`|~";

static bool naive_request_line(char *line, struct naive *seen) {
    char *target = strchr(line, ' ');
    if (!target) {
        return false;
    }
    *target++ = '\0';
    char *version = strchr(target, ' ');
    if (!version || strlen(line) > 32 || !all_in(line, token)) {
        return false;
    }
    *version++ = '\0';
    seen->minor = strcmp(version, "HTTP/1.1") == 0;
    return (seen->minor || strcmp(version, "HTTP/1.0") == 0) && target[0] &&
           naive_target(line, target, seen->authority);
}

static void keep(const char *name, const char *value, const char *want, char *kept, int *count) {
    if (strcasecmp(name, want) == 0) {
        strcpy(kept, value);
        ++*count;
    }
}

static bool naive_field(char *line, struct naive *seen) {
    char *value = strchr(line, ':');
    if (!value) {
        return false;
    }
    *value++ = '\0';
    for (const char *at = value; *at; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f) {
            return false;
        }
    }
    value += strspn(value, " \t");
    for (size_t n = strlen(value); n && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--) {
        value[n - 1] = '\0';
    }
    keep(line, value, "host", seen->host, &seen->hosts);
    keep(line, value, "content-length", seen->length, &seen->lengths);
    keep(line, value, "transfer-encoding", seen->coding, &seen->codings);
    keep(line, value, "expect", seen->expect, &seen->expects);
    return all_in(line, token) && ++seen->fields <= MAX_HEADERS;
}

static bool naive_meaning(struct naive *seen) {
    char host[MAX_HEAD];
    strcpy(host, seen->host);
    bool hosted = seen->hosts == 1 ? naive_host(host) : seen->hosts == 0 && seen->minor == 0;
    bool agreed =
        !seen->authority[0] || !seen->hosts || strcasecmp(seen->authority, seen->host) == 0;
    bool measured = seen->lengths == 0 ||
                    (seen->lengths == 1 && all_in(seen->length, DIGITS) &&
                     (seen->length[0] != '0' || !seen->length[1]) && strlen(seen->length) <= 19 &&
                     strtoull(seen->length, NULL, 10) <= INT64_MAX);
    bool coded = seen->codings == 0 || (seen->codings == 1 && seen->minor && !seen->lengths &&
                                        strcasecmp(seen->coding, "chunked") == 0);
    bool expected = !seen->minor || seen->expects == 0 ||
                    (seen->expects == 1 && strcasecmp(seen->expect, "100-continue") == 0);
    return hosted && agreed && measured && coded && expected;
}

// The length of a good head, 0 when there is none at the front.
static size_t naive_head(const char *bytes, size_t len, struct naive *seen) {
    char text[MAX_HEAD + 1];
    memset(seen, 0, sizeof(*seen));
    len = len < MAX_HEAD ? len : MAX_HEAD;
    memcpy(text, bytes, len);
    text[len] = '\0';
    char *line = strncmp(text, "\r\n", 2) == 0 ? text + 2 : text;
    char *end = strstr(line, "\r\n\r\n");
    if (!end || end == line) {
        return 0;
    }
    end[2] = '\0';
    bool first = true;
    while (*line) {
        char *next = strstr(line, "\r\n");
        *next = '\0';
        if (strpbrk(line, "\r\n") ||
            !(first ? naive_request_line(line, seen) : naive_field(line, seen))) {
            return 0;
        }
        first = false;
        line = next + 2;
    }
    return naive_meaning(seen) ? (size_t)(end + 4 - text) : 0;
}

static void check_against_naive(const char *text, size_t len, int rc,
                                const struct http_request *req) {
    struct naive seen;
    size_t head = naive_head(text, len, &seen);
    require(head == (rc > 0 ? (size_t)rc : 0));
    if (rc > 0) {
        require(req->header_count == (size_t)seen.fields && req->minor == seen.minor);
        require((req->body == BODY_CHUNKED) == (seen.codings == 1));
        require((req->body == BODY_LENGTH) == (seen.lengths == 1));
        require(req->content_length == strtoull(seen.length, NULL, 10));
    }
}

static bool same(struct bytes a, struct bytes b) {
    return bytes_equal(a, b) && (a.at == NULL) == (b.at == NULL);
}

static void require_same(const struct http_request *a, const struct http_request *b) {
    require(a->method == b->method && a->minor == b->minor && a->body == b->body);
    require(a->content_length == b->content_length && a->keep_alive == b->keep_alive);
    require(same(a->path, b->path) && same(a->query, b->query));
    require(same(a->authority, b->authority) && a->header_count == b->header_count);
    for (size_t i = 0; i < a->header_count; i++) {
        require(same(a->headers[i].name, b->headers[i].name));
        require(same(a->headers[i].value, b->headers[i].value));
    }
}

// What a server does next.
static void use(const struct http_request *req) {
    struct buf decoded, encoded;
    struct http_query_iter iter;
    struct bytes name, value, origin = http_request_header(req, "origin");
    int64_t ms;
    char text[HTTP_TIME_SIZE];
    buf_init(&decoded, &mem_libc, 0);
    buf_init(&encoded, &mem_libc, 0);
    if (http_path_decode(req->path, &decoded) == 0) {
        require(http_url_encode(buf_bytes(&decoded), "/", &encoded) == 0);
        size_t plain = decoded.len;
        require(http_path_decode(buf_bytes(&encoded), &decoded) == 0);
        require(decoded.len == 2 * plain);
        require(plain == 0 || memcmp(decoded.at, decoded.at + plain, plain) == 0);
    }
    require(http_query_init(&iter, req->query, &decoded) == 0);
    while (http_query_next(&iter, &name, &value) > 0) {
        if (http_time_parse(value, &ms) == 0) {
            int64_t back;
            http_time_format(ms, text);
            require(http_time_parse(bytes_of(text), &back) == 0 && back == ms);
        }
    }
    require(http_negotiate(http_request_header(req, "accept")) <= HTTP_NOT_ACCEPTABLE);
    require(!origin.len || http_origin_match(origin, &origin, 1) != HTTP_ORIGIN_UNKNOWN);
    (void)http_origin_valid(origin);
    (void)http_request_lists(req, "connection", "upgrade");
    buf_finish(&decoded);
    buf_finish(&encoded);
}

struct decoded {
    struct buf data;
    size_t used;
    int rc;
};

static struct decoded decode(const struct http_request *req, const char *text, size_t len,
                             unsigned way) {
    struct decoded decoded = {.rc = HTTP_BODY_MORE};
    struct http_body body;
    http_body_init(&body, req);
    buf_init(&decoded.data, &mem_libc, 0);
    do {
        size_t left = len - decoded.used, piece = piece_size(way, decoded.used);
        size_t some = piece < left ? piece : left;
        char *copy = copy_of(text + decoded.used, some);
        struct bytes in = bytes_make(copy, some), data;
        while ((decoded.rc = http_body_feed(&body, &in, &data)) == HTTP_BODY_PIECE) {
            require(data.len > 0 && buf_append(&decoded.data, data.at, data.len) == 0);
        }
        require(decoded.rc != HTTP_BODY_MORE || in.len == 0);
        decoded.used += some - in.len;
        free(copy);
    } while (decoded.rc == HTTP_BODY_MORE && decoded.used < len);
    return decoded;
}

static void check_body(const struct http_request *req, const char *text, size_t len) {
    struct decoded whole = decode(req, text, len, 0);
    require(whole.data.len <= whole.used);
    for (unsigned way = 1; way < 4; way++) {
        struct decoded other = decode(req, text, len, way);
        require(other.rc == whole.rc && other.used == whole.used);
        require(bytes_equal(buf_bytes(&other.data), buf_bytes(&whole.data)));
        buf_finish(&other.data);
    }
    buf_finish(&whole.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    const char *text = (const char *)bytes;
    static const struct http_request chunked = {.body = BODY_CHUNKED};
    struct http_request req, other;
    char *kept, *other_kept;
    if (len > 4 * MAX_HEAD) {
        return 0;
    }
    int rc = parse(text, len, 0, &req, &kept);
    check_against_naive(text, len, rc, &req);
    for (unsigned way = 1; way < 4; way++) {
        require(parse(text, len, way, &other, &other_kept) == rc);
        if (rc > 0) {
            require_same(&req, &other);
        }
        free(other_kept);
    }
    if (rc > 0) {
        use(&req);
        check_body(&req, text + rc, len - (size_t)rc);
    }
    free(kept);
    check_body(&chunked, text, len);
    return 0;
}
