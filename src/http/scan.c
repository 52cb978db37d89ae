// The byte grammar as a machine of ten states. A line ends with CR LF and in no other way; a header
// line never goes on in the next.
#include "http/scan.h"

#include "http/error.h"
#include "http/token.h"

enum { SCAN_STEP_END = 1 };

enum {
    AT_START, // before the method, where one empty line may stand
    AT_START_LF,
    IN_METHOD,
    IN_TARGET,
    IN_VERSION,
    AT_LINE_LF,
    AT_FIELD,
    IN_NAME,
    IN_VALUE,
    AT_END_LF,
};

void http_scan_init_head(struct http_scan *scan) {
    *scan = (struct http_scan){.state = AT_START};
}

void http_scan_init_fields(struct http_scan *scan) {
    *scan = (struct http_scan){.state = AT_FIELD};
}

bool http_scan_in_target(const struct http_scan *scan) {
    return scan->state == IN_TARGET;
}

static int go(struct http_scan *scan, uint8_t state) {
    scan->state = state;
    scan->run = 0;
    return 0;
}

static int expect_lf(struct http_scan *scan, char c, uint8_t state) {
    return c == '\n' ? go(scan, state) : HTTP_ERR_LINE_END;
}

static int step_start(struct http_scan *scan, char c) {
    if (c == '\r') {
        return go(scan, AT_START_LF);
    }
    if (!http_is_token_char(c)) {
        return c == '\n' ? HTTP_ERR_LINE_END : HTTP_ERR_METHOD;
    }
    scan->state = IN_METHOD;
    scan->run = 1;
    return 0;
}

static int step_method(struct http_scan *scan, char c) {
    if (c == ' ' && scan->run) {
        return go(scan, IN_TARGET);
    }
    return http_is_token_char(c) && scan->run++ < HTTP_METHOD_MAX ? 0 : HTTP_ERR_METHOD;
}

// The first byte tells the form: a path, "*" or "http…".
static bool begins_target(char c) {
    return c == '/' || c == '*' || c == 'h' || c == 'H';
}

static int step_target(struct http_scan *scan, size_t limit, char c) {
    if (c == ' ' && scan->run) {
        return go(scan, IN_VERSION);
    }
    if (c == '\r' && scan->run) {
        return HTTP_ERR_VERSION;
    }
    // Browsers send '|', '{' and other characters that RFC 3986 leaves out; nobody reads them in
    // two ways. A '#' is refused because whoever takes it for a fragment sees another target.
    if (c <= ' ' || c >= 0x7f || c == '#' || (scan->run == 0 && !begins_target(c))) {
        return HTTP_ERR_TARGET;
    }
    return scan->run++ < limit ? 0 : HTTP_ERR_TARGET_TOO_LONG;
}

static int step_version(struct http_scan *scan, char c) {
    static const char form[] = "HTTP/1.x\r";
    char want = form[scan->run];
    bool digit = c >= '0' && c <= '9';
    if (scan->run == 5 || scan->run == 7) {
        bool known = c == '1' || (c == '0' && scan->run == 7);
        if (!known) {
            return digit ? HTTP_ERR_VERSION_UNSUPPORTED : HTTP_ERR_VERSION;
        }
    } else if (c != want) {
        return c == '\n' && want == '\r' ? HTTP_ERR_LINE_END : HTTP_ERR_VERSION;
    }
    scan->run++;
    return want == '\r' ? go(scan, AT_LINE_LF) : 0;
}

static int step_field(struct http_scan *scan, size_t limit, char c) {
    if (c == '\r') {
        return go(scan, AT_END_LF);
    }
    if (c == ' ' || c == '\t') {
        return HTTP_ERR_FOLDED_FIELD;
    }
    if (!http_is_token_char(c)) {
        return c == '\n' ? HTTP_ERR_LINE_END : HTTP_ERR_FIELD_NAME;
    }
    return scan->fields++ < limit ? go(scan, IN_NAME) : HTTP_ERR_TOO_MANY_FIELDS;
}

static int step_name(struct http_scan *scan, char c) {
    if (c == ':') {
        return go(scan, IN_VALUE);
    }
    return http_is_token_char(c) ? 0 : HTTP_ERR_FIELD_NAME;
}

static bool is_value_char(char c) {
    return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t';
}

static int step_value(struct http_scan *scan, char c) {
    if (c == '\r') {
        return go(scan, AT_LINE_LF);
    }
    if (c == '\n') {
        return HTTP_ERR_LINE_END;
    }
    return is_value_char(c) ? 0 : HTTP_ERR_FIELD_VALUE;
}

// 0 to go on, SCAN_STEP_END behind the last byte, or an enum http_error.
static int step(struct http_scan *scan, struct http_scan_limits limits, char c) {
    switch (scan->state) {
    case AT_START:
        return step_start(scan, c);
    case AT_START_LF:
        return expect_lf(scan, c, IN_METHOD);
    case IN_METHOD:
        return step_method(scan, c);
    case IN_TARGET:
        return step_target(scan, limits.target, c);
    case IN_VERSION:
        return step_version(scan, c);
    case AT_LINE_LF:
        return expect_lf(scan, c, AT_FIELD);
    case AT_FIELD:
        return step_field(scan, limits.fields, c);
    case IN_NAME:
        return step_name(scan, c);
    case IN_VALUE:
        return step_value(scan, c);
    default:
        return c == '\n' ? SCAN_STEP_END : HTTP_ERR_LINE_END;
    }
}

int64_t http_scan_feed(struct http_scan *scan, struct http_scan_limits limits, const char *bytes,
                       size_t len) {
    for (size_t i = 0; i < len; i++) {
        int rc = step(scan, limits, bytes[i]);
        if (rc) {
            return rc < 0 ? rc : (int64_t)i + 1;
        }
    }
    return 0;
}
