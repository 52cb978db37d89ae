// Which origins (RFC 6454) may use the server from a page: a list of exact ones, or "*" for all. It
// decides; it writes no headers. Pure: any thread.
#ifndef HTTP_ORIGIN_H
#define HTTP_ORIGIN_H

#include "http/request.h"

// Whether the value of an Origin header is in the list. Case does not matter (scheme and host have
// none). "null", the origin of sandboxed pages and files, matches "*" or an entry that says so.
bool http_origin_allowed(struct bytes origin, const struct bytes *list, size_t count);

// Whether the request comes from a page of the server's own, or from no page at all, as its browser says:
// by Sec-Fetch-Site, which knows through any proxy, or else by an Origin with the host that was asked.
bool http_origin_is_own(const struct http_request *req);

// Whether an entry of the list could ever match: "*", "null" or scheme://host[:port] and nothing
// behind it. For checking a configuration.
bool http_origin_valid(struct bytes entry);

#endif
