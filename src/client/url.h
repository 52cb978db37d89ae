// URLs as the client needs them: built from a server's address and topics, taken apart for their
// credentials, compared by origin. One thread (libcurl's URL parser is behind it). Functions that
// append leave the buffer as it was when they fail, and end what they wrote with a NUL that does
// not count.
#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include <stdbool.h>

#include "base/buf.h"

// Whether it is http:// or https:// with a host.
bool url_is_http(const char *url);
bool url_is_https(const char *url);

// `base`, without slashes at its end, and `path`: ERR_INVALID when base is no http URL or has a
// query or a fragment; ERR_NOMEM.
int url_join(struct buf *out, const char *base, const char *path);

// Appends "?name=value", or "&name=value" when there is a query already, percent-encoded. 0 or
// ERR_NOMEM.
int url_add_parameter(struct buf *out, const char *name, struct bytes value);

// Appends the text percent-encoded, but for letters, digits, "-._~" and what is in `keep`.
int url_encode(struct buf *out, struct bytes text, const char *keep);

// The URL without user, password and fragment into `out`, and those two, decoded, into theirs
// (empty when absent). ERR_INVALID or ERR_NOMEM; then part may have been written.
int url_take_credentials(const char *url, struct buf *out, struct buf *user, struct buf *password);

// Scheme, host and port are the same.
bool url_same_origin(const char *a, const char *b);

#endif
