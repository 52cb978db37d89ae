// The guard: whether a request may come in at all, by the name under which the server was asked and by
// whose page its browser says it is. Looked at before anything is allocated for it, and before anybody
// asks for whom it speaks. It keeps pages out, not programs: those say what they like. The worker's thread.
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "http/request.h"

struct exchange;
struct server;

// Finds out whether the server is this machine's alone, and names matter even if none is set: after addresses_open and access_open. The main thread.
void guard_open(struct server *server);

// Whether the name is one of the server's; else the exchange is answered, and says which setting helps.
bool guard_knows_host(struct exchange *exchange, const struct http_request *req);

// Whether the page behind the request, if there is one, may do this; else the exchange is answered.
// After exchange_note_origin.
bool guard_admits_page(struct exchange *exchange, const struct http_request *req);

#endif
