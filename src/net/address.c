// Numeric addresses only: what a server listens on should not depend on a resolver.
#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const SHAPE = "write an address as 127.0.0.1:8042, [::1]:8042 or :8042";

static bool parse_port(struct bytes text, in_port_t *port) {
    uint64_t value;
    if (!bytes_to_u64(text, 65535, &value)) {
        return false;
    }
    *port = htons((uint16_t)value);
    return true;
}

static bool set_v4(struct address *out, const char *host, in_port_t port) {
    out->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    out->len = sizeof(out->v4);
    return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1;
}

static bool set_v6(struct address *out, const char *host, in_port_t port) {
    out->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
    out->len = sizeof(out->v6);
    return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1;
}

const char *address_parse(const char *text, struct address *out) {
    char host[ADDRESS_TEXT_MAX];
    const char *colon = strrchr(text, ':');
    in_port_t port;
    *out = (struct address){0};
    if (!colon || (size_t)(colon - text) >= sizeof(host) ||
        !parse_port(bytes_of(colon + 1), &port)) {
        return SHAPE;
    }
    size_t len = (size_t)(colon - text);
    memcpy(host, text, len);
    host[len] = '\0';
    if (len == 0) {
        return set_v4(out, "0.0.0.0", port) ? NULL : SHAPE;
    }
    if (strcmp(host, "localhost") == 0) {
        return set_v4(out, "127.0.0.1", port) ? NULL : SHAPE;
    }
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        return set_v6(out, host + 1, port) ? NULL : SHAPE;
    }
    return set_v4(out, host, port) ? NULL : SHAPE;
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX]) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
        snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(address->v4.sin_port));
    } else {
        inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
        snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(address->v6.sin6_port));
    }
}

unsigned address_port(const struct address *address) {
    bool v4 = address->any.sa_family == AF_INET;
    return ntohs(v4 ? address->v4.sin_port : address->v6.sin6_port);
}

bool address_is_loopback(const struct address *address) {
    if (address->any.sa_family == AF_INET) {
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct peer peer_of(const struct address *address) {
    struct peer peer = {0};
    if (address->any.sa_family == AF_INET) {
        memcpy(peer.ip, v4_prefix, sizeof(v4_prefix));
        memcpy(peer.ip + sizeof(v4_prefix), &address->v4.sin_addr, 4);
        peer.port = ntohs(address->v4.sin_port);
    } else if (address->any.sa_family == AF_INET6) {
        memcpy(peer.ip, &address->v6.sin6_addr, 16);
        peer.port = ntohs(address->v6.sin6_port);
    }
    return peer;
}

void peer_format(const struct peer *peer, char out[ADDRESS_TEXT_MAX]) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (memcmp(peer->ip, v4_prefix, sizeof(v4_prefix)) == 0) {
        inet_ntop(AF_INET, peer->ip + sizeof(v4_prefix), host, sizeof(host));
        snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host, peer->port);
    } else {
        inet_ntop(AF_INET6, peer->ip, host, sizeof(host));
        snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%u", host, peer->port);
    }
}
