// POST /events/<topic> with an event stream as the body: each event is published as it arrives, so
// that a model's stream can be piped in. The body may go on for as long as something comes.
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "freshet/parser.h"
#include "server/access.h"
#include "server/commit.h"
#include "server/publish.h"
#include "server/worker.h"

enum {
    GROUP_MAX = 64,
    FIELD_ROOM = 1024, // of a line, beside data: a type or an id may be longer than all data
};

struct relay {
    struct worker *worker;
    struct buf topic, event_key;
    struct freshet_parser *parser;
    struct frame *group[GROUP_MAX]; // events of this piece, to be published together
    size_t group_count;
    uint64_t key, number; // of the next event, counted over the request
    bool private;
    struct commit commit;
    bool reused;     // an event was not the one that the key was used for
    bool unstorable; // events that came cannot be stored now
    int retry_after; // seconds until the event that came may be published; 0: all were
    bool event_came; // with this piece of the body
    char last[PUBLISH_ID_MAX];
    size_t last_len;
    const char *problem; // why an event could not be published
    int error;
};

static void drop_group(struct relay *relay) {
    while (relay->group_count) {
        frame_unref(relay->group[--relay->group_count]);
    }
}

static void note_published(struct relay *relay, const struct frame *frame) {
    char text[PUBLISH_ID_MAX];
    if (publish_was_refused(frame)) {
        relay->reused = true;
        return;
    }
    struct bytes id = publish_id(frame, text);
    memcpy(relay->last, id.at, id.len);
    relay->last_len = id.len;
}

static void publish_group(struct relay *relay) {
    size_t count = relay->group_count;
    if (count == 0) {
        return;
    }
    relay->unstorable = commit_refuse(relay->commit.exchange, relay->commit.published);
    if (!relay->unstorable) {
        commit_publish(&relay->commit, relay->group, count);
        for (size_t i = 0; i < count; i++) {
            note_published(relay, relay->group[i]);
        }
    }
    drop_group(relay);
}

// The id is the publisher's own only if it came with this event; and one that another freshet gave
// is replaced, because here it would name another place.
static struct freshet_text own_id(const struct freshet_event *event) {
    bool own = event->flags & FRESHET_EVENT_OWN_ID && event->id.len &&
               !id_looks_like_one(bytes_make(event->id.at, event->id.len));
    return own ? event->id : (struct freshet_text){0};
}

static int on_event(void *user, const struct freshet_event *parsed) {
    struct relay *relay = user;
    struct freshet_event event = *parsed;
    relay->event_came = true;
    if (relay->unstorable) {
        return ERR_GONE;
    }
    if (bytes_starts_with(bytes_make(event.type.at, event.type.len), "freshet.")) {
        return 0; // what another freshet told its listener is not an event
    }
    event.id = own_id(parsed);
    struct bytes topic = buf_bytes(&relay->topic);
    struct frame **frame = &relay->group[relay->group_count];
    relay->error = publish_keyed_frame(&relay->worker->server->hash_key, &topic, 1, &event,
                                       buf_bytes(&relay->event_key), frame, &relay->problem);
    if (relay->error) {
        return relay->error;
    }
    (*frame)->private = relay->private;
    relay->retry_after = rates_charge(relay->commit.exchange, *frame);
    if (relay->retry_after) {
        frame_unref(*frame);
        return ERR_TOO_LARGE;
    }
    publish_identify(relay->worker, *frame, relay->key, relay->number++);
    if (++relay->group_count == GROUP_MAX) {
        publish_group(relay);
    }
    return relay->reused ? ERR_INVALID : 0;
}

int publish_stream_begin(struct exchange *exchange, const struct publish_target *target) {
    struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay) {
        return ERR_NOMEM;
    }
    exchange->state = relay;
    commit_init(&relay->commit, exchange);
    relay->worker = exchange->worker;
    relay->key = target->key;
    relay->private = target->private;
    buf_init(&relay->topic, &mem_libc, 0);
    buf_init(&relay->event_key, &mem_libc, 0);
    int rc = buf_append(&relay->topic, target->topic.at, target->topic.len);
    rc = rc ? rc : buf_append(&relay->event_key, target->event_key.at, target->event_key.len);
    struct freshet_parser_settings settings;
    freshet_parser_settings_default(&settings);
    settings.max_event = exchange->worker->server->settings->max_body;
    settings.max_line = settings.max_event + FIELD_ROOM;
    settings.on_event = on_event;
    settings.user = relay;
    return rc || freshet_parser_open(&relay->parser, &settings) ? ERR_NOMEM : 0;
}

static void refuse(struct exchange *exchange, struct relay *relay, int rc) {
    unsigned long long published = relay->commit.published;
    if (relay->reused) {
        exchange_problem(exchange, 422, "%s; %llu events of the stream were published",
                         publish_key_problem, published);
        return;
    }
    if (relay->retry_after) {
        rates_answer(exchange, relay->retry_after, published);
    } else if (rc == FRESHET_ERR_TOO_LARGE) {
        worker_limit_hit(exchange->worker, LIMIT_BODY);
        exchange_problem(exchange, 413,
                         "an event of the stream is larger than --max-body allows; %llu before it "
                         "were published",
                         published);
    } else if (relay->problem) {
        exchange_problem(exchange, 400, "%s; %llu events before this one were published",
                         relay->problem, published);
    } else {
        exchange_refuse(exchange, ERR_NOMEM);
    }
}

// How much the parser may hold: after an event, no more than is left of its piece; and never more
// than its limits.
static size_t kept_of(const struct relay *relay, size_t kept, size_t piece) {
    size_t most = 2 * (size_t)relay->worker->server->settings->max_body + FIELD_ROOM;
    kept = relay->event_came ? piece : kept + piece;
    return kept < most ? kept : most;
}

// It may have begun long ago. True when it was refused.
static bool refuse_later(struct exchange *exchange, const struct relay *relay) {
    bool still =
        access_still(exchange) && access_allows(exchange, buf_bytes(&relay->topic), RIGHT_PUBLISH);
    if (!still) {
        exchange_problem(exchange, 403,
                         "the token or API key is not good for this topic any more; %llu events of "
                         "the stream were published",
                         (unsigned long long)relay->commit.published);
    }
    return !still;
}

static int on_body(struct exchange *exchange, struct bytes piece) {
    struct relay *relay = exchange->state;
    relay->event_came = false;
    if (refuse_later(exchange, relay)) {
        return 0;
    }
    int rc = freshet_parser_feed(relay->parser, piece.at, piece.len);
    exchange->kept = kept_of(relay, exchange->kept, piece.len);
    publish_group(relay);
    if ((rc || relay->reused) && !relay->unstorable) {
        refuse(exchange, relay, rc);
    }
    return 0;
}

static int answer(struct exchange *exchange) {
    const struct relay *relay = exchange->state;
    struct buf *body = &exchange->worker->body;
    buf_clear(body);
    int rc = buf_printf(body,
                        "{\"published\":%llu,\"id\":", (unsigned long long)relay->commit.published);
    if (rc == 0) {
        rc = relay->last_len ? json_append_string(body, bytes_make(relay->last, relay->last_len))
                             : buf_append_text(body, "null");
    }
    rc = rc ? rc : buf_append_text(body, "}");
    if (rc == 0) {
        exchange_answer(exchange, 200, "application/json", buf_bytes(body));
    }
    return rc;
}

static int on_end(struct exchange *exchange) {
    struct relay *relay = exchange->state;
    return commit_answer(&relay->commit, answer);
}

static void on_drop(struct exchange *exchange) {
    struct relay *relay = exchange->state;
    if (relay) {
        drop_group(relay);
        commit_leave(&relay->commit);
        freshet_parser_close(&relay->parser);
        buf_finish(&relay->topic);
        buf_finish(&relay->event_key);
        free(relay);
    }
}

const struct handler publish_stream_handler = {
    .body = on_body, .end = on_end, .drop = on_drop, .finishes = true, .endless_body = true};
