// Addresses as people write them and as sockets have them.
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/bytes.h"

enum { ADDRESS_TEXT_MAX = 128 }; // "[v6]:port" or "unix:" and a path, and a terminator

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    };
    socklen_t len;
};

// host:port, [v6]:port or :port (every address); the host is numeric or "localhost". NULL, or a
// sentence that says what is wrong.
const char *address_parse(const char *text, struct address *out);

// The address of a Unix socket: a whole path. NULL, or a sentence that says what is wrong.
const char *address_parse_unix(struct bytes path, struct address *out);

// Writes host:port, [v6]:port or unix:/path (unix:@name without a path), terminated.
void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX]);

unsigned address_port(const struct address *address);

// Whether only this machine can reach it: 127.0.0.0/8, ::1 and Unix sockets.
bool address_is_local(const struct address *address);

// The end of a connection in 20 bytes, because every connection keeps one.
struct peer {
    uint8_t ip[16]; // IPv4 as ::ffff:a.b.c.d; all zero behind a Unix socket
    uint16_t port;  // 0: not known
};
struct peer peer_of(const struct address *address);

// It came by a Unix socket. No peer of another kind looks like it: nobody sends from "::".
bool peer_is_unix(const struct peer *peer);
bool peer_is_v4(const struct peer *peer);

// Writes host:port or [v6]:port, without a port that is not known; "unix" for a Unix socket.
void peer_format(const struct peer *peer, char out[ADDRESS_TEXT_MAX]);

#endif
