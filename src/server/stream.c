// Heartbeats, ages and ends of streams.
#include "server/stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/identity.h"
#include "base/clock.h"
#include "base/error.h"
#include "hub/control.h"
#include "server/live.h"
#include "server/stream_name.h"
#include "server/webhooks.h"
#include "server/worker.h"

enum { WARNING_MS = 30000, TRY_AGAIN_MS = 1000 };

static struct stream *stream_of(struct subscriber *subscriber) {
    return container_of(subscriber, struct stream, subscriber);
}

static ptrdiff_t on_send(struct subscriber *subscriber, const struct bytes *pieces, int count) {
    struct stream *stream = stream_of(subscriber);
    ptrdiff_t taken = stream->ops->send(stream, pieces, count);
    if (taken > 0) {
        stream->last_sent = worker_now(stream->worker);
    }
    return taken;
}

static void on_leaving(struct subscriber *subscriber) {
    webhooks_ended(stream_of(subscriber));
}

static void on_delivered(struct subscriber *subscriber, uint32_t stamp) {
    latency_note(&stream_of(subscriber)->worker->latency, stamp, clock_mono_us());
}

static void on_finished(struct subscriber *subscriber) {
    struct stream *stream = stream_of(subscriber);
    stream->complete = true;
    stream->ops->end(stream, bytes_make(NULL, 0));
}

static void on_unaffordable(struct subscriber *subscriber) {
    struct stream *stream = stream_of(subscriber);
    worker_limit_hit(stream->worker, LIMIT_PINNED);
    stream->ops->end(stream, bytes_make(NULL, 0));
}

static void on_lags(struct subscriber *subscriber) {
    struct stream *stream = stream_of(subscriber);
    stream->ops->end(stream, bytes_make(NULL, 0));
}

static struct frame *on_aside(struct subscriber *subscriber) {
    struct stream *stream = stream_of(subscriber);
    return stream->talk ? stream->talk->ops->aside(stream) : NULL;
}

static void on_held(struct hub *hub, const struct selection *selection, bool held) {
    webhooks_held(container_of(hub, struct worker, hub)->server, selection, held);
}

const struct hub_ops stream_hub_ops = {
    .send = on_send,
    .leaving = on_leaving,
    .finished = on_finished,
    .unaffordable = on_unaffordable,
    .lags = on_lags,
    .delivered = on_delivered,
    .aside = on_aside,
    .held = on_held,
};

void stream_init(struct stream *stream, struct worker *worker, const struct stream_ops *ops) {
    *stream = (struct stream){.worker = worker, .ops = ops};
    list_init(&stream->subscriber.link);
    stream->number = server_next_number(worker->server);
    list_push_back(&worker->streams, &stream->link);
    hub_count(&worker->counters.opened, 1);
}

int stream_bound(struct stream *stream, uint64_t events, size_t bytes) {
    struct subscriber_bound *bound = calloc(1, sizeof(*bound));
    if (!bound) {
        return ERR_NOMEM;
    }
    bound->events = events;
    bound->bytes = bytes;
    stream->subscriber.bound = bound;
    return 0;
}

void stream_finish(struct stream *stream) {
    webhooks_ended(stream);
    identity_unref(stream->identity);
    stream->identity = NULL;
    hub_leave(&stream->subscriber);
    stream_name_destroy(&stream->name);
    live_destroy(&stream->live);
    free(stream->subscriber.bound);
    stream->subscriber.bound = NULL;
    if (stream->talk) {
        stream->talk->ops->finish(stream);
    }
    list_remove(&stream->link);
    quotas_give_listener(stream->worker->server, &stream->held);
    identity_unref(stream->key);
    stream->key = NULL;
    hub_count(&stream->worker->counters.ended, 1);
}

static int64_t heartbeat_of(const struct stream *stream) {
    return stream->worker->server->settings->heartbeat_ms;
}

// 0 is never.
static int64_t earlier(int64_t a, int64_t b) {
    return a && (!b || a < b) ? a : b;
}

static void set_deadline(struct stream *stream, int64_t now) {
    int64_t heartbeat = heartbeat_of(stream);
    int64_t at = stream->closes_at;
    if (stream->name) {
        at = earlier(at, earlier(stream->name->expires_at, stream->name->warns_at));
    }
    if (heartbeat) {
        // A stalled stream is not silent by choice: look again after a whole interval.
        int64_t next = stream->last_sent + heartbeat;
        next = next > now ? next : now + heartbeat;
        at = earlier(at, next);
    }
    at = earlier(at, stream->live ? live_due(stream->live) : 0);
    at = earlier(at, stream->talk ? stream->talk->until : 0);
    if (at) {
        stream->ops->set_deadline(stream, at);
    }
}

void stream_rearm(struct stream *stream) {
    set_deadline(stream, worker_now(stream->worker));
}

void stream_started(struct stream *stream) {
    struct worker *worker = stream->worker;
    int64_t age = worker->server->settings->max_age_ms;
    int64_t now = worker_now(worker);
    stream->opened = clock_wall_ms();
    stream->last_sent = now;
    if (age) {
        // A tenth of jitter, so that listeners that came together do not come back together.
        stream->closes_at = now + random_between(&worker->random, age - age / 10, age);
    }
    set_deadline(stream, now);
}

void stream_expire_in(struct stream *stream, int64_t ms) {
    int64_t now = worker_now(stream->worker);
    int64_t at = ms < INT64_MAX - now ? now + ms : 0;
    struct stream_name *name = stream->name;
    if (name) {
        name->expires_at = at;
        int64_t before = ms / 2 < WARNING_MS ? ms / 2 : WARNING_MS;
        name->warns_at = at && name->told ? at - before : 0;
    } else {
        stream->closes_at = earlier(stream->closes_at, at);
    }
    set_deadline(stream, now);
}

void stream_expire_at_most(struct stream *stream, int64_t ms) {
    const struct stream_name *name = stream->name;
    int64_t now = worker_now(stream->worker);
    if (ms != INT64_MAX && (!name || !name->expires_at || now + ms < name->expires_at)) {
        stream_expire_in(stream, ms);
    }
}

void stream_live_by(struct stream *stream, struct identity *identity) {
    identity_unref(stream->key);
    stream->key = identity && identity->by_key ? identity_ref(identity) : NULL;
}

// It is tried again a little later when the listener is just being sent something.
static void tell_expiring(struct stream *stream, int64_t now) {
    struct stream_name *name = stream->name;
    char data[64];
    struct frame *frame;
    int len = snprintf(data, sizeof(data), "{\"expires_in\":%lld}",
                       (long long)(name->expires_at - now) / 1000);
    int rc = control_event(&frame, &mem_libc, "freshet.expiring", bytes_make(data, (size_t)len));
    name->warns_at = rc == 0 && hub_tell(&stream->subscriber, frame) ? 0 : now + TRY_AGAIN_MS;
}

static bool is_due(int64_t at, int64_t now) {
    return at && now >= at;
}

void stream_tick(struct stream *stream) {
    int64_t now = worker_now(stream->worker);
    struct stream_name *name = stream->name;
    if (is_due(stream->closes_at, now) || (name && is_due(name->expires_at, now))) {
        stream_end(stream);
        return;
    }
    if (name && is_due(name->warns_at, now)) {
        tell_expiring(stream, now);
    }
    if (stream->live && now >= live_due(stream->live)) {
        live_tell(stream->live, stream, now);
    }
    struct talk *talk = stream->talk;
    if (talk && talk->until && now >= talk->until) {
        talk->until = 0;
        talk->ops->end(stream, TALK_LATE);
    }
    int64_t heartbeat = heartbeat_of(stream);
    if (heartbeat && now >= stream->last_sent + heartbeat) {
        hub_heartbeat(&stream->subscriber);
    }
    set_deadline(stream, now);
}

void stream_end(struct stream *stream) {
    struct worker *worker = stream->worker;
    const struct subscriber *subscriber = &stream->subscriber;
    int64_t retry = worker->server->settings->retry_ms;
    char text[40], packed[sizeof(text) + GZIP_END_SIZE];
    bool draining = server_is_draining(worker->server);
    if (stream->talk && stream->talk->ops->end(stream, draining ? TALK_DRAIN : TALK_AGE)) {
        return;
    }
    // Between events only: inside a half-sent one it would become part of it.
    bool between = subscriber->state == SUBSCRIBER_LIVE && !subscriber->part;
    bool comes_back = between && subscriber->feed->encoding == ENCODING_EVENT_STREAM;
    int len = snprintf(text, sizeof(text), "retry: %lld\n",
                       (long long)random_between(&worker->random, retry, 2 * retry));
    struct bytes last = bytes_make(text, comes_back ? (size_t)len : 0);
    if (between && subscriber->body) {
        last = bytes_make(packed, pack_write_end(subscriber->body, last, packed));
    }
    webhooks_ended(stream);
    hub_leave(&stream->subscriber);
    stream->ops->end(stream, last);
}

void stream_end_within(struct stream *stream, int64_t ms) {
    int64_t now = worker_now(stream->worker);
    stream->closes_at = now + random_between(&stream->worker->random, 0, ms);
    stream->ops->set_deadline(stream, stream->closes_at);
}
