// Which origins (RFC 6454) may use the server from a page: a list of exact ones, of patterns, or "*" for
// all. It decides; it writes no headers. Pure: any thread.
//
// In a pattern an asterisk stands for one label at the front of the host (https://*.example.com), or
// for any port or none (http://localhost:*); anywhere else, and in the scheme, there is none.
#ifndef HTTP_ORIGIN_H
#define HTTP_ORIGIN_H

#include "http/request.h"

enum http_origin_match {
    HTTP_ORIGIN_UNKNOWN,
    HTTP_ORIGIN_ANY,   // only "*" lets it in
    HTTP_ORIGIN_NAMED, // an entry says so
};

// What the list says of the value of an Origin header. Case does not matter (scheme and host have
// none). "null", the origin of sandboxed pages and files, matches "*" or an entry that says so.
enum http_origin_match http_origin_match(struct bytes origin, const struct bytes *list,
                                         size_t count);

// Whether what the server says of an origin ("*", "null" or an origin) is somebody's: only then may
// cookies count, since everybody's pages have the other two.
bool http_origin_has_owner(const char *origin);

// Whether the request comes from a page of the server's own, or from no page at all, as its browser says:
// by Sec-Fetch-Site, which knows through any proxy, or else by an Origin with the host that was asked.
bool http_origin_is_own(const struct http_request *req);

// Whether an entry of the list could ever match: "*", "null" or scheme://host[:port], or a pattern of
// that, and nothing behind it. For checking a configuration.
bool http_origin_valid(struct bytes entry);

#endif
