// What the backend of --auth-url is told of a request: JSON that says what is asked for, and the headers
// that the settings name. One thread: the worker's.
#ifndef SERVER_AUTH_QUESTION_H
#define SERVER_AUTH_QUESTION_H

#include "auth/grants.h"
#include "server/auth_desk.h"
#include "server/exchange.h"

// Whether a header of this name may be passed on: it says nothing of the connection or the body.
bool auth_question_may_forward(struct bytes name);

// Appends the headers of the request that are passed on, "Name: value" and a NUL each: 0 or ERR_NOMEM.
int auth_question_headers(struct buf *out, const struct exchange *exchange,
                          const struct http_request *req);

// Writes the body, and who asks as far as that is known: 0 or ERR_NOMEM.
int auth_question_body(struct auth_text *text, const struct exchange *exchange,
                       const struct grants *names, enum right right);

#endif
