// Subscriptions over HTTP/2. The bytes are shared with others and are there only while the hub hands
// them over, so nghttp2 is made to frame them there and then, as far as the windows and the socket
// go. Who has no window is stalled and waits for one.
#include <stdlib.h>

#include "base/error.h"
#include "server/session_h2.h"

static struct h2_stream *carrier_of(const struct stream *stream) {
    return container_of(stream, struct h2_subscription, stream)->carrier;
}

void h2_wake(struct h2_stream *st) {
    struct h2_subscription *sub = st->subscription;
    if (sub && !list_empty(&sub->stalled) && !st->session->full) {
        list_remove(&sub->stalled);
        hub_writable(&sub->stream.subscriber);
    }
}

static bool has_window(const struct h2_stream *st) {
    nghttp2_session *ng = st->session->ng;
    return nghttp2_session_get_remote_window_size(ng) > 0 &&
           nghttp2_session_get_stream_remote_window_size(ng, st->id) > 0;
}

void h2_wake_all(struct session_h2 *s) {
    struct list *at = s->stalled.next;
    while (at != &s->stalled) {
        struct h2_stream *st = container_of(at, struct h2_subscription, stalled)->carrier;
        at = at->next;
        if (has_window(st)) {
            h2_wake(st);
        }
    }
}

// What a talk keeps counts as bodies do.
static void weigh_talk(struct h2_stream *st) {
    struct h2_subscription *sub = st->subscription;
    size_t held = sub->stream.talk ? sub->stream.talk->held : 0;
    st->session->gathered += held - sub->held;
    sub->held = held;
}

static struct talk *talk_of(const struct h2_stream *st) {
    return st->subscription ? st->subscription->stream.talk : NULL;
}

bool h2_hear(struct h2_stream *st, struct bytes in) {
    struct session_h2 *s = st->session;
    struct talk *talk = talk_of(st);
    if (!talk) {
        return false;
    }
    talk->ops->input(&st->subscription->stream, in);
    weigh_talk(st);
    if (s->gathered > H2_BODIES_MAX * h2_settings(s)->max_body && s->gathered != talk->held) {
        talk->ops->end(&st->subscription->stream, TALK_HEAVY);
    }
    return true;
}

void h2_hear_end(struct h2_stream *st) {
    struct talk *talk = talk_of(st);
    if (talk) {
        talk->ops->input_ended(&st->subscription->stream);
    }
}

void h2_drop_subscription(struct h2_stream *st) {
    struct h2_subscription *sub = st->subscription;
    if (sub) {
        st->session->listener_count--;
        st->session->gathered -= sub->held;
        st->subscription = NULL;
        list_remove(&sub->stalled);
        stream_finish(&sub->stream);
        free(sub);
    }
}

static void offer(struct session_h2 *s, struct h2_stream *st, const struct bytes *pieces,
                  int count) {
    s->sending = st;
    s->pieces[0] = pieces[0];
    s->pieces[1] = count > 1 ? pieces[1] : bytes_make(NULL, 0);
    s->taken = 0;
}

static ptrdiff_t stream_send(struct stream *stream, const struct bytes *pieces, int count) {
    struct h2_stream *st = carrier_of(stream);
    struct session_h2 *s = st->session;
    list_remove(&st->subscription->stalled);
    weigh_talk(st);
    h2_touch(s);
    if (!s->full && !s->gone) {
        offer(s, st, pieces, count);
        nghttp2_session_resume_data(s->ng, st->id);
        h2_pump(s);
        bool there = s->sending == st;
        s->sending = NULL;
        if (!there) {
            return ERR_GONE;
        }
    } else {
        offer(s, NULL, pieces, count);
    }
    if (h2_offered(s)) {
        list_push_back(&s->stalled, &st->subscription->stalled);
    }
    return (ptrdiff_t)s->taken;
}

// What is left of a stream is an answer whose head has left.
static bool begin_last_answer(struct h2_stream *st) {
    struct h2_request *request = st->request ? st->request : calloc(1, sizeof(*request));
    if (!request) {
        return false;
    }
    st->request = request;
    request->exchange.answered = true;
    request->body_complete = request->discards = true;
    buf_init(&request->answer, &mem_libc, 0);
    h2_stream_wait(st, h2_settings(st->session)->body_timeout_ms);
    return true;
}

static void stream_over(struct stream *stream, struct bytes last) {
    struct h2_stream *st = carrier_of(stream);
    struct session_h2 *s = st->session;
    // What ends by itself is whole, and its reader can rely on that: the end waits for windows and
    // socket, for a time. What is cut short is better reset.
    bool waits = stream->complete;
    h2_drop_subscription(st);
    h2_touch(s);
    if (!begin_last_answer(st) || (!waits && (s->full || !has_window(st)))) {
        h2_reset(st, NGHTTP2_CANCEL);
        return;
    }
    (void)h2_hold(st, 0, last); // a kindness: without it the client comes back as well
    nghttp2_session_resume_data(s->ng, st->id);
}

static void stream_set_deadline(struct stream *stream, int64_t at) {
    struct h2_stream *st = carrier_of(stream);
    wheel_arm(&st->session->worker->stream_wheel, &st->timer, at);
}

static struct peer stream_peer(const struct stream *stream) {
    return container_of(stream, struct h2_subscription, stream)->client;
}

static const char *stream_protocol(const struct stream *stream) {
    (void)stream;
    return "h2";
}

static const struct stream_ops h2_stream_ops = {
    .send = stream_send,
    .end = stream_over,
    .set_deadline = stream_set_deadline,
    .peer = stream_peer,
    .protocol = stream_protocol,
};

struct stream *h2_open_stream(struct exchange *exchange, const struct reply *head,
                              struct bytes preamble, struct frame **first) {
    struct h2_stream *st = h2_of_exchange(exchange);
    struct h2_subscription *sub = malloc(sizeof(*sub));
    preamble = preamble.len ? preamble : bytes_make("", 0);
    if (!sub || frame_create_raw(first, &mem_libc, preamble)) {
        free(sub);
        return NULL;
    }
    if (h2_submit(st, head, true)) {
        frame_unref(*first);
        free(sub);
        return NULL;
    }
    stream_init(&sub->stream, st->session->worker, &h2_stream_ops);
    sub->carrier = st;
    sub->client = exchange->client;
    sub->held = 0;
    list_init(&sub->stalled);
    st->subscription = sub;
    st->session->listener_count++;
    exchange->answered = true;
    h2_touch(st->session);
    return &sub->stream;
}
