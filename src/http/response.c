// Response heads and problem documents. Everything is appended to the one buffer; when anything
// fails the buffer goes back to the length it had, so a half-written head never leaves the machine.
#include "http/response.h"

#include "base/error.h"
#include "base/json.h"
#include "http/token.h"

struct reason {
    int status;
    const char *text;
};

static const struct reason reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_reason(int status) {
    static const char *const classes[] = {"Informational", "Success", "Redirection", "Client Error",
                                          "Server Error"};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return status >= 100 && status < 600 ? classes[status / 100 - 1] : "Unknown";
}

static bool is_value(struct bytes value) {
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static int append_header(struct buf *out, struct bytes name, struct bytes value) {
    if (!http_is_token(name) || !is_value(value)) {
        return ERR_INVALID;
    }
    int rc = buf_append(out, name.at, name.len);
    rc = rc ? rc : buf_append(out, ": ", 2);
    rc = rc ? rc : buf_append(out, value.at, value.len);
    return rc ? rc : buf_append(out, "\r\n", 2);
}

// The headers that say how the message is framed, and when it was made.
static int append_framing(struct buf *out, const struct http_response *response) {
    static const char *const connections[] = {
        [HTTP_CONNECTION_SILENT] = "",
        [HTTP_CONNECTION_CLOSE] = "Connection: close\r\n",
        [HTTP_CONNECTION_UPGRADE] = "Connection: Upgrade\r\n",
        [HTTP_CONNECTION_KEEP_ALIVE] = "Connection: keep-alive\r\n",
    };
    int rc = 0;
    if (response->date.len) {
        rc = append_header(out, bytes_of("Date"), response->date);
    }
    if (rc == 0 && response->has_length) {
        rc = buf_printf(out, "Content-Length: %llu\r\n", (unsigned long long)response->length);
    }
    return rc ? rc : buf_append_text(out, connections[response->connection]);
}

static int append_head(struct buf *out, const struct http_response *response) {
    if (response->status < 100 || response->status > 999) {
        return ERR_INVALID;
    }
    int rc = buf_printf(out, "HTTP/1.1 %d %s\r\n", response->status, http_reason(response->status));
    rc = rc ? rc : append_framing(out, response);
    for (size_t i = 0; i < response->header_count && rc == 0; i++) {
        rc = append_header(out, response->headers[i].name, response->headers[i].value);
    }
    return rc ? rc : buf_append(out, "\r\n", 2);
}

int http_response_head(struct buf *out, const struct http_response *response) {
    size_t before = out->len;
    int rc = append_head(out, response);
    out->len = rc ? before : out->len;
    return rc;
}

static int append_problem(struct buf *out, int status, struct bytes detail) {
    int rc = buf_append_text(out, "{\"type\":\"about:blank\",\"title\":");
    rc = rc ? rc : json_append_string(out, bytes_of(http_reason(status)));
    rc = rc ? rc : buf_printf(out, ",\"status\":%d", status);
    if (detail.len) {
        rc = rc ? rc : buf_append_text(out, ",\"detail\":");
        rc = rc ? rc : json_append_string(out, detail);
    }
    return rc ? rc : buf_append_text(out, "}\n");
}

int http_problem_body(struct buf *out, int status, struct bytes detail) {
    size_t before = out->len;
    int rc = append_problem(out, status, detail);
    out->len = rc ? before : out->len;
    return rc;
}
