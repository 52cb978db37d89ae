// The form of host[:port], as the Host header and a URL carry it: a name or an IPv4 address
// (letters, digits, "-._~"), or an IPv6 address in brackets; a port from 0 to 65535 if there is a
// colon. No user, no percent-escapes, no list. Pure: any thread, nothing fails.
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include "base/bytes.h"

bool http_host_valid(struct bytes host);

#endif
