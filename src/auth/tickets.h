// Tickets: short-lived values that stand for somebody once, for the query string of a browser that can
// send neither header nor cookie. A table with a ceiling; time is an argument. Any thread.
#ifndef AUTH_TICKETS_H
#define AUTH_TICKETS_H

#include <pthread.h>

#include "auth/identity.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"

enum { TICKET_BYTES = 24, TICKET_TEXT = TICKET_BYTES / 3 * 4 };

struct tickets {
    pthread_mutex_t lock;
    struct hash_key key;
    struct map map;    // struct ticket, by what it is
    struct list order; // the same, the one that expires first in front
    size_t most;
};

void tickets_init(struct tickets *tickets, const struct hash_key *key, size_t most);
// Another number of them at a time, for those that come from here on.
void tickets_limit(struct tickets *tickets, size_t most);

void tickets_finish(struct tickets *tickets);

// Makes one that is good for `lasts_ms`, the same for all; writes its text. Takes a reference of its
// own. 0; ERR_TOO_LARGE when there are as many as there may be; ERR_NOMEM; ERR_SYSTEM: there is no
// randomness.
int tickets_issue(struct tickets *tickets, struct identity *identity, int64_t now_ms,
                  int64_t lasts_ms, char text[TICKET_TEXT]);

// Whom it stands for, with the ticket's reference; it stands for nobody from then on. NULL when there
// is no such ticket, or no more.
struct identity *tickets_redeem(struct tickets *tickets, struct bytes text, int64_t now_ms);

#endif
