// The small change of header values: tokens, and lists parted by commas (RFC 9110, 5.6). Pure: any
// thread, nothing fails.
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include "base/bytes.h"

// What a method, a header name or an element of a list may be made of.
static inline bool http_is_token_char(char c) {
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

// Not empty, and nothing but such characters.
bool http_is_token(struct bytes text);

// Takes the next piece off the front of *list, up to `stop` or the end, without the blanks around
// it; a `stop` within a quoted string does not count. Empty pieces are passed over; false when
// there is none left.
bool http_list_next(struct bytes *list, char stop, struct bytes *piece);

#endif
