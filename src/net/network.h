// Networks in CIDR form, to say whom to believe. Pure: any thread, nothing is allocated.
#ifndef NET_NETWORK_H
#define NET_NETWORK_H

#include "net/address.h"

struct network {
    uint8_t ip[16]; // as in struct peer; all zero and 128 bits: whoever comes by a Unix socket
    uint8_t bits;   // of `ip`
};

// 10.0.0.0/8, 2001:db8::/32, a single address, or "unix". NULL, or a sentence that says what is
// wrong.
const char *network_parse(const char *text, struct network *out);

// IPv4 is in networks of IPv4 only, and so on for IPv6 and Unix sockets: ::/0 has neither of the
// others.
bool network_has(const struct network *network, const struct peer *peer);

// Whether any of them has it.
bool networks_have(const struct network *networks, size_t count, const struct peer *peer);

#endif
