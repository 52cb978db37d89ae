// The header that a proxy puts in front of a connection to say whose it is: the PROXY protocol of
// HAProxy, version 1 (a line) and version 2 (binary). Pure: any thread, nothing is allocated.
// Whether the proxy may be believed is for the caller.
#ifndef NET_PROXY_PROTOCOL_H
#define NET_PROXY_PROTOCOL_H

#include <stddef.h>

#include "net/address.h"

enum {
    PROXY_V1_MAX = 107,     // with its line end, as the specification says
    PROXY_HEADER_MAX = 4096 // of version 2, with everything that is skipped in it
};

struct proxy_header {
    bool known; // `source` is set. Otherwise the connection is the proxy's own (a health check), or
                // it cannot say whose it is
    struct peer source;
};

// Reads the header at the front of `in`. More than 0: the bytes that it takes, and *out is filled.
// 0: it is not complete yet, and all that there is belongs to it; call again with the same bytes
// and more behind them. ERR_INVALID: it is none, or a malformed one; ERR_TOO_LARGE: it is longer
// than PROXY_HEADER_MAX. It is decided on the first byte that can not be right.
int proxy_protocol_parse(struct bytes in, struct proxy_header *out);

#endif
