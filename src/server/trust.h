// Who is believed about whose connection or request it is: the proxies of --trusted-proxies, and
// nobody else.
#ifndef SERVER_TRUST_H
#define SERVER_TRUST_H

#include "http/request.h"
#include "net/address.h"

struct exchange;
struct server;

// Any thread.
bool trust_has(const struct server *server, const struct peer *peer);

// Notes in the exchange whose request it is: its peer's own, or the client's that the peer speaks
// for, if it is believed. The worker's thread.
void trust_note_client(struct exchange *exchange, const struct http_request *req);

#endif
