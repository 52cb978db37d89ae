// GET and HEAD /events: turns a request into a cursor. The long poll has its answer in poll.c; the
// event stream and newline-delimited JSON differ only in the encoding of their feed.
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/random.h"
#include "hub/control.h"
#include "server/access.h"
#include "server/compression.h"
#include "server/poll.h"
#include "server/routes.h"
#include "server/stream_name.h"
#include "server/upgrade.h"
#include "server/wish.h"
#include "server/worker.h"

// A cursor that was asked for, found in the order of events.
struct place {
    struct hub_start start;
    const char *gap; // why the cursor could not be found, or NULL
};

static void place_at_id(const struct worker *worker, event_id id, struct place *place) {
    if (id > bus_newest(worker->server->bus)) {
        place->gap = "future";
        place->start.flags |= SUBSCRIBER_FROM_START;
    } else {
        place->start.after = id;
    }
}

static void place_after(struct worker *worker, const struct selection *selection,
                        struct bytes cursor, struct place *place) {
    struct past *past = &worker->server->history->past;
    event_id id;
    if (id_parse(cursor, &id)) {
        place_at_id(worker, id, place);
    } else if (cursor.len <= CURSOR_TEXT_MAX && past->find(past, selection, cursor, &id) == 0) {
        place->start.after = id;
    } else {
        place->gap = "unknown";
        place->start.flags |= SUBSCRIBER_FROM_START;
    }
}

// It is complete with all its events, also for a poll.
static void begin_snapshot(struct place *place, event_id upto) {
    place->start.snapshot = upto;
    place->start.flags |= SUBSCRIBER_FROM_START | SUBSCRIBER_ALL;
}

// The rest of one: what comes behind its cursor and is not above the place where it was begun. Or one
// anew, when the cursor says nothing.
static void resume_snapshot(struct place *place, event_id upto, event_id newest) {
    upto = upto < newest && !place->gap ? upto : newest;
    if (place->start.after < upto) {
        begin_snapshot(place, upto);
    }
}

static void find_place(struct worker *worker, const struct wish *wish,
                       const struct selection *selection, struct place *place) {
    struct past *past = &worker->server->history->past;
    event_id newest = worker->hub.heard;
    *place = (struct place){.start.flags = wish->control ? SUBSCRIBER_TELL : 0};
    if (wish->latest && wish->start == WISH_NOW) {
        begin_snapshot(place, newest);
        return;
    }
    switch (wish->start) {
    case WISH_NOW:
        place->start.after = newest;
        break;
    case WISH_EARLIEST:
        place->start.flags |= SUBSCRIBER_FROM_START;
        break;
    case WISH_AFTER:
        place_after(worker, selection, wish->cursor, place);
        if (wish->latest && (wish->snapshot || place->gap)) {
            resume_snapshot(place, wish->snapshot, newest);
        }
        break;
    case WISH_SINCE:
        place->start.after = id_from_ms(wish->since_ms);
        place->start.after -= place->start.after > 0;
        // From a time that has not come, everything that comes is new enough.
        place->start.after = place->start.after < newest ? place->start.after : newest;
        break;
    case WISH_LAST:
        place->start.after = past->last(past, selection, (size_t)wish->last, newest);
        break;
    }
}

// What a cursor may quote in a control event.
static struct bytes quotable(struct bytes cursor) {
    struct freshet_text text = {.at = cursor.at, .len = cursor.len};
    bool fine = cursor.len <= CURSOR_TEXT_MAX && freshet_utf8_check(text) == text.len;
    return fine ? cursor : bytes_make("", 0);
}

static int append_control(struct buf *out, enum encoding encoding, const char *type,
                          struct bytes data) {
    struct frame *frame;
    int rc = control_event(&frame, &mem_libc, type, data);
    if (rc == 0) {
        rc = encoding_append(encoding, frame, out);
        frame_unref(frame);
    }
    return rc;
}

static int append_gap(struct buf *out, enum encoding encoding, struct bytes cursor,
                      const char *reason) {
    struct frame *frame;
    int rc = control_gap(&frame, &mem_libc, quotable(cursor), 0, reason);
    if (rc == 0) {
        rc = encoding_append(encoding, frame, out);
        frame_unref(frame);
    }
    return rc;
}

static int append_connection(struct buf *out, enum encoding encoding, struct bytes name,
                             event_id cursor) {
    struct frame *frame;
    int rc = control_connection(&frame, &mem_libc, name, cursor);
    if (rc == 0) {
        rc = encoding_append(encoding, frame, out);
        frame_unref(frame);
    }
    return rc;
}

// Of a stream.
static enum encoding encoding_of(const struct wish *wish) {
    if (wish->websocket) {
        return wish->protocol == WEBSOCKET_STREAM ? ENCODING_WS_STREAM : ENCODING_WS_JSON;
    }
    return wish->representation == HTTP_NDJSON ? ENCODING_NDJSON : ENCODING_EVENT_STREAM;
}

// The first bytes of the body: they leave with the head, so that every proxy passes the head on.
static int compose_preamble(struct worker *worker, enum encoding encoding, const struct wish *wish,
                            const struct place *place, const struct stream_name *name,
                            struct buf *out) {
    const struct settings *settings = worker->server->settings;
    int rc = 0;
    if (encoding == ENCODING_EVENT_STREAM) {
        rc = buf_printf(out, ":\nretry: %lld\n", (long long)settings->retry_ms);
    }
    if (rc == 0 && name) {
        rc = append_connection(out, encoding, stream_name_text(name), place->start.after);
    }
    if (rc == 0 && settings->greeting && encoding != ENCODING_ITEMS) {
        rc = append_control(out, encoding, "freshet.greeting", bytes_of(settings->greeting));
    }
    if (rc == 0 && place->gap) {
        rc = append_gap(out, encoding, wish->cursor, place->gap);
        hub_count(&worker->hub.stats.gaps, 1);
    }
    return rc;
}

// The same as the beginning of a gzip body; *sum is what it adds up to.
static int compress_preamble(struct buf *preamble, struct gzip_sum *sum) {
    struct gzip_piece piece = gzip_piece_of(buf_bytes(preamble));
    struct buf plain = *preamble;
    buf_init(preamble, plain.mem, 0);
    int rc = gzip_append_header(preamble);
    rc = rc ? rc : gzip_append_stored(preamble, buf_bytes(&plain));
    buf_finish(&plain);
    *sum = (struct gzip_sum){0};
    gzip_sum_add(sum, &piece);
    return rc;
}

static void compose_head(struct exchange *exchange, const struct wish *wish, struct bytes cursor,
                         struct reply *head) {
    if (wish->websocket) {
        upgrade_compose_head(exchange, wish, cursor, head);
        return;
    }
    *head = (struct reply){.status = 200, .unsized = true};
    head->type = http_representation_type(wish->representation);
    reply_add(head, "Cache-Control", bytes_of("no-cache, no-store, no-transform"));
    reply_add(head, "X-Accel-Buffering", bytes_of("no"));
    compression_add_vary(exchange->worker->server->settings, head);
    if (wish->gzip) {
        reply_add(head, "Content-Encoding", bytes_of("gzip"));
    }
    reply_add(head, "Last-Event-ID", cursor);
    reply_add_for_browsers(head, exchange);
}

// Newline-delimited JSON can be read as a file is: so many events, or up to now. An event stream goes
// on, because an EventSource would begin again.
static int bound_stream(const struct exchange *exchange, struct stream *stream,
                        const struct wish *wish, struct hub_start *start) {
    if (wish->websocket) {
        return upgrade_begin(stream, exchange->identity);
    }
    if (wish->representation != HTTP_NDJSON) {
        return 0;
    }
    if (wish->at_once) {
        start->flags |= SUBSCRIBER_NO_WAIT;
    }
    return wish->limit ? stream_bound(stream, wish->limit, SIZE_MAX) : 0;
}

// Takes over the selection, the name, and the first frame of the start.
static int join_stream(const struct exchange *exchange, struct stream *stream,
                       const struct wish *wish, struct selection *selection,
                       struct stream_name *name, struct hub_start *start) {
    if ((name && stream_name_give(name, stream)) || bound_stream(exchange, stream, wish, start)) {
        selection_destroy(&selection);
        frame_unref(start->first);
        return ERR_NOMEM;
    }
    return hub_join(&stream->worker->hub, selection, encoding_of(wish), &stream->subscriber, start);
}

static int open_stream(struct exchange *exchange, const struct wish *wish,
                       struct selection *selection, struct place *place) {
    struct worker *worker = exchange->worker;
    char cursor[ID_TEXT_MAX];
    struct reply head;
    struct buf preamble;
    struct stream_name *name = NULL;
    struct gzip_sum sum;
    compose_head(exchange, wish, bytes_make(cursor, id_format(place->start.after, cursor)), &head);
    buf_init(&preamble, &mem_libc, 0);
    int rc = wish->control ? stream_name_create(&name, worker) : 0;
    rc = rc ? rc : compose_preamble(worker, encoding_of(wish), wish, place, name, &preamble);
    if (rc == 0 && wish->gzip) {
        rc = compress_preamble(&preamble, &sum);
        place->start.gzip = &sum;
    }
    struct stream *stream = NULL;
    if (rc == 0) {
        stream =
            exchange->ops->open_stream(exchange, &head, buf_bytes(&preamble), &place->start.first);
    }
    buf_finish(&preamble);
    if (!stream) {
        selection_destroy(&selection);
        stream_name_destroy(&name);
        return ERR_NOMEM;
    }
    quotas_move(exchange, stream);
    if (join_stream(exchange, stream, wish, selection, name, &place->start)) {
        worker_limit_hit(worker, LIMIT_MEMORY);
        stream->ops->end(stream, bytes_make(NULL, 0));
        return 0;
    }
    stream_started(stream);
    stream_expire_in(stream, access_lasts_ms(exchange->worker->server, exchange->identity));
    return 0;
}

static int answer_head(struct exchange *exchange, const struct wish *wish) {
    struct reply head;
    char cursor[ID_TEXT_MAX];
    worker_catch_up(exchange->worker);
    event_id newest = exchange->worker->hub.heard;
    compose_head(exchange, wish, bytes_make(cursor, id_format(newest, cursor)), &head);
    exchange->ops->reply(exchange, &head);
    return 0;
}

static struct poll_form form_of(const struct exchange *exchange, const struct wish *wish,
                                const struct place *place) {
    event_id id;
    bool placed = wish->start == WISH_AFTER && !wish->by_header && !wish->latest && !place->gap &&
                  id_parse(wish->cursor, &id);
    return (struct poll_form){.query = wish->query,
                              .snapshot = place->start.snapshot,
                              .known = wish->known,
                              .envelope = wish->envelope,
                              .gzip = wish->gzip,
                              .waits = wish->wait_ms > 0,
                              .placed = placed,
                              .personal = wish->personal || exchange->identity};
}

static int open_poll(struct exchange *exchange, const struct wish *wish,
                     struct selection *selection, struct place *place) {
    int64_t lasts = access_lasts_ms(exchange->worker->server, exchange->identity);
    struct poll_request request = {.exchange = exchange,
                                   .start = &place->start,
                                   .wait_ms = wish->wait_ms < lasts ? wish->wait_ms : lasts,
                                   .limit = wish->limit,
                                   .form = form_of(exchange, wish, place)};
    struct buf gap;
    buf_init(&gap, &mem_libc, 0);
    int rc = compose_preamble(exchange->worker, ENCODING_ITEMS, wish, place, NULL, &gap);
    if (rc) {
        selection_destroy(&selection);
    } else {
        request.first = buf_bytes(&gap);
        rc = poll_open(&request, selection);
    }
    buf_finish(&gap);
    return rc;
}

// ERR_TOO_LARGE: there are as many listeners of the kind as there may be.
static int subscribe(struct exchange *exchange, const struct wish *wish) {
    struct worker *worker = exchange->worker;
    struct selection *selection = NULL;
    struct place place;
    struct selection_filter filter = {
        .types = wish->types, .type_count = wish->type_count, .latest = wish->latest};
    int rc = selection_create_filtered(&selection, &mem_libc, &worker->server->hash_key,
                                       wish->names, wish->name_count, &filter);
    rc = rc ? rc : quotas_take_listener(exchange, selection);
    if (rc) {
        selection_destroy(&selection);
        return rc;
    }
    // Whatever id a client can know has been published before: take it in, so that no cursor of an
    // event that exists seems to come from the future.
    worker_catch_up(worker);
    find_place(worker, wish, selection, &place);
    bool poll = !wish->websocket && wish->representation == HTTP_JSON;
    return poll ? open_poll(exchange, wish, selection, &place)
                : open_stream(exchange, wish, selection, &place);
}

// A browser's EventSource gives up for ever on any status but 200; so a listener that cannot be
// served now is told with a 200 when to come back. Others understand a 503.
static void answer_come_back(struct exchange *exchange, const struct wish *wish,
                             const char *detail) {
    struct worker *worker = exchange->worker;
    int64_t retry = worker->server->settings->retry_ms;
    long long ms = (long long)random_between(&worker->random, retry, 3 * retry);
    bool browser = !wish->websocket && wish->representation == HTTP_EVENT_STREAM;
    struct buf *body = &worker->body;
    char seconds[24];
    buf_clear(body);
    // Without memory for the words the status and the header still tell.
    (void)(browser ? buf_printf(body, ":\nretry: %lld\n", ms)
                   : http_problem_body(body, 503, bytes_of(detail)));
    struct reply reply = {.status = browser ? 200 : 503,
                          .type = browser ? "text/event-stream" : "application/problem+json",
                          .unsized = browser,
                          .body = buf_bytes(body)};
    snprintf(seconds, sizeof(seconds), "%lld", (ms + 999) / 1000);
    reply_add(&reply, "Retry-After", bytes_of(seconds));
    reply_add(&reply, "Cache-Control", bytes_of("no-cache, no-store, no-transform"));
    compression_add_vary(worker->server->settings, &reply);
    reply_add_for_browsers(&reply, exchange);
    exchange->ops->reply(exchange, &reply);
}

static const char crowded[] = "there are too many connections, or the server is ending; come back "
                              "after the time that Retry-After says";
static const char enough[] = "this address, this token's subject or this topic has as many "
                             "listeners as it may; come back after the time that Retry-After says";

static int begin(struct exchange *exchange, const struct http_request *req) {
    struct wish wish;
    int rc = 0;
    if (!wish_read(&wish, exchange, req) ||
        (wish.websocket && !upgrade_check(exchange, req, &wish))) {
        rc = 0; // answered
    } else if (exchange->to_head) {
        rc = answer_head(exchange, &wish);
    } else if (exchange->crowded || server_is_draining(exchange->worker->server)) {
        answer_come_back(exchange, &wish, crowded);
    } else {
        rc = subscribe(exchange, &wish);
    }
    if (rc == ERR_TOO_LARGE) {
        answer_come_back(exchange, &wish, enough);
        rc = 0;
    }
    wish_finish(&wish);
    return rc;
}

const struct handler route_subscribe = {
    .begin = begin, .expired = poll_expired, .drop = poll_drop, .upgrades = true};
