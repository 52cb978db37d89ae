// Rates: how much publishers may hand in. Every event is charged to the one who publishes it, to the
// address, and to each of its topics, as an event and with its bytes; it is taken when all of them can
// pay, and otherwise nobody does. Over all workers. What is not limited is not counted. Any thread.
#ifndef SERVER_RATES_H
#define SERVER_RATES_H

#include "auth/rate.h"
#include "server/exchange.h"

struct server;
struct publish_item;

enum rates_of {
    RATE_PUBLISHER_EVENTS,
    RATE_PUBLISHER_BYTES,
    RATE_ADDRESS_EVENTS,
    RATE_ADDRESS_BYTES,
    RATE_TOPIC_EVENTS,
    RATE_TOPIC_BYTES,
    RATES_OF,
};

struct rates {
    atomic_bool on; // any of them is limited
    struct rate of[RATES_OF];
};

// The main thread's; they cannot fail.
void rates_open(struct server *server);
// As the settings are now.
void rates_reload(struct server *server);
void rates_close(struct server *server);

// Charges for an event that is about to be published. 0; or so many whole seconds have to pass before
// there is enough, and it was counted for what.
int rates_charge(struct exchange *exchange, const struct frame *frame);

// Answers with 429 and Retry-After; `published` events of the same request went out before.
void rates_answer(struct exchange *exchange, int seconds, uint64_t published);

// The two in one, for an exchange with a single event. True when it was answered.
bool rates_refuse(struct exchange *exchange, const struct frame *frame);

// The same for one of a batch: gives its frame back and says in the item why.
void rates_refuse_item(struct exchange *exchange, struct publish_item *item);

#endif
