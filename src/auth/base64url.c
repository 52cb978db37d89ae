// Base64 for URLs, four characters at a time. A last character with bits that mean nothing is refused
// when they are set: otherwise a token could be written in several ways, and be counted as several.
#include "auth/base64url.h"

#include "base/error.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int base64url_decode(struct bytes text, struct buf *out) {
    uint32_t bits = 0;
    unsigned count = 0;
    size_t before = out->len;
    if (text.len % 4 == 1) {
        return ERR_INVALID;
    }
    int rc = buf_reserve(out, text.len / 4 * 3 + 2);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.at[i]);
        if (value < 0) {
            out->len = before;
            return ERR_INVALID;
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out->at[out->len++] = (char)(bits >> count & 0xff);
        }
    }
    if (bits & ((1u << count) - 1)) {
        out->len = before;
        return ERR_INVALID;
    }
    return 0;
}

int base64url_encode(struct bytes bytes, struct buf *out) {
    uint32_t bits = 0;
    unsigned count = 0;
    int rc = buf_reserve(out, bytes.len / 3 * 4 + 4);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | (unsigned char)bytes.at[i];
        for (count += 8; count >= 6; count -= 6) {
            out->at[out->len++] = ALPHABET[bits >> (count - 6) & 63];
        }
    }
    if (count) {
        out->at[out->len++] = ALPHABET[bits << (6 - count) & 63];
    }
    return 0;
}
