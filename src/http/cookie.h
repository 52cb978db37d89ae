// Cookies, as a request brings them (RFC 6265): finding one by its name. Pure: bytes in, bytes out.
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "http/request.h"

// The value of the first cookie of that name, without the quotes that may be around it; .at NULL when
// there is none. Names differ by case. The slice lies in the request.
struct bytes http_cookie(const struct http_request *req, struct bytes name);

#endif
