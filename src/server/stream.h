// A stream: the place where a cursor meets a connection. It belongs to a session, which moves its
// bytes; the hub moves its cursor. One thread: the worker's.
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include "hub/hub.h"
#include "net/address.h"

struct stream;
struct stream_name;
struct worker;

// How the bytes travel: one for each kind of session, and one for polls.
struct stream_ops {
    // As hub_ops.send: bytes taken, or a negative number when the connection is gone (and the
    // stream with it).
    ptrdiff_t (*send)(struct stream *stream, const struct bytes *pieces, int count);

    // Ends the stream, after these last bytes if they can be sent whole at once.
    void (*end)(struct stream *stream, struct bytes last);

    // Asks for stream_tick at this monotonic time.
    void (*set_deadline)(struct stream *stream, int64_t at);

    struct peer (*peer)(const struct stream *stream);

    // The protocol that carries it, as people are told: "h1" or "h2".
    const char *(*protocol)(const struct stream *stream);
};

struct stream {
    struct subscriber subscriber;
    struct list link; // among the worker's streams, oldest first
    const struct stream_ops *ops;
    struct worker *worker;
    struct stream_name *name; // the listener's secret, or NULL; owned
    uint64_t number;          // unique in this process
    int64_t opened;           // wall clock
    int64_t last_sent;        // monotonic, like the next
    int64_t closes_at;        // 0: no maximum age
    bool complete;            // it has had all that it asked for, and ends by itself
};

// A new stream that has not joined yet.
void stream_init(struct stream *stream, struct worker *worker, const struct stream_ops *ops);

// Before it joins: it ends by itself after so many events, or when the next one has no room. 0 or
// ERR_NOMEM.
int stream_bound(struct stream *stream, uint64_t events, size_t bytes);

// Leaves the hub and the worker's list. The session calls it before the memory goes.
void stream_finish(struct stream *stream);

// Joined: starts the heartbeat and the maximum age.
void stream_started(struct stream *stream);

// The right to listen ends in this time: so does the stream, at the latest.
void stream_expire_in(struct stream *stream, int64_t ms);

// What is due by the clock: a heartbeat, or the end.
void stream_tick(struct stream *stream);

// Ends it in such a way that an EventSource comes back: a jittered `retry:` and a close.
void stream_end(struct stream *stream);

// During drain: ends it at a random time within the next `ms`.
void stream_end_within(struct stream *stream, int64_t ms);

// What the hub calls.
extern const struct hub_ops stream_hub_ops;

#endif
