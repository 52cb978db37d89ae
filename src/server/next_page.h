// The way to the next page: the query of a request, with another place to start.
#ifndef SERVER_NEXT_PAGE_H
#define SERVER_NEXT_PAGE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "hub/id.h"

// Appends "?", the parameters of this (raw) query as they were, without those that say where to
// start, and "last_event_id=": an id may follow. As a reference it is relative to the request's own
// URL, and safe between < and >. 0, ERR_NOMEM, or ERR_INVALID for a bad escape.
int next_page_query(struct bytes query, struct buf *out);

// The same in a snapshot that goes up to this place, which `latest` then names. 0: there is none.
int next_page_of_snapshot(struct bytes query, event_id snapshot, struct buf *out);

#endif
