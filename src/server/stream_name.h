// The names of streams: what the listener of a connection shows when it asks, on another one, to
// change what it hears. A name is a secret of its listener: whoever knows it may speak for the
// connection, so it is 128 bits from the operating system, it is told in the stream and nowhere
// else, and it ends with the stream. In front of them stands the worker that has the connection.
// It also has what a listener can change who knows it. One thread, the worker's, but for
// stream_name_worker.
#ifndef SERVER_STREAM_NAME_H
#define SERVER_STREAM_NAME_H

#include "base/bytes.h"
#include "base/map.h"

struct stream;
struct worker;
struct server;

enum { STREAM_NAME_LEN = 34 };

struct stream_name {
    struct map_node node; // among the worker's
    struct stream *stream;
    int64_t expires_at; // monotonic: the right to listen ends then; 0: never
    int64_t warns_at;   // when its listener is told of that; 0: there is nothing to be told
    bool told;          // the listener knows the name, because it asked for control events
    char text[STREAM_NAME_LEN];
};

static inline struct bytes stream_name_text(const struct stream_name *name) {
    return bytes_make(name->text, STREAM_NAME_LEN);
}

// A name for a stream that is to come: 0, ERR_NOMEM or ERR_SYSTEM. The caller owns it.
int stream_name_create(struct stream_name **out, const struct worker *worker);

// Gives it back, and takes the stream's name from it if it has one. NULLs the pointer.
void stream_name_destroy(struct stream_name **name);

// From here on the stream is known by this name, which passes to it in either case. 0 or ERR_NOMEM.
int stream_name_give(struct stream_name *name, struct stream *stream);

// The worker that a stream of this name would have; NULL: no stream is called so. Any thread.
struct worker *stream_name_worker(const struct server *server, struct bytes text);

// The stream of this name on this worker, or NULL. What it takes tells nothing of other names.
struct stream *stream_name_find(const struct worker *worker, struct bytes text);

#endif
