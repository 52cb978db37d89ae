// IP addresses, as strictly as inet_pton(3): no short forms, no octal, no zones.
#include "base/ip.h"

enum { GROUPS = 8, GROUP_DIGITS = 4 };

bool ip_parse_v4(struct bytes text, uint8_t out[4]) {
    const char *at = text.at, *end = text.at + text.len;
    for (int i = 0; i < 4; i++) {
        const char *from = at;
        uint64_t value;
        while (at < end && *at != '.') {
            at++;
        }
        struct bytes number = bytes_make(from, (size_t)(at - from));
        if ((number.len > 1 && from[0] == '0') || !bytes_to_u64(number, 255, &value)) {
            return false;
        }
        out[i] = (uint8_t)value;
        bool last = i == 3;
        if (last != (at == end)) {
            return false;
        }
        at += last ? 0 : 1;
    }
    return true;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// One to four digits at the front: how many, or 0.
static size_t take_group(struct bytes text, uint8_t out[2]) {
    unsigned value = 0;
    size_t len = 0;
    while (len < text.len && hex_value(text.at[len]) >= 0) {
        if (len == GROUP_DIGITS) {
            return 0;
        }
        value = value << 4 | (unsigned)hex_value(text.at[len++]);
    }
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return len;
}

// Groups with one colon between them, the last two perhaps as IPv4, at most `most` of them: how
// many, or -1. Stops in front of a double colon.
static int take_groups(struct bytes *text, int most, uint8_t *out) {
    int count = 0;
    while (text->len && text->at[0] != ':') {
        if (count + 2 <= most && ip_parse_v4(*text, out + 2 * (size_t)count)) {
            *text = bytes_make(text->at + text->len, 0);
            return count + 2;
        }
        size_t len = count < most ? take_group(*text, out + 2 * (size_t)count) : 0;
        if (len == 0) {
            return -1;
        }
        count++;
        *text = bytes_make(text->at + len, text->len - len);
        bool goes_on = text->len >= 2 && text->at[0] == ':' && text->at[1] != ':';
        if (!goes_on) {
            break;
        }
        *text = bytes_make(text->at + 1, text->len - 1);
    }
    return count;
}

static bool starts_with_double_colon(struct bytes text) {
    return text.len >= 2 && text.at[0] == ':' && text.at[1] == ':';
}

bool ip_parse_v6(struct bytes text, uint8_t out[16]) {
    uint8_t tail[2 * GROUPS];
    memset(out, 0, 2 * GROUPS);
    int head = take_groups(&text, GROUPS, out);
    if (head < 0 || text.len == 0) {
        return head == GROUPS;
    }
    // The double colon stands for one group at least.
    if (!starts_with_double_colon(text) || head == GROUPS) {
        return false;
    }
    text = bytes_make(text.at + 2, text.len - 2);
    int after = take_groups(&text, GROUPS - 1 - head, tail);
    if (after < 0 || text.len) {
        return false;
    }
    memcpy(out + 2 * (GROUPS - (size_t)after), tail, 2 * (size_t)after);
    return true;
}
