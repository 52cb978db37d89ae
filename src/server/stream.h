// A stream: the place where a cursor meets a connection. It belongs to a session, which moves its
// bytes; the hub moves its cursor. One thread: the worker's.
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include "hub/hub.h"
#include "net/address.h"

struct stream;
struct stream_name;
struct live;
struct held;
struct identity;
struct worker;
struct identity;

// Why a talk is to end.
enum talk_end {
    TALK_AGE,   // the stream has its maximum age
    TALK_DRAIN, // the server is ending
    TALK_LATE,  // the peer began to say something, and does not come to an end
    TALK_HEAVY, // too much is kept for the peer
};

// Who speaks on a stream beside the hub, with a peer that speaks as well: WebSocket. None of these
// ends the stream before it returns; that comes from the hub, or from the stream's deadline.
struct talk_ops {
    // Bytes that came on the stream, in order; and that no more will come.
    void (*input)(struct stream *stream, struct bytes in);
    void (*input_ended)(struct stream *stream);

    // As hub_ops.aside.
    struct frame *(*aside)(struct stream *stream);

    // The peer has another token or key by now, for whom it speaks.
    void (*renewed)(struct stream *stream, struct identity *identity);

    // Says why it ends, and ends it soon. False when that was done before: it is to end now.
    bool (*end)(struct stream *stream, enum talk_end why);

    // The stream goes: frees the talk.
    void (*finish)(struct stream *stream);
};

struct talk {
    const struct talk_ops *ops;
    int64_t until; // monotonic: what the peer has begun to say must be complete; 0: nothing
    size_t held;   // bytes that are kept for the peer
};

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
    struct talk *talk; // NULL: nobody but the hub speaks, and the peer is not heard
    struct worker *worker;
    struct stream_name *name;  // the listener's secret, or NULL; owned
    struct live *live;         // the figures that it is told every second, or NULL; owned
    struct held *held;         // of quotas; NULL: nothing
    struct identity *identity; // who listens, if anybody is told when that ends; else NULL
    struct identity *key;      // the API key that it lives by, with a reference; NULL: by none
    uint64_t number;           // unique in this process
    int64_t opened;            // wall clock
    int64_t last_sent;         // monotonic, like the next
    int64_t closes_at;         // 0: no maximum age
    bool told;                 // that it ends, or that is no news
    bool complete;             // it has had all that it asked for, and ends by itself
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

// The right to listen ends in this time (INT64_MAX: never): so does the stream, at the latest. The
// listener of one with a name is told before, by freshet.expiring, and may have it renewed: then this
// is called again.
void stream_expire_in(struct stream *stream, int64_t ms);

// The same, where it may only become sooner.
void stream_expire_at_most(struct stream *stream, int64_t ms);

// From here on it lives by this identity: if that is an API key's, no longer than the key is there.
void stream_live_by(struct stream *stream, struct identity *identity);

// What is due has changed: asks for the next stream_tick anew.
void stream_rearm(struct stream *stream);

// What is due by the clock: a heartbeat, or the end.
void stream_tick(struct stream *stream);

// Ends it in such a way that an EventSource comes back: a jittered `retry:` and a close.
void stream_end(struct stream *stream);

// During drain: ends it at a random time within the next `ms`.
void stream_end_within(struct stream *stream, int64_t ms);

// What the hub calls.
extern const struct hub_ops stream_hub_ops;

#endif
