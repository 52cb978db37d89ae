// For whom limits count, as keys of the tables in auth/: the network of an address (IPv4 /32, IPv6 /64:
// one household has no more than that) and the subject of a token, or the name
// of an API key. Keyed hashes. Any thread.
#ifndef SERVER_LIMIT_KEYS_H
#define SERVER_LIMIT_KEYS_H

#include "server/exchange.h"

struct server;

// False for the other end of a Unix socket, which has no address.
bool limit_key_address(const struct server *server, const struct peer *peer, uint64_t *key);

// False when the one who asks has no token, or one that names nobody.
bool limit_key_subject(const struct exchange *exchange, uint64_t *key);

// Who publishes: the subject, or else the address; all who come by Unix sockets are one.
uint64_t limit_key_publisher(const struct exchange *exchange);

#endif
