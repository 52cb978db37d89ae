// Checks the form of host[:port], and compares names by label. Whether an address in brackets is a good
// one is for whoever connects to it; nobody here does.
#include "http/host.h"

#include "base/ip.h"

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

struct bytes http_host_name(struct bytes host) {
    size_t len = host_length(host);
    return bytes_make(host.at, len && host.at[len - 1] == '.' ? len - 1 : len);
}

bool http_host_is_address(struct bytes name) {
    uint8_t ip[16];
    bool bracketed = name.len > 2 && name.at[0] == '[';
    return bracketed ? ip_parse_v6(bytes_make(name.at + 1, name.len - 2), ip)
                     : ip_parse_v4(name, ip);
}

bool http_host_is_localhost(struct bytes name) {
    static const char suffix[] = ".localhost";
    size_t len = sizeof(suffix) - 1;
    bool below = name.len > len &&
                 bytes_equal_nocase(bytes_make(name.at + name.len - len, len), bytes_of(suffix));
    return below || bytes_equal_nocase(name, bytes_of("localhost"));
}

static bool is_pattern(struct bytes entry) {
    return bytes_starts_with(entry, "*.");
}

bool http_host_matches(struct bytes name, struct bytes entry) {
    if (!is_pattern(entry)) {
        return name.len && bytes_equal_nocase(name, entry);
    }
    size_t tail = entry.len - 1; // with the dot
    if (name.len <= tail) {
        return false;
    }
    size_t label = name.len - tail;
    return run_of(name, is_name_char) == name.len && !memchr(name.at, '.', label) &&
           bytes_equal_nocase(bytes_make(name.at + label, tail), bytes_make(entry.at + 1, tail));
}

// A name below which somebody has names of their own: not a top-level domain, under which everybody has.
static bool is_domain(struct bytes name) {
    const char *dot = name.len ? memrchr(name.at, '.', name.len) : NULL;
    if (!dot) {
        return bytes_equal_nocase(name, bytes_of("localhost"));
    }
    const char *end = name.at + name.len;
    return name.at[0] != '.' && dot + 1 < end && !is_digit(dot[1]);
}

bool http_host_entry_valid(struct bytes entry) {
    struct bytes rest = is_pattern(entry) ? bytes_make(entry.at + 2, entry.len - 2) : entry;
    return rest.len && host_length(rest) == rest.len && (!is_pattern(entry) || is_domain(rest));
}
