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

const char *address_parse_unix(struct bytes path, struct address *out) {
    *out = (struct address){.un = {.sun_family = AF_UNIX}, .len = sizeof(out->un)};
    if (path.len == 0 || path.at[0] != '/') {
        return "write the whole path of a Unix socket, as unix:/run/freshet.sock";
    }
    if (path.len >= sizeof(out->un.sun_path)) {
        return "the path is too long: the system takes 107 bytes";
    }
    memcpy(out->un.sun_path, path.at, path.len);
    return NULL;
}

// A name without a path begins with a NUL, and its length is all that ends it.
static void format_unix(const struct address *address, char out[ADDRESS_TEXT_MAX]) {
    size_t head = offsetof(struct sockaddr_un, sun_path);
    size_t len = address->len > head ? address->len - head : 0;
    const char *path = address->un.sun_path;
    if (len && path[0] == '\0') {
        snprintf(out, ADDRESS_TEXT_MAX, "unix:@%.*s", (int)len - 1, path + 1);
    } else {
        snprintf(out, ADDRESS_TEXT_MAX, "unix:%.*s", (int)len, path);
    }
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX]) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->any.sa_family == AF_UNIX) {
        format_unix(address, out);
    } else if (address->any.sa_family == AF_INET) {
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

bool address_is_local(const struct address *address) {
    switch (address->any.sa_family) {
    case AF_INET:
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
    default:
        return address->any.sa_family == AF_UNIX;
    }
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

bool peer_is_unix(const struct peer *peer) {
    static const uint8_t nothing[16];
    return memcmp(peer->ip, nothing, sizeof(nothing)) == 0;
}

bool peer_is_v4(const struct peer *peer) {
    return memcmp(peer->ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

void peer_format(const struct peer *peer, char out[ADDRESS_TEXT_MAX]) {
    char host[INET6_ADDRSTRLEN] = "?";
    bool v4 = peer_is_v4(peer);
    if (peer_is_unix(peer)) {
        snprintf(out, ADDRESS_TEXT_MAX, "unix");
        return;
    }
    if (v4) {
        inet_ntop(AF_INET, peer->ip + sizeof(v4_prefix), host, sizeof(host));
    } else {
        inet_ntop(AF_INET6, peer->ip, host, sizeof(host));
    }
    if (peer->port == 0) {
        snprintf(out, ADDRESS_TEXT_MAX, "%s", host);
    } else {
        snprintf(out, ADDRESS_TEXT_MAX, v4 ? "%s:%u" : "[%s]:%u", host, peer->port);
    }
}
