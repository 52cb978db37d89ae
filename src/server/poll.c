// A poll is a stream whose bytes go into an answer. Its feed encodes each event as an item with a
// comma in front, once for all who stand at one cursor. A page of many events is put together in
// several turns of the loop, a send's worth each, as the hub serves everyone who is behind. What all
// unfinished pages of a worker hold is bounded: beyond that each goes out with what it has.
#include "server/poll.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "server/poll_answer.h"
#include "server/worker.h"

struct poll {
    struct stream stream; // first: `stream` and `poll` are the same address to stream_ops
    struct exchange *exchange;
    struct poll_answer answer;
    size_t held;     // bytes of it that the worker has counted
    int64_t expires; // monotonic
    bool answered;
};

static struct poll *poll_of(const struct stream *stream) {
    return container_of(stream, struct poll, stream);
}

static void answer(struct poll *poll) {
    struct subscriber *s = &poll->stream.subscriber;
    poll->answered = true;
    s->bound->more |= s->feed && hub_reads_past(s); // its time was up while it read history
    hub_leave(s);
    if (s->bound->cramped && s->bound->more) {
        worker_limit_hit(poll->exchange->worker, LIMIT_ANSWER);
    }
    poll_answer_send(&poll->answer, poll->exchange, s->id, s->bound->more); // frees the poll
}

// Counts what it holds among what all pages of the worker hold. A page that finds no room is
// complete: one portion it has had, so that each gets on.
static void hold(struct poll *poll, size_t taken) {
    struct worker *worker = poll->stream.worker;
    struct subscriber_bound *bound = poll->stream.subscriber.bound;
    poll->held += taken;
    worker->pages += taken;
    if (worker->pages > WORKER_PAGES_MAX && !bound->enough) {
        bound->enough = bound->cramped = true;
    }
}

static ptrdiff_t take_items(struct stream *stream, const struct bytes *pieces, int count) {
    struct poll *poll = poll_of(stream);
    struct subscriber_bound *bound = stream->subscriber.bound;
    size_t taken = 0;
    bound->more = true; // until the hub says that it has everything
    // What has no id and comes to a poll is a gap.
    poll->answer.gap |= stream->subscriber.part && stream->subscriber.part->id == 0;
    for (int i = 0; i < count; i++) {
        if (buf_append(&poll->answer.body, pieces[i].at, pieces[i].len)) {
            worker_limit_hit(stream->worker, LIMIT_MEMORY);
            answer(poll); // with what there is room for
            return ERR_GONE;
        }
        taken += pieces[i].len;
    }
    bound->bytes -= taken < bound->bytes ? taken : bound->bytes;
    hold(poll, taken);
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
    struct poll_answer *answer = &poll->answer;
    size_t most = request->exchange->worker->server->settings->max_answer;
    int rc = poll_answer_begin(answer, &request->form);
    rc = rc ? rc : buf_append(&answer->body, request->first.at, request->first.len);
    answer->gap = request->first.len > 0;
    size_t used = request->first.len + poll_answer_frame(answer);
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
    poll->stream.told = true; // its end is no news: another one follows
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
    poll_answer_init(&poll->answer);
    stream_init(&poll->stream, request->exchange->worker, &poll_stream_ops);
    quotas_move(request->exchange, &poll->stream);
    stream_live_by(&poll->stream, request->exchange->identity);
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
        poll_answer_finish(&poll->answer);
        poll->stream.worker->pages -= poll->held;
        free(poll);
        exchange->state = NULL;
    }
}
