// Quotas: how many connections and listeners there may be at a time for one address, one subject and
// one topic, over all workers. Whoever takes one holds it until it ends. What is not limited is not
// counted. Any thread.
#ifndef SERVER_QUOTAS_H
#define SERVER_QUOTAS_H

#include "auth/quota.h"
#include "hub/selection.h"
#include "server/counters.h"
#include "server/exchange.h"

struct server;

struct quotas {
    struct quota connections;                      // by address
    struct quota by_address, by_subject, by_topic; // of listeners
    atomic_bool of_listeners;                      // any of the last three is limited
};

// What one listener holds.
struct held;

// The main thread's; they cannot fail.
void quotas_open(struct server *server);
// As the settings are now.
void quotas_reload(struct server *server);
void quotas_close(struct server *server);

// For a connection from this peer: 0 and what quota_give wants back (perhaps NULL); otherwise it was
// counted why not. Trusted proxies are not limited, because their connections are everybody's.
int quotas_take_connection(struct worker *worker, const struct peer *peer,
                           struct quota_entry **hold);
void quotas_give_connection(struct worker *worker, struct quota_entry **hold);

// For a listener to these topics, into exchange->held, which the stream takes with quotas_move; 0,
// ERR_NOMEM, or ERR_TOO_LARGE, which was counted.
int quotas_take_listener(struct exchange *exchange, const struct selection *selection);

// From the exchange to the stream that it has become.
void quotas_move(struct exchange *exchange, struct stream *stream);

// The stream hears `next` from here on, instead of `now`: takes what is new. 0 and *before is what the
// stream held, of which quotas_give_listener gives back what it does not hold any more; or ERR_NOMEM,
// or ERR_TOO_LARGE, which was counted, and nothing has changed.
int quotas_change(struct stream *stream, const struct selection *now, const struct selection *next,
                  struct held **before);

// It goes on hearing what it heard before.
void quotas_change_back(struct stream *stream, struct held **before);

// Gives everything back; NULLs the pointer, and NULL is harmless.
void quotas_give_listener(struct server *server, struct held **held);

#endif
