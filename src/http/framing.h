// What the headers say about the message itself: whose it is (Host), where its body ends
// (Content-Length, Transfer-Encoding), what becomes of the connection (Connection, Expect). All
// that request smuggling is made of is refused here, as far as single bytes did not give it away.
// Pure.
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include "http/request.h"

// Fills authority, body, content_length, keep_alive and expect_continue from the rest of *req. 0 or
// an enum http_error.
int http_framing_read(struct http_request *req);

#endif
