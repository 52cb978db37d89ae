// Access: for whom a request speaks, and whether they may. Without rules everybody may do everything.
// The worker's thread, except where it says otherwise.
#ifndef SERVER_ACCESS_H
#define SERVER_ACCESS_H

#include <pthread.h>

#include "auth/identity.h"
#include "auth/tickets.h"
#include "server/exchange.h"
#include "server/rules.h"

struct server;
struct key_source;
struct selection;
struct auth_desk;

struct access {
    pthread_mutex_t lock;      // of the pointer
    struct rules *rules;       // NULL: there are none
    pthread_mutex_t making;    // of rules; of the next two
    struct buf *fetched;       // what each of --jwt-keys-url gave last
    struct key_source *source; // NULL: no keys come from URLs
    struct auth_desk *desk;    // where --auth-url is asked; NULL: nowhere
    bool opened;
    bool tokens; // of requests are looked at; else they are the backend's alone
    bool on;     // there are rules; for as long as the server lives
    struct tickets tickets;
};

// Whether the rules can be made: 0, or a negative error with server->problem set. The main thread.
int access_check(struct server *server);

int access_open(struct server *server);
void access_close(struct server *server);

// New rules, from these settings and from the files as they are now, into *out, beside those in force:
// 0, or a negative error and a sentence. NULL: there are none, as there were. Between access_lock and
// access_unlock, which keep out whoever else makes rules. The main thread.
void access_lock(struct server *server);
void access_unlock(struct server *server);
int access_prepare(struct server *server, const struct settings *settings, struct rules **out,
                   char problem[RULES_PROBLEM_MAX]);

// Puts them in force, which takes them over: after the settings, and with the lock still held.
void access_commit(struct server *server, struct rules *rules);

// Finds out for whom the request speaks, into exchange->identity. False when it brought what cannot be
// accepted: then the exchange is answered.
bool access_identify(struct exchange *exchange, const struct http_request *req);

// Whether the one who asks may do this with the topic or pattern.
bool access_allows(const struct exchange *exchange, struct bytes name, enum right right);

// The same for an identity (NULL: nobody in particular). Any thread.
bool access_covers(struct server *server, const struct identity *identity, struct bytes name,
                   enum right right);

// The same; when they may not, the exchange is answered, with 401 or 403, and the name.
bool access_demand(struct exchange *exchange, struct bytes name, enum right right);

// The same of a route that goes on only after auth_hook_holds_begin (or _end): where nobody knows yet, it
// is noted that the backend has to be asked, and true.
bool access_want(struct exchange *exchange, struct bytes name, enum right right);

// The same for every topic and pattern of a selection.
bool access_want_all(struct exchange *exchange, const struct selection *selection,
                     enum right right);

// Whether the page behind the request, if there is one, may speak for the owner of its cookies.
bool access_may_use_cookie(const struct exchange *exchange, const struct http_request *req);

// Answers that a token is needed.
void access_challenge(struct exchange *exchange, const char *detail);

// Whether they may see and change what belongs to all; else the exchange is answered.
bool access_demand_admin(struct exchange *exchange);

// What they may hear of the selection by a token or key of their own, and not because everyone may: of
// that private events too.
void access_make_privy(struct server *server, const struct identity *identity,
                       struct selection *selection);

// Whether private events can be kept private here; else the sentence for 400.
extern const char access_private_problem[];
bool access_keeps_private(const struct server *server);

// What a text that somebody sent as theirs says, into exchange->identity, as access_identify.
bool access_take(struct exchange *exchange, struct bytes text);

// Whether they may still do what they began: the API key is still there, nothing has expired. Takes
// the rights that the key has by now.
bool access_still(struct exchange *exchange);

// For whom the API key of this hash speaks, with a reference; NULL: there is none. Any thread.
struct identity *access_key_now(struct server *server, const unsigned char *hash);

// The rules as they are now, with a reference. There are some. Any thread.
struct rules *access_borrow(struct access *access);

// A ticket for the one who asks, with exchange->identity: as tickets_issue.
int access_issue_ticket(struct exchange *exchange, char text[TICKET_TEXT]);

// How long an identity still holds, in milliseconds; INT64_MAX: for ever. Any thread.
int64_t access_lasts_ms(const struct server *server, const struct identity *identity);

// The same for all that an exchange may: until the first of its token and the backend's word ends.
int64_t access_granted_ms(const struct exchange *exchange);

#endif
