// A poll is a stream whose bytes go into an answer. Its feed encodes each event as an item with a
// comma in front; the first comma becomes the opening bracket, so the shared bytes are used as they
// are. A page of many events is put together in several turns of the loop, a send's worth each, as
// the hub serves everyone who is behind.
#include "server/poll.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "server/next_page.h"
#include "server/worker.h"

struct poll {
    struct stream stream; // first: `stream` and `poll` are the same address to stream_ops
    struct exchange *exchange;
    struct buf items;
    struct buf link; // to the next page, up to the id
    int64_t expires; // monotonic
    bool answered;
};

static struct poll *poll_of(const struct stream *stream) {
    return container_of(stream, struct poll, stream);
}

// 1 when there is a link to the next page, 0 when this is the last, or ERR_NOMEM.
static int complete_link(struct poll *poll, struct bytes cursor) {
    if (!poll->stream.subscriber.bound->more) {
        return 0;
    }
    int rc = buf_append(&poll->link, cursor.at, cursor.len);
    rc = rc ? rc : buf_append_text(&poll->link, ">; rel=\"next\"");
    return rc ? rc : 1;
}

static void answer(struct poll *poll) {
    struct exchange *exchange = poll->exchange;
    char text[ID_TEXT_MAX];
    struct subscriber *s = &poll->stream.subscriber;
    struct bytes cursor = bytes_make(text, id_format(s->id, text));
    poll->answered = true;
    s->bound->more |= s->feed && s->id < s->feed->floor; // its time was up while it read history
    hub_leave(s);
    if (s->bound->cramped) {
        worker_limit_hit(exchange->worker, LIMIT_ANSWER);
    }
    if (poll->items.len) {
        poll->items.at[0] = '[';
    }
    int rc = buf_append_text(&poll->items, poll->items.len ? "]" : "[]");
    int more = rc ? rc : complete_link(poll, cursor);
    if (more < 0) {
        exchange_refuse(exchange, more);
        return;
    }
    struct reply reply = {
        .status = 200, .type = "application/json", .body = buf_bytes(&poll->items)};
    reply_add(&reply, "Cache-Control", bytes_of("no-cache, no-store, no-transform"));
    reply_add(&reply, "Vary", bytes_of("Accept"));
    reply_add(&reply, "Last-Event-ID", cursor);
    if (more) {
        reply_add(&reply, "Link", buf_bytes(&poll->link));
    }
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply); // frees the poll
}

static ptrdiff_t take_items(struct stream *stream, const struct bytes *pieces, int count) {
    struct poll *poll = poll_of(stream);
    struct subscriber_bound *bound = stream->subscriber.bound;
    size_t taken = 0;
    bound->more = true; // until the hub says that it has everything
    for (int i = 0; i < count; i++) {
        if (buf_append(&poll->items, pieces[i].at, pieces[i].len)) {
            worker_limit_hit(stream->worker, LIMIT_MEMORY);
            answer(poll); // with what there is room for
            return ERR_GONE;
        }
        taken += pieces[i].len;
    }
    bound->bytes -= taken < bound->bytes ? taken : bound->bytes;
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
    return poll_of(stream)->exchange->client;
}

static const char *protocol(const struct stream *stream) {
    return poll_of(stream)->exchange->ops->protocol;
}

static const struct stream_ops poll_stream_ops = {
    .send = take_items,
    .end = on_end,
    .set_deadline = set_deadline,
    .peer = peer,
    .protocol = protocol,
};

// What can fail, before it joins.
static int prepare(struct poll *poll, const struct poll_request *request) {
    size_t most = request->exchange->worker->server->settings->max_answer;
    size_t used = request->first.len + strlen("[]");
    int rc = buf_append(&poll->items, request->first.at, request->first.len);
    rc = rc ? rc : buf_append_text(&poll->link, "<");
    rc = rc ? rc : next_page_query(request->query, &poll->link);
    return rc ? rc
              : stream_bound(&poll->stream, request->limit ? request->limit : UINT64_MAX,
                             most > used ? most - used : 0);
}

static int join(struct poll *poll, const struct poll_request *request,
                struct selection *selection) {
    struct exchange *exchange = request->exchange;
    struct worker *worker = exchange->worker;
    struct hub_start start = *request->start;
    // A gap that is known already is an answer in itself, together with what history has.
    int64_t wait = request->first.len ? 0 : request->wait_ms;
    unsigned flags =
        SUBSCRIBER_ONCE | (wait ? 0 : SUBSCRIBER_NO_WAIT) | (request->limit ? SUBSCRIBER_ALL : 0);
    start.flags = (uint8_t)((start.flags & ~SUBSCRIBER_TELL) | flags);
    poll->stream.opened = clock_wall_ms();
    poll->expires = worker_now(worker) + wait;
    int rc = hub_join(&worker->hub, selection, ENCODING_ITEMS, &poll->stream.subscriber, &start);
    if (rc == 0 && wait) {
        exchange->ops->wait(exchange, wait);
    }
    return rc;
}

int poll_open(const struct poll_request *request, struct selection *selection) {
    struct poll *poll = calloc(1, sizeof(*poll));
    if (!poll) {
        selection_destroy(&selection);
        return ERR_NOMEM;
    }
    poll->exchange = request->exchange;
    buf_init(&poll->items, &mem_libc, 0);
    buf_init(&poll->link, &mem_libc, 0);
    stream_init(&poll->stream, request->exchange->worker, &poll_stream_ops);
    request->exchange->state = poll;
    int rc = prepare(poll, request);
    if (rc) {
        selection_destroy(&selection);
        return rc; // poll_drop frees the rest
    }
    return join(poll, request, selection);
}

void poll_expired(struct exchange *exchange) {
    answer(exchange->state);
}

void poll_drop(struct exchange *exchange) {
    struct poll *poll = exchange->state;
    if (poll) {
        stream_finish(&poll->stream);
        buf_finish(&poll->items);
        buf_finish(&poll->link);
        free(poll);
        exchange->state = NULL;
    }
}
