// Base64 for URLs (RFC 4648, section 5) as tokens use it: no padding, no white space, and only one
// way to write the same bytes.
#ifndef AUTH_BASE64URL_H
#define AUTH_BASE64URL_H

#include "base/buf.h"

// Appends what the text stands for: 0; ERR_INVALID, ERR_NOMEM or ERR_TOO_LARGE, and then `out` is as
// it was.
int base64url_decode(struct bytes text, struct buf *out);

// Appends the text of these bytes: 0, ERR_NOMEM or ERR_TOO_LARGE.
int base64url_encode(struct bytes bytes, struct buf *out);

#endif
