// The long poll: a subscription that is answered with a JSON array of the events after its cursor,
// at once when there are some, else with the first that come, else empty when its time is up. Read
// with a limit it is a page of history. What it answers is bounded in events and in bytes.
#ifndef SERVER_POLL_H
#define SERVER_POLL_H

#include "server/poll_answer.h"
#include "server/stream.h"

struct poll_request {
    struct exchange *exchange;
    const struct hub_start *start;
    int64_t wait_ms; // 0: answer at once with what there is
    uint64_t limit;  // of events; 0: what one send carries
    struct poll_form form;
    struct bytes first; // a gap that comes before all events: ",{…}", or empty
};

// Joins, or answers at once. Takes the selection over. 0 or ERR_NOMEM.
int poll_open(const struct poll_request *request, struct selection *selection);

// For the handler: the time is up; the exchange is over.
void poll_expired(struct exchange *exchange);
void poll_drop(struct exchange *exchange);

#endif
