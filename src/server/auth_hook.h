// Asking the backend of --auth-url whether a request may do what its token, if it has one, does not
// say. A route notes what it needs to know, with access_want(), and then waits: before it has begun, and
// begins once more when there is an answer; or after the body of the request, and ends once more. The
// second time nothing is asked: what was not granted is refused. One thread: the worker's.
#ifndef SERVER_AUTH_HOOK_H
#define SERVER_AUTH_HOOK_H

#include "auth/grants.h"
#include "server/exchange.h"
#include "server/settings.h"

struct server;

// Whether the settings name a backend, and what is wrong with them: NULL or a sentence.
bool auth_hook_wanted(const struct settings *settings);
const char *auth_hook_problem(const struct settings *settings);

// The main thread: 0, or a negative error with server->problem set.
int auth_hook_open(struct server *server);

// Notes that the backend has to be asked about this. False when it cannot be: there is none, it has been
// asked, or there is no room; then what is not allowed already is not allowed.
bool auth_hook_note(struct exchange *exchange, struct bytes name, enum right right);

// Remembers what the backend gets to see of this head, for a route that finds out later what it has to
// ask: 0 or ERR_NOMEM.
int auth_hook_remember(struct exchange *exchange, const struct http_request *req);

// What the backend gets to see of this head, appended to `out`, for requests of the same client that come
// without a head of their own: 0 or ERR_NOMEM. Nothing when there is no backend.
int auth_hook_keep(const struct exchange *exchange, const struct http_request *req,
                   struct buf *out);

// Remembers for this exchange what was kept of another one's head: 0 or ERR_NOMEM.
int auth_hook_recall(struct exchange *exchange, struct bytes kept);

// Asks about what was noted. True when the handler must return 0 and do nothing more: the exchange waits
// until `begin` is called once more (exchange->undecided says so to the session), or was answered. False:
// nothing was noted.
bool auth_hook_holds_begin(struct exchange *exchange, const struct http_request *req);

// The same from `end`, of an exchange whose head was remembered.
bool auth_hook_holds_end(struct exchange *exchange);

// Whether the backend is being asked for this exchange.
bool auth_hook_waits(const struct exchange *exchange);

// The answer is there: calls the handler's `begin` once more, or answers. Returns as router_begin.
int auth_hook_begin_again(struct exchange *exchange);

// The exchange is over.
void auth_hook_drop(struct exchange *exchange);

// Adds its metrics.
void auth_hook_put_metrics(const struct server *server, struct buf *out);

#endif
