// Addresses as people write them and as sockets have them.
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/bytes.h"

enum { ADDRESS_TEXT_MAX = 64 }; // "[v6]:port" and a terminator

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
};

// host:port, [v6]:port or :port (every address); the host is numeric or "localhost". NULL, or a
// sentence that says what is wrong.
const char *address_parse(const char *text, struct address *out);

// Writes host:port or [v6]:port, terminated.
void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX]);

unsigned address_port(const struct address *address);
bool address_is_loopback(const struct address *address);

// The end of a connection in 20 bytes, because every connection keeps one.
struct peer {
    uint8_t ip[16]; // IPv4 as ::ffff:a.b.c.d
    uint16_t port;
};
struct peer peer_of(const struct address *address);
void peer_format(const struct peer *peer, char out[ADDRESS_TEXT_MAX]);

#endif
