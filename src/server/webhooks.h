// Telling a receiver of the user's (--webhook-url) when a topic gets its first listener, when it has
// lost its last, and when a connection ends: each at least once, in the order in which it happened, signed.
// No worker ever waits for the receiver.
#ifndef SERVER_WEBHOOKS_H
#define SERVER_WEBHOOKS_H

#include "hub/selection.h"
#include "server/settings.h"

struct server;
struct stream;
struct buf;
struct webhooks;

// Whether the settings will do: 0, or a negative error with server->problem set. The main thread.
int webhooks_check(struct server *server);

// The main thread: as webhooks_check, or ERR_SYSTEM: the operating system gives no thread.
int webhooks_open(struct server *server);

// After the workers: hands over what is left, as far as that takes no longer than a moment.
void webhooks_close(struct server *server);

// A worker holds one more of each of these topics and patterns, or one less. Any thread.
void webhooks_held(struct server *server, const struct selection *selection, bool held);

// The stream is about to end. The worker's thread.
void webhooks_ended(struct stream *stream);

// Adds its metrics. Any thread.
void webhooks_put_metrics(const struct server *server, struct buf *out);

#endif
