// The form of host[:port], as the Host header and a URL carry it: a name or an IPv4 address
// (letters, digits, "-._~"), or an IPv6 address in brackets; a port from 0 to 65535 if there is a
// colon. No user, no percent-escapes, no list. Pure: any thread, nothing fails.
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include "base/bytes.h"

bool http_host_valid(struct bytes host);

// The name or address of a valid host[:port], without the port, and without a dot at its end.
struct bytes http_host_name(struct bytes host);

// Of such a name: whether it is an IP address, which no name server can point elsewhere; whether it is
// localhost or below it, which no name server is asked for (RFC 6761).
bool http_host_is_address(struct bytes name);
bool http_host_is_localhost(struct bytes name);

// Whether a name is what an entry of a list says, in any case. "*.example.com" stands for one label in
// front of .example.com: not for example.com, nor for a.b.example.com.
bool http_host_matches(struct bytes name, struct bytes entry);

// Whether an entry could ever match: a name or an address without a port, or an asterisk in place of
// the first label of a name of two labels or more behind it (or of localhost). For checking a
// configuration.
bool http_host_entry_valid(struct bytes entry);

#endif
