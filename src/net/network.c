// Networks. An address with bits beyond its prefix is refused: whoever wrote 10.1.2.3/8 meant
// something else than 10.0.0.0/8, and believing too many is the mistake that matters here.
#include "net/network.h"

#include "base/ip.h"

static const char *const SHAPE = "write a network as 10.0.0.0/8, 2001:db8::/32 or a single "
                                 "address, or unix for those who come by a Unix socket";

static bool parse_ip(struct bytes text, struct network *out) {
    struct address address = {.v4 = {.sin_family = AF_INET}};
    if (ip_parse_v4(text, (uint8_t *)&address.v4.sin_addr)) {
        memcpy(out->ip, peer_of(&address).ip, sizeof(out->ip));
        return true;
    }
    return ip_parse_v6(text, out->ip);
}

static bool is_v4(const struct network *network) {
    struct peer peer = {0};
    memcpy(peer.ip, network->ip, sizeof(peer.ip));
    return peer_is_v4(&peer);
}

static bool bit_at(const uint8_t ip[16], unsigned place) {
    return ip[place / 8] >> (7 - place % 8) & 1;
}

static bool has_bits_beyond(const struct network *network) {
    for (unsigned i = network->bits; i < 128; i++) {
        if (bit_at(network->ip, i)) {
            return true;
        }
    }
    return false;
}

static bool is_unix(const struct network *network) {
    struct peer peer = {0};
    memcpy(peer.ip, network->ip, sizeof(peer.ip));
    return network->bits == 128 && peer_is_unix(&peer);
}

const char *network_parse(const char *text, struct network *out) {
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    uint64_t bits;
    *out = (struct network){.bits = 128};
    if (strcmp(text, "unix") == 0) {
        return NULL;
    }
    if (!parse_ip(bytes_make(text, len), out)) {
        return SHAPE;
    }
    unsigned most = is_v4(out) ? 32 : 128;
    if (slash && !bytes_to_u64(bytes_of(slash + 1), most, &bits)) {
        return SHAPE;
    }
    out->bits = slash ? (uint8_t)(128 - most + bits) : 128;
    if (has_bits_beyond(out)) {
        return "it has bits beyond its prefix: write the network's own address in front of the "
               "slash, as 10.0.0.0/8";
    }
    return is_unix(out) ? SHAPE : NULL; // nobody has the address "::"
}

bool network_has(const struct network *network, const struct peer *peer) {
    if (peer_is_unix(peer) || is_unix(network)) {
        return peer_is_unix(peer) && is_unix(network);
    }
    if (peer_is_v4(peer) != is_v4(network)) {
        return false;
    }
    for (unsigned i = 0; i < network->bits; i++) {
        if (bit_at(network->ip, i) != bit_at(peer->ip, i)) {
            return false;
        }
    }
    return true;
}

bool networks_have(const struct network *networks, size_t count, const struct peer *peer) {
    for (size_t i = 0; i < count; i++) {
        if (network_has(&networks[i], peer)) {
            return true;
        }
    }
    return false;
}
