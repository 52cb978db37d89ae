// The byte grammar of a head: which byte may stand where in a request line and in header lines,
// and where it all ends. One byte is looked at once, however the input is cut, and the first byte
// that can not be right is refused on the spot. It knows nothing of what a header means, keeps no
// pointer and allocates nothing.
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { HTTP_METHOD_MAX = 32 };

struct http_scan {
    uint8_t state;
    size_t run;    // length so far of the method, the target or the version
    size_t fields; // header lines begun
};

struct http_scan_limits {
    size_t target, fields;
};

// At the start of a request line, or at the start of header lines (for trailers).
void http_scan_init_head(struct http_scan *scan);
void http_scan_init_fields(struct http_scan *scan);

// Looks at `len` bytes that follow those of the calls before. The number that belong to the head
// when its end is among them, 0 when it is not, or an enum http_error. Not to be called after an
// error or after the end.
int64_t http_scan_feed(struct http_scan *scan, struct http_scan_limits limits, const char *bytes,
                       size_t len);

// The scan stands inside the target: what is too long is the target, not the headers.
bool http_scan_in_target(const struct http_scan *scan);

#endif
