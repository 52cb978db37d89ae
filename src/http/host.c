// Checks the form of host[:port]. Whether an address in brackets is a good one is for whoever
// connects to it; nobody here does.
#include "http/host.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c) {
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || (c && strchr("-._~", c));
}

static bool is_address_char(char c) {
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'f') || is_digit(c) || c == ':' || c == '.';
}

static size_t run_of(struct bytes text, bool belongs(char c)) {
    size_t len = 0;
    while (len < text.len && belongs(text.at[len])) {
        len++;
    }
    return len;
}

// The length of the host at the front; 0 when there is none.
static size_t host_length(struct bytes text) {
    if (text.len == 0 || text.at[0] != '[') {
        return run_of(text, is_name_char);
    }
    size_t len = run_of(bytes_make(text.at + 1, text.len - 1), is_address_char);
    bool closed = len >= 2 && len + 1 < text.len && text.at[len + 1] == ']';
    return closed ? len + 2 : 0;
}

bool http_host_valid(struct bytes host) {
    size_t len = host_length(host);
    if (len == 0 || len == host.len) {
        return len > 0;
    }
    struct bytes port = bytes_make(host.at + len + 1, host.len - len - 1);
    uint64_t number;
    return host.at[len] == ':' && port.len <= 5 && bytes_to_u64(port, UINT16_MAX, &number);
}
