// A poll is a stream whose bytes go into an answer. Its feed encodes each event as an item with a
// comma in front; the first comma becomes the opening bracket, so the shared bytes are used as they
// are.
#include "server/poll.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "server/worker.h"

struct poll {
    struct stream stream; // first: `stream` and `poll` are the same address to stream_ops
    struct exchange *exchange;
    struct buf items;
    int64_t expires; // monotonic
    bool answered;
};

static struct poll *poll_of(const struct stream *stream) {
    return container_of(stream, struct poll, stream);
}

static void answer(struct poll *poll) {
    struct exchange *exchange = poll->exchange;
    char cursor[ID_TEXT_MAX];
    event_id reached = poll->stream.subscriber.id;
    poll->answered = true;
    hub_leave(&poll->stream.subscriber);
    if (poll->items.len) {
        poll->items.at[0] = '[';
    }
    int rc = buf_append_text(&poll->items, poll->items.len ? "]" : "[]");
    if (rc) {
        exchange_refuse(exchange, rc);
        return;
    }
    struct reply reply = {
        .status = 200, .type = "application/json", .body = buf_bytes(&poll->items)};
    reply_add(&reply, "Cache-Control", bytes_of("no-cache, no-store, no-transform"));
    reply_add(&reply, "Vary", bytes_of("Accept"));
    reply_add(&reply, "Last-Event-ID", bytes_make(cursor, id_format(reached, cursor)));
    reply_add_cors(&reply, exchange);
    exchange->ops->reply(exchange, &reply); // frees the poll
}

static ptrdiff_t take_items(struct stream *stream, const struct bytes *pieces, int count) {
    struct poll *poll = poll_of(stream);
    size_t taken = 0;
    for (int i = 0; i < count; i++) {
        if (buf_append(&poll->items, pieces[i].at, pieces[i].len)) {
            worker_limit_hit(stream->worker, LIMIT_MEMORY);
            answer(poll); // with what there is room for
            return ERR_GONE;
        }
        taken += pieces[i].len;
    }
    return (ptrdiff_t)taken;
}

static void on_end(struct stream *stream, struct bytes last) {
    (void)last;
    struct poll *poll = poll_of(stream);
    if (!poll->answered) {
        answer(poll);
    }
}

// Draining may end it sooner than it asked, never later.
static void set_deadline(struct stream *stream, int64_t at) {
    const struct poll *poll = poll_of(stream);
    at = at < poll->expires ? at : poll->expires;
    poll->exchange->ops->wait(poll->exchange, at - worker_now(stream->worker));
}

static struct peer peer(const struct stream *stream) {
    const struct exchange *exchange = poll_of(stream)->exchange;
    return exchange->ops->peer(exchange);
}

static const struct stream_ops poll_stream_ops = {
    .send = take_items,
    .end = on_end,
    .set_deadline = set_deadline,
    .peer = peer,
};

int poll_open(const struct poll_request *request, struct selection *selection) {
    struct exchange *exchange = request->exchange;
    struct worker *worker = exchange->worker;
    struct poll *poll = calloc(1, sizeof(*poll));
    if (!poll) {
        selection_destroy(&selection);
        return ERR_NOMEM;
    }
    poll->exchange = exchange;
    buf_init(&poll->items, &mem_libc, 0);
    stream_init(&poll->stream, worker, &poll_stream_ops);
    exchange->state = poll;
    struct hub_start start = *request->start;
    // A gap that is known already is an answer in itself, together with what history has.
    int64_t wait = request->first.len ? 0 : request->wait_ms;
    start.flags = (uint8_t)((start.flags & ~SUBSCRIBER_TELL) | SUBSCRIBER_ONCE |
                            (wait ? 0 : SUBSCRIBER_NO_WAIT));
    int rc = buf_append(&poll->items, request->first.at, request->first.len);
    if (rc) {
        selection_destroy(&selection);
        return rc; // poll_drop frees the rest
    }
    poll->stream.opened = clock_wall_ms();
    poll->expires = worker_now(worker) + wait;
    rc = hub_join(&worker->hub, selection, ENCODING_ITEMS, &poll->stream.subscriber, &start);
    if (rc == 0 && wait) {
        exchange->ops->wait(exchange, wait);
    }
    return rc;
}

void poll_expired(struct exchange *exchange) {
    answer(exchange->state);
}

void poll_drop(struct exchange *exchange) {
    struct poll *poll = exchange->state;
    if (poll) {
        stream_finish(&poll->stream);
        buf_finish(&poll->items);
        free(poll);
        exchange->state = NULL;
    }
}
