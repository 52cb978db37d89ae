// The figures of the server, once a second, for a listener of /api/live: what has been counted since the start, what is
// there now, and how long events took in the last second. Control events, so they are in no history,
// have no id and no topic, and a listener that is slow misses some. The worker's thread.
#ifndef SERVER_LIVE_H
#define SERVER_LIVE_H

#include <stdint.h>

#include "base/buf.h"

struct live;
struct server;
struct stream;

enum { LIVE_EVERY_MS = 1000 };

// From here on workers look who lags. 0 or ERR_NOMEM.
int live_create(struct live **out, struct server *server, int64_t now);

// NULLs the pointer; NULL is harmless.
void live_destroy(struct live **live);

// When the next are due: monotonic milliseconds.
int64_t live_due(const struct live *live);

// Says them to the stream, unless something is under way there.
void live_tell(struct live *live, struct stream *stream, int64_t now);

// The same as a control event in the event-stream format, for the beginning: 0 or a negative error.
int live_append(struct live *live, struct buf *out);

#endif
