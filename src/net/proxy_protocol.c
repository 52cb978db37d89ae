// The PROXY protocol, read strictly. What is not exactly in the specification is refused: on such
// a connection nothing behind the header could be trusted. What follows the addresses in version 2
// (TLVs) is walked to see that it is whole, and not used.
#include "net/proxy_protocol.h"

#include "base/error.h"
#include "base/ip.h"

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";
static const char v1_signature[6] = "PROXY ";

enum {
    V2_HEAD = 16,
    V2_VERSION = 0x20,
    V2_LOCAL = 0,
    V2_PROXY = 1,
    V2_UNSPEC = 0x00,
    V2_TCP4 = 0x11,
    V2_TCP6 = 0x21,
    V2_UNIX = 0x31,
    TLV_HEAD = 3,
};

// Nobody sends from these; and "::" would be taken for a Unix socket.
static bool is_unspecified(const struct peer *peer) {
    static const uint8_t nothing[4];
    return peer_is_unix(peer) ||
           (peer_is_v4(peer) && memcmp(peer->ip + 12, nothing, sizeof(nothing)) == 0);
}

static int know(struct proxy_header *out, const struct address *source) {
    out->source = peer_of(source);
    out->known = true;
    return is_unspecified(&out->source) ? ERR_INVALID : 0;
}

static unsigned big_endian(const char *at) {
    return (unsigned)(uint8_t)at[0] << 8 | (uint8_t)at[1];
}

static bool tlvs_are_whole(struct bytes rest) {
    while (rest.len >= TLV_HEAD) {
        size_t len = TLV_HEAD + big_endian(rest.at + 1);
        if (len > rest.len) {
            return false;
        }
        rest = bytes_make(rest.at + len, rest.len - len);
    }
    return rest.len == 0;
}

// How long the addresses of a family and transport are; -1 for one that may not come here.
static int addresses_length(unsigned kind) {
    switch (kind) {
    case V2_UNSPEC:
        return 0;
    case V2_TCP4:
        return 12;
    case V2_TCP6:
        return 36;
    case V2_UNIX:
        return 216;
    default:
        return -1;
    }
}

static int v2_source(unsigned kind, const char *at, struct proxy_header *out) {
    struct address source = {0};
    if (kind == V2_TCP4) {
        source.v4.sin_family = AF_INET;
        memcpy(&source.v4.sin_addr, at, 4);
        memcpy(&source.v4.sin_port, at + 8, 2);
        return know(out, &source);
    }
    if (kind == V2_TCP6) {
        source.v6.sin6_family = AF_INET6;
        memcpy(&source.v6.sin6_addr, at, 16);
        memcpy(&source.v6.sin6_port, at + 32, 2);
        return know(out, &source);
    }
    return 0; // a path on the proxy's machine says nothing here
}

static int v2_block(unsigned kind, struct bytes block, struct proxy_header *out) {
    int len = addresses_length(kind);
    if (len < 0 || (size_t)len > block.len) {
        return ERR_INVALID;
    }
    // Who cannot say what it carries may put anything there.
    if (kind != V2_UNSPEC && !tlvs_are_whole(bytes_make(block.at + len, block.len - (size_t)len))) {
        return ERR_INVALID;
    }
    return v2_source(kind, block.at, out);
}

static int parse_v2(struct bytes in, struct proxy_header *out) {
    unsigned command = in.len > 12 ? (uint8_t)in.at[12] : V2_VERSION;
    if (command != (V2_VERSION | V2_LOCAL) && command != (V2_VERSION | V2_PROXY)) {
        return ERR_INVALID;
    }
    bool local = command == (V2_VERSION | V2_LOCAL);
    unsigned kind = in.len > 13 ? (uint8_t)in.at[13] : V2_UNSPEC;
    if (!local && addresses_length(kind) < 0) {
        return ERR_INVALID;
    }
    if (in.len < V2_HEAD) {
        return 0;
    }
    size_t len = V2_HEAD + big_endian(in.at + 14);
    if (len > PROXY_HEADER_MAX) {
        return ERR_TOO_LARGE;
    }
    if (in.len < len) {
        return 0;
    }
    int rc = local ? 0 : v2_block(kind, bytes_make(in.at + V2_HEAD, len - V2_HEAD), out);
    return rc ? rc : (int)len;
}

// The next word of the line, which one space or the end of the line follows.
static struct bytes take_word(struct bytes *line) {
    size_t len = 0;
    while (len < line->len && line->at[len] != ' ') {
        len++;
    }
    struct bytes word = bytes_make(line->at, len);
    size_t taken = len < line->len ? len + 1 : len;
    *line = bytes_make(line->at + taken, line->len - taken);
    return word;
}

static bool parse_ip(struct bytes word, int family, struct address *out) {
    *out = (struct address){.any = {.sa_family = (sa_family_t)family}};
    return family == AF_INET ? ip_parse_v4(word, (uint8_t *)&out->v4.sin_addr)
                             : ip_parse_v6(word, out->v6.sin6_addr.s6_addr);
}

static bool parse_port(struct bytes word, uint64_t *port) {
    bool leading_zero = word.len > 1 && word.at[0] == '0';
    return !leading_zero && bytes_to_u64(word, 65535, port);
}

// "a.b.c.d e.f.g.h 1234 5678"
static int v1_addresses(struct bytes line, int family, struct proxy_header *out) {
    struct address source, target;
    uint64_t port, target_port;
    bool whole = line.len && line.at[line.len - 1] != ' ';
    if (!whole || !parse_ip(take_word(&line), family, &source) ||
        !parse_ip(take_word(&line), family, &target) || !parse_port(take_word(&line), &port) ||
        !parse_port(take_word(&line), &target_port) || line.len) {
        return ERR_INVALID;
    }
    if (family == AF_INET) {
        source.v4.sin_port = htons((uint16_t)port);
    } else {
        source.v6.sin6_port = htons((uint16_t)port);
    }
    return know(out, &source);
}

static int v1_line(struct bytes line, struct proxy_header *out) {
    struct bytes family = take_word(&line);
    if (bytes_is(family, "TCP4")) {
        return v1_addresses(line, AF_INET, out);
    }
    if (bytes_is(family, "TCP6")) {
        return v1_addresses(line, AF_INET6, out);
    }
    return bytes_is(family, "UNKNOWN") ? 0 : ERR_INVALID; // whatever follows UNKNOWN
}

static int parse_v1(struct bytes in, struct proxy_header *out) {
    size_t head = sizeof(v1_signature), most = in.len < PROXY_V1_MAX ? in.len : PROXY_V1_MAX;
    const char *cr = most > head ? memchr(in.at + head, '\r', most - head) : NULL;
    size_t len = cr ? (size_t)(cr - in.at) : most;
    if (memchr(in.at, '\n', len)) {
        return ERR_INVALID;
    }
    if (!cr || len + 2 > most) {
        return most == PROXY_V1_MAX ? ERR_INVALID : 0;
    }
    int rc = cr[1] == '\n' ? v1_line(bytes_make(in.at + head, len - head), out) : ERR_INVALID;
    return rc ? rc : (int)len + 2;
}

static bool begins_like(struct bytes in, const char *signature, size_t len) {
    return memcmp(in.at, signature, in.len < len ? in.len : len) == 0;
}

int proxy_protocol_parse(struct bytes in, struct proxy_header *out) {
    *out = (struct proxy_header){0};
    if (in.len == 0) {
        return 0;
    }
    if (begins_like(in, v2_signature, sizeof(v2_signature))) {
        return parse_v2(in, out);
    }
    return begins_like(in, v1_signature, sizeof(v1_signature)) ? parse_v1(in, out) : ERR_INVALID;
}
